// The first visit, the second tab, the phone: what a person meets before they know anything.

import assert from 'node:assert/strict';
import { eventually, test } from './harness.mjs';

test('first visit: the cluster is up and the prompt has the focus', async (browser) => {
  const start = Date.now();
  const tab = await browser.tab();
  await tab.assertFocus();
  console.log(`    # ready after ${Date.now() - start} ms`);
  for (const host of ['kafka-1', 'kafka-2', 'kafka-3']) {
    await eventually(`the stage shows ${host}`, async () => (await tab.stage.innerText()).includes(host));
  }
  const commands = tab.page.getByRole('complementary', { name: 'Next' }).getByRole('button');
  assert.ok((await commands.count()) >= 3, 'three commands to click');
  const offered = await commands.first().innerText();
  await commands.first().click();
  await eventually('the command that was clicked is in the terminal', async () => (await tab.text()).includes(offered));
  const shown = await tab.runToEnd('docker-compose ps');
  for (const service of ['kafka-1', 'kafka-2', 'kafka-3']) assert.match(shown, new RegExp(service));
});

test('a strict policy and relative addresses only', async (browser) => {
  const tab = await browser.tab();
  const policy = await tab.page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval'(?<!wasm-unsafe-eval')/);
  const requested = await tab.page.evaluate(() => performance.getEntriesByType('resource').map((entry) => entry.name));
  const base = new URL('.', tab.page.url()).href;
  for (const name of requested) assert.ok(name.startsWith(base), `${name} is below ${base}`);
});

test('a second tab is told plainly, and the first goes on', async (browser) => {
  const first = await browser.tab();
  await first.runToEnd('kafka-topics --bootstrap-server localhost:9092 --create --topic first --partitions 1');
  const second = await browser.tab({ engine: null });
  await eventually('the second tab says so', async () =>
    /another tab/i.test(await second.page.evaluate(() => document.body.innerText)));
  assert.notEqual(await second.page.evaluate(() => document.body.dataset.engine), 'ready');
  await first.page.bringToFront();
  await first.input.focus();
  await first.run('kafka-topics --bootstrap-server localhost:9092 --list', /^first$/m);
  await first.kept();
  await first.page.close();
  await second.reload();
  await second.input.focus();
  await second.run('kafka-topics --bootstrap-server localhost:9092 --list', /^first$/m);
});

test('a phone: everything within 390 px, with the keys that phones lack', { viewport: { width: 390, height: 844 } }, async (browser) => {
  const tab = await browser.tab();
  const width = await tab.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `nothing to scroll sideways: ${width} px`);
  await tab.input.focus();
  await tab.run('echo on a phone', /^on a phone$/m);
  const keys = tab.page.getByRole('group', { name: 'Keys' });
  assert.ok(await keys.isVisible(), 'the keys are there');
  await tab.type('sleep 1000');
  await keys.getByRole('button', { name: /ctrl|\^C/i }).first().click();
  await tab.sees(/\^C/);
  await tab.run('echo again', /^again$/m);
  const stage = await tab.stage.boundingBox();
  const input = await tab.input.boundingBox();
  assert.ok(stage.y < input.y, 'the stage is above the terminal');
  assert.ok(input.y + input.height <= 844, 'the input is on the screen');
});

test('dark follows the system', { colorScheme: 'dark' }, async (browser) => {
  const tab = await browser.tab();
  const ground = await tab.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const [red] = ground.match(/\d+/g).map(Number);
  assert.ok(red < 64, `a dark ground: ${ground}`);
});
