// Measures the page in Chromium: `cargo xtask bench` runs it.

import { Browser, address } from './harness.mjs';

const CHUNK = 64 * 1024;
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** From nothing cached to the first usable prompt, in ms. */
async function coldPrompt() {
  const browser = await Browser.open();
  try {
    const page = await browser.context.newPage();
    await page.addInitScript(() => {
      const look = () => {
        const ready = document.body?.dataset.engine === 'ready';
        const focused = document.activeElement?.getAttribute('aria-label') === 'Terminal input';
        if (ready && focused) window.promptMs = performance.now();
        else requestAnimationFrame(look);
      };
      look();
    });
    await page.goto(address);
    await page.waitForFunction(() => window.promptMs, null, { timeout: 30_000 });
    return await page.evaluate(() => window.promptMs);
  } finally {
    await browser.close();
  }
}

/** What IndexedDB itself takes: chunks of one size, some to a transaction, MB/s. */
async function rawPuts(tab, durability, chunks, perTransaction) {
  return tab.page.evaluate(async ([durability, chunks, perTransaction, size]) => {
    const database = await new Promise((resolve, reject) => {
      const request = indexedDB.open('raw-bench', 1);
      request.onupgradeneeded = () => request.result.createObjectStore('chunks');
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const chunk = crypto.getRandomValues(new Uint8Array(size));
    const start = performance.now();
    for (let done = 0; done < chunks; done += perTransaction) {
      const transaction = database.transaction('chunks', 'readwrite', { durability });
      for (let index = 0; index < perTransaction; index += 1) transaction.objectStore('chunks').put(chunk, done + index);
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
    }
    const seconds = (performance.now() - start) / 1000;
    database.close();
    indexedDB.deleteDatabase('raw-bench');
    return (chunks * size) / 1e6 / seconds;
  }, [durability, chunks, perTransaction, CHUNK]);
}

/** Records from a tool in the page until all of them are kept, MB/s of records' values. */
async function keptThroughThePage(tab) {
  const at = '--bootstrap-server localhost:9092';
  await tab.runToEnd(`kafka-topics ${at} --create --topic bench --partitions 3`);
  await tab.runToEnd('for n in 1 2 3 4 5 6 7 8 9 10; do seq 1000000 1100000 >> numbers.txt; done');
  await tab.kept();
  const start = Date.now();
  await tab.type(`kafka-console-producer ${at} --topic bench < numbers.txt; echo e''nd`);
  await tab.sees(/^end$/m, 120_000);
  const produced = (Date.now() - start) / 1000;
  await tab.kept();
  const kept = (Date.now() - start) / 1000;
  const megabytes = (1_000_010 * 7) / 1e6;
  return { produced: megabytes / produced, kept: megabytes / kept, records: 1_000_010 / kept };
}

const times = [];
for (let run = 0; run < 5; run += 1) times.push(await coldPrompt());
console.log(`first usable prompt, nothing cached: median ${median(times).toFixed(0)} ms of ${times.length} visits (mark: 1500 ms)`);

const browser = await Browser.open({});
try {
  const tab = await browser.tab();
  for (const durability of ['relaxed', 'strict']) {
    for (const perTransaction of [1, 16]) {
      const rate = await rawPuts(tab, durability, 512, perTransaction);
      console.log(`raw IndexedDB, ${durability}, ${perTransaction} x 64 KiB a transaction: ${rate.toFixed(1)} MB/s`);
    }
  }
  const { produced, kept, records } = await keptThroughThePage(tab);
  console.log(`a million lines through the page's producer: ${produced.toFixed(2)} MB/s produced, ${kept.toFixed(2)} MB/s kept, ${records.toFixed(0)} records/s`);
} finally {
  await browser.close();
}
