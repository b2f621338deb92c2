// The chapter's tutorial, typed as a reader types it.

import assert from 'node:assert/strict';
import { eventually, test } from './harness.mjs';

const PRODUCER = 'kafka-console-producer --bootstrap-server localhost:9092 --property key.separator=, --property parse.key=true --topic users';
const CONSUMER = 'kafka-console-consumer --bootstrap-server localhost:9092 --topic users';

/** Produces the tutorial's four records at the `>` prompt, and ends the producer with Control-C. */
async function produceUsers(tab) {
  await tab.type(PRODUCER);
  await tab.page.waitForTimeout(1_500);
  for (const line of ['1,mitch', '2,elyse', '3,isabelle', '4,Sammy']) {
    await tab.page.keyboard.type(line);
    await tab.press('Enter');
    await eventually('the line is taken', async () => (await tab.input.inputValue()) === '');
  }
  await tab.page.waitForTimeout(500);
  await tab.press('Control+c');
  await tab.run('echo status $?', /^status 130$/m);
}

test('tutorial: on the cluster that is up', async (browser) => {
  const tab = await browser.tab();
  await tab.type('kafka-topics --bootstrap-server localhost:9092 \\');
  await tab.page.keyboard.type('  --create --topic users --partitions 4 --replication-factor 1');
  await tab.press('Enter');
  await tab.sees(/^Created topic users\.$/m);
  const described = await tab.runToEnd('kafka-topics --bootstrap-server localhost:9092 --describe --topic users');
  assert.match(described, /PartitionCount: 4\s+ReplicationFactor: 1\s+Configs: min\.insync\.replicas=1/);
  assert.equal(described.match(/Partition: \d\s+Leader: [123]/g).length, 4);
  await produceUsers(tab);
  await tab.type(`${CONSUMER} --from-beginning`);
  for (const name of ['mitch', 'elyse', 'isabelle', 'Sammy']) await tab.sees(new RegExp(`^${name}$`, 'm'));
  await tab.press('Control+c');
  await tab.sees(/Processed a total of 4 messages/);
  const properties = '--property print.timestamp=true --property print.key=true --property print.value=true';
  const shown = await tab.runToEnd(`${CONSUMER} ${properties} --from-beginning --max-messages 4`);
  for (const [key, name] of [[1, 'mitch'], [2, 'elyse'], [3, 'isabelle'], [4, 'Sammy']]) {
    assert.match(shown, new RegExp(`^CreateTime:\\d+\\t${key}\\t${name}$`, 'm'));
  }
});

test('tutorial: docker-compose, as the book has it', { timeoutMs: 180_000 }, async (browser) => {
  const tab = await browser.tab();
  await tab.type('cd book');
  await tab.type('docker-compose up');
  await tab.sees(/kafka/);
  await tab.page.waitForTimeout(2_000);
  await tab.openTerminal('home');
  await tab.type('cd book');
  await tab.runToEnd('docker-compose ps');
  await tab.type('docker-compose exec kafka bash');
  await tab.page.waitForTimeout(500);
  await tab.run('hostname; kafka-topics --bootstrap-server localhost:9092 --create --topic users --partitions 4', /^Created topic users\.$/m);
  await produceUsers(tab);
  const values = await tab.runToEnd(`${CONSUMER} --from-beginning --max-messages 4 2>/dev/null | sort`);
  assert.match(values, /^Sammy\nelyse\nisabelle\nmitch$/m);
  await tab.type('exit');
  await tab.runToEnd('docker-compose down');
  const left = await tab.runToEnd('docker-compose ps');
  assert.doesNotMatch(left, /\bUp\b|running/i);
});

test('a consumer in one terminal shows at once what another produces', async (browser) => {
  const tab = await browser.tab();
  await tab.runToEnd('kafka-topics --bootstrap-server localhost:9092 --create --topic live --partitions 3');
  await tab.type('kafka-console-consumer --bootstrap-server localhost:9092 --topic live --from-beginning');
  await tab.openTerminal('home');
  await tab.runToEnd('seq 1 20 | kafka-console-producer --bootstrap-server localhost:9092 --topic live');
  await tab.terminal(1);
  await tab.sees(/^20$/m, 5_000);
  await tab.terminal(2);
  await tab.type('kafka-console-producer --bootstrap-server localhost:9092 --topic live');
  await tab.page.waitForTimeout(1_500);
  await tab.page.keyboard.type('one by hand');
  await tab.press('Enter');
  await tab.terminal(1);
  await tab.sees(/^one by hand$/m, 3_000);
});
