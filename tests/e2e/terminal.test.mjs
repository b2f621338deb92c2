// The terminal: editing, history, completion, interrupts, paste, Korean.

import assert from 'node:assert/strict';
import { eventually, test } from './harness.mjs';

const CREATE = 'kafka-topics --bootstrap-server localhost:9092 --create --topic';

test('files of the shell', async (browser) => {
  const tab = await browser.tab();
  await tab.type('touch users.log');
  await tab.type('echo "timestamp=1597373669,user_id=1,purchases=1" >> users.log');
  await tab.type('echo "timestamp=1597374265,user_id=1,purchases=2" >> users.log');
  await tab.run('cat -n users.log', /^ +1\ttimestamp=1597373669,user_id=1,purchases=1\n +2\ttimestamp=1597374265/m);
});

test('Ctrl-C ends a consumer, and the shell goes on', async (browser) => {
  const tab = await browser.tab();
  await tab.runToEnd(`${CREATE} quiet --partitions 1`);
  await tab.type('kafka-console-consumer --bootstrap-server localhost:9092 --topic quiet');
  await tab.page.waitForTimeout(1_500);
  await tab.press('Control+c');
  await tab.sees(/\^C[\s\S]*Processed a total of 0 messages/);
  await tab.run('echo status $?', /^status 130$/m);
});

test('Ctrl-C drops a line that was begun; Ctrl-D ends input', async (browser) => {
  const tab = await browser.tab();
  await tab.page.keyboard.type('echo never');
  await tab.press('Control+c');
  await tab.type('cat > note.txt');
  await tab.page.keyboard.type('written by hand');
  await tab.press('Enter');
  await tab.press('Control+d');
  await tab.run('cat note.txt', /^written by hand$/m);
  assert.doesNotMatch(await tab.text(), /^never$/m);
});

test('Up brings back a line, Ctrl-R finds one, Ctrl-A and Ctrl-E move', async (browser) => {
  const tab = await browser.tab();
  await tab.runToEnd('echo first thing');
  await tab.runToEnd('echo second thing');
  await tab.press('ArrowUp');
  await eventually('the last line is back', async () => (await tab.input.inputValue()).includes('echo second thing'));
  await tab.press('Control+c');
  await tab.press('Control+r');
  await tab.page.keyboard.type('first');
  tab.seen = (await tab.text()).length;
  await tab.press('Enter');
  await tab.sees(/^first thing$/m);
  await tab.page.keyboard.type('cho in the middle');
  await tab.press('Control+a');
  await tab.page.keyboard.type('e');
  await tab.press('Control+e');
  await tab.type(' and the end');
  await tab.sees(/^in the middle and the end$/m);
});

test('Tab completes commands, options and topics', async (browser) => {
  const tab = await browser.tab();
  await tab.runToEnd(`${CREATE} a-topic-with-a-long-name --partitions 1`);
  await tab.page.keyboard.type('kafka-get-off');
  await tab.press('Tab');
  await eventually('the command', async () => (await tab.input.inputValue()).startsWith('kafka-get-offsets '));
  await tab.page.keyboard.type('--bootstrap-s');
  await tab.press('Tab');
  await eventually('the option', async () => (await tab.input.inputValue()).includes('--bootstrap-server '));
  await tab.page.keyboard.type('localhost:9092 --topic a-to');
  await tab.press('Tab');
  await eventually('the topic', async () => (await tab.input.inputValue()).includes('--topic a-topic-with-a-long-name'));
  tab.seen = (await tab.text()).length;
  await tab.press('Enter');
  await tab.sees(/^a-topic-with-a-long-name:0:0$/m);
});

test('paste of many lines runs them in turn', async (browser) => {
  const tab = await browser.tab();
  const lines = Array.from({ length: 40 }, (_, index) => `echo line $((${index} + 1)) of 40`);
  await tab.paste(`${lines.join('\n')}\n`);
  await tab.sees(/^line 40 of 40$/m);
  const shown = (await tab.text()).match(/^line \d+ of 40$/gm);
  assert.deepEqual(shown, lines.map((_, index) => `line ${index + 1} of 40`));
});

test('paste as the document prints it: won signs, call-outs, bullets, smart quotes', async (browser) => {
  const tab = await browser.tab();
  await tab.paste('kafka-topics --bootstrap-server localhost:9092 ₩ ②\n- --create ₩\n--topic pasted ₩\n--partitions 4\n');
  await tab.sees(/^Created topic pasted\.$/m);
  await tab.paste('echo “smart quotes”\n');
  await tab.sees(/^smart quotes$/m);
});

test('Korean is composed in place, kept and shown', async (browser) => {
  const tab = await browser.tab();
  await tab.runToEnd(`${CREATE} korean --partitions 1`);
  await tab.type('kafka-console-producer --bootstrap-server localhost:9092 --topic korean');
  await tab.page.waitForTimeout(1_500);
  const devtools = await tab.page.context().newCDPSession(tab.page);
  const compose = async (...steps) => {
    for (const text of steps) {
      await devtools.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
    }
    await devtools.send('Input.insertText', { text: steps.at(-1) });
  };
  await compose('ㅎ', '하', '한');
  await compose('ㄱ', '그', '글');
  await tab.page.keyboard.type(' ok');
  await tab.press('Enter');
  await tab.press('Control+d');
  const text = await tab.runToEnd(
    'kafka-console-consumer --bootstrap-server localhost:9092 --topic korean --from-beginning --max-messages 1 2>/dev/null');
  assert.match(text, /^한글 ok$/m);
});

test('text is text: markup in a record, a topic and a file is shown, never run', async (browser) => {
  const tab = await browser.tab();
  const markup = '<img src=x onerror=alert(1)><b>bold</b>';
  await tab.runToEnd(`${CREATE} marks --partitions 1`);
  await tab.runToEnd(`echo '${markup}' | kafka-console-producer --bootstrap-server localhost:9092 --topic marks`);
  const text = await tab.runToEnd(
    'kafka-console-consumer --bootstrap-server localhost:9092 --topic marks --from-beginning --max-messages 1 2>/dev/null');
  assert.ok(text.includes(markup));
  assert.equal(await tab.page.locator('#app img[src="x"]').count(), 0);
});
