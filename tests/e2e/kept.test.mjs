// What is kept: over a reload, over a killed browser, and where the browser refuses.

import assert from 'node:assert/strict';
import { eventually, test } from './harness.mjs';

const AT = '--bootstrap-server localhost:9092';

/** A topic with records in it, a file, and a group's position. */
async function fill(tab) {
  await tab.runToEnd(`kafka-topics ${AT} --create --topic users --partitions 4`);
  await tab.runToEnd(`seq 1 100 | kafka-console-producer ${AT} --topic users`);
  await tab.runToEnd('echo a line of mine > mine.txt');
  await tab.runToEnd(`kafka-console-consumer ${AT} --topic users --group readers --from-beginning --max-messages 100 > read.txt 2>&1`);
  await tab.kept();
}

async function isThere(tab) {
  const offsets = await tab.runToEnd(`kafka-get-offsets ${AT} --topic users`);
  const total = [...offsets.matchAll(/^users:\d:(\d+)$/gm)].reduce((sum, [, end]) => sum + Number(end), 0);
  assert.equal(total, 100);
  assert.match(await tab.runToEnd('cat mine.txt'), /^a line of mine$/m);
  const values = await tab.runToEnd(
    `kafka-console-consumer ${AT} --topic users --from-beginning --max-messages 100 2>/dev/null | sort -n | md5sum`);
  const expected = await tab.runToEnd('seq 1 100 | md5sum');
  assert.equal(values.match(/[0-9a-f]{32}/)[0], expected.match(/[0-9a-f]{32}/)[0]);
  const group = await tab.runToEnd(`kafka-consumer-groups ${AT} --describe --group readers`);
  // A partition whose position was not looked up yet when the consumer had enough has no row, as in Kafka.
  const rows = [...group.matchAll(/^readers\s+users\s+\d+\s+(\d+)\s+\d+\s+(\d+)/gm)];
  const sum = (column) => rows.reduce((total, row) => total + Number(row[column]), 0);
  assert.equal(sum(1), 100, group);
  assert.equal(sum(2), 0, group);
}

test('a reload keeps topics, records, positions and files', async (browser) => {
  const tab = await browser.tab();
  await fill(tab);
  await tab.reload();
  await isThere(tab);
});

test('a browser that is killed loses nothing that was kept', async (browser) => {
  const tab = await browser.tab();
  await fill(tab);
  await browser.killAndRestart();
  await isThere(await browser.tab());
});

test('a browser that is killed while records flow recovers', async (browser) => {
  const tab = await browser.tab();
  await fill(tab);
  await tab.type(`for n in 1 2 3 4 5 6 7 8; do seq 1 2000 | kafka-console-producer ${AT} --topic users; done`);
  await tab.page.waitForTimeout(1_200);
  await browser.killAndRestart();
  const again = await browser.tab();
  const offsets = await again.runToEnd(`kafka-get-offsets ${AT} --topic users`);
  const total = [...offsets.matchAll(/^users:\d:(\d+)$/gm)].reduce((sum, [, end]) => sum + Number(end), 0);
  assert.ok(total >= 100, `${total} records`);
  await again.runToEnd(
    `kafka-console-consumer ${AT} --topic users --from-beginning --max-messages ${total} 2>/dev/null > all.txt; wc -l all.txt`);
  await again.run('wc -l all.txt', new RegExp(`^${total} all.txt$`, 'm'));
});

test('storage that is refused: said clearly, and the session goes on in memory', async (browser) => {
  // As a browser that keeps nothing answers: in the worker there is no IndexedDB.
  await browser.context.route('**/worker.js', async (route) => {
    const response = await route.fetch();
    const refuse = "Object.defineProperty(self, 'indexedDB', { value: undefined });\n";
    await route.fulfill({ response, body: refuse + (await response.text()) });
  });
  const tab = await browser.tab();
  await tab.kept('memory');
  await eventually('the page says so', async () => /memory/i.test(await tab.page.evaluate(() => document.body.innerText)));
  await tab.runToEnd(`kafka-topics ${AT} --create --topic held --partitions 1`);
  await tab.run(`kafka-topics ${AT} --list`, /^held$/m);
});

test('starting over asks first', async (browser) => {
  const tab = await browser.tab();
  await fill(tab);
  await tab.page.getByRole('button', { name: 'Start over' }).click();
  const dialog = tab.page.getByRole('alertdialog');
  await dialog.getByRole('button', { name: /cancel|keep/i }).click();
  await tab.input.focus();
  await tab.run(`kafka-topics ${AT} --list`, /^users$/m);
  await tab.page.getByRole('button', { name: 'Start over' }).click();
  await dialog.getByRole('button', { name: /start over|erase|delete/i }).click();
  await tab.page.waitForTimeout(500);
  await tab.engine('ready');
  await tab.input.focus();
  tab.seen = 0;
  const list = await tab.runToEnd(`kafka-topics ${AT} --list`);
  assert.doesNotMatch(list, /^users$/m);
});
