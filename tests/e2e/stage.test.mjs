// The stage: what it draws, by mouse and by keyboard, and that it stays smooth.

import assert from 'node:assert/strict';
import { eventually, test } from './harness.mjs';

const AT = '--bootstrap-server localhost:9092';

test('the stage shows partitions, leaders, records and groups; a record opens', async (browser) => {
  const tab = await browser.tab();
  await tab.runToEnd(`kafka-topics ${AT} --create --topic users --partitions 4`);
  await tab.runToEnd(`printf '1,mitch\\n2,elyse\\n' | kafka-console-producer ${AT} --topic users --reader-property parse.key=true --reader-property key.separator=,`);
  const partition = tab.stage.getByRole('button', { name: /partition users-\d, leader kafka-\d/ }).first();
  await partition.focus();
  await tab.press('Enter');
  const record = tab.stage.getByRole('button', { name: /^record 0 of users-\d, key 1$/ }).first();
  await record.focus();
  await tab.press('Enter');
  await eventually('its parts are shown', async () => {
    const text = await tab.stage.innerText();
    return /offset/i.test(text) && /timestamp/i.test(text) && /mitch/.test(text);
  });
  await tab.input.focus();
  await tab.runToEnd(`kafka-console-consumer ${AT} --topic users --group readers --from-beginning --max-messages 2`);
  await eventually('the group is on the stage', async () => (await tab.stage.innerText()).includes('readers'));
});

test('smooth with 100,000 records', { timeoutMs: 180_000 }, async (browser) => {
  const tab = await browser.tab();
  await tab.runToEnd(`kafka-topics ${AT} --create --topic many --partitions 3`);
  await tab.page.evaluate(() => {
    window.frames16 = [];
    let last = performance.now();
    const look = (now) => {
      window.frames16.push(now - last);
      last = now;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await tab.type(`seq 1 100000 | kafka-console-producer ${AT} --topic many; kafka-get-offsets ${AT} --topic many; echo e''nd`);
  await tab.sees(/^end$/m, 120_000);
  const frames = await tab.page.evaluate(() => window.frames16.sort((a, b) => a - b));
  const at = (share) => frames[Math.floor(frames.length * share)].toFixed(1);
  console.log(`    # frames: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${frames.at(-1).toFixed(1)} ms`);
  assert.ok(frames.at(-1) < 500, 'the page never stands still for half a second');
});
