// What the end-to-end cases share: a browser with a fresh profile for each case, and a person's hands and eyes.
//
// `cargo xtask test --only page` sets PLAYGROUND_URL (where dist/ is served), PLAYGROUND_TOOLS (where the packages of
// package.json are) and CHROMIUM.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const required = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these cases with \`cargo xtask test --only page\``);
  return value;
};

export const address = required('PLAYGROUND_URL');
const { chromium } = createRequire(join(required('PLAYGROUND_TOOLS'), 'package.json'))('playwright-core');

/** How long a person would wait before giving up, in ms. */
export const PATIENCE_MS = 20_000;

const cases = [];

/** Registers a case: `run` is given a `Browser`. Options: `viewport`, `colorScheme`, `expectErrors` (a pattern). */
export function test(name, options, run) {
  if (typeof options === 'function') [options, run] = [{}, options];
  cases.push({ name, options, run });
}

/** Runs the registered cases whose name contains `filter`; prints a line of TAP for each. */
export async function runCases(filter = '') {
  const chosen = cases.filter(({ name }) => name.includes(filter));
  console.log(`1..${chosen.length}`);
  let failed = 0;
  for (const [index, { name, options, run }] of chosen.entries()) {
    const start = Date.now();
    let browser;
    try {
      browser = await Browser.open(options);
      await withTimeout(run(browser), options.timeoutMs ?? 120_000);
      browser.assertQuiet();
      console.log(`ok ${index + 1} - ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      failed += 1;
      console.log(`not ok ${index + 1} - ${name}`);
      console.log(String(error.stack ?? error).replace(/^/gm, '    # '));
      await browser?.explain(index + 1);
    } finally {
      await browser?.close();
    }
  }
  return failed;
}

async function withTimeout(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A Chromium with a profile of its own, which outlives a kill of the browser. */
export class Browser {
  static async open(options = {}) {
    const profile = await mkdtemp(join(tmpdir(), 'playground-e2e-'));
    const browser = new Browser(profile, options);
    await browser.start();
    return browser;
  }

  constructor(profile, options) {
    Object.assign(this, { profile, options, errors: [] });
  }

  async start() {
    const flags = [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--no-default-browser-check',
      '--disable-background-networking', '--disable-component-update', '--disable-sync', '--mute-audio',
      '--disable-dev-shm-usage', '--remote-debugging-port=0', `--user-data-dir=${this.profile}`, 'about:blank',
    ];
    await rm(join(this.profile, 'DevToolsActivePort'), { force: true });
    this.process = spawn(required('CHROMIUM'), flags, { stdio: 'ignore', detached: true });
    const port = await eventually('Chromium is up', async () => {
      const text = await readFile(join(this.profile, 'DevToolsActivePort'), 'utf8').catch(() => '');
      return text.split('\n')[0];
    });
    this.connection = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
    this.context = this.connection.contexts()[0];
  }

  /** Opens a tab on the page, and waits until its engine is `engine` (null: does not wait). */
  async tab({ engine = 'ready', url = address, before } = {}) {
    const page = await this.context.newPage();
    this.last = page;
    const { viewport = { width: 1440, height: 900 }, colorScheme = 'light', reducedMotion = 'no-preference' } = this.options;
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme, reducedMotion });
    page.on('pageerror', (error) => this.errors.push(`page: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(`console: ${message.text()}`);
    });
    page.on('dialog', (dialog) => {
      this.errors.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    if (before) await page.addInitScript(before);
    await page.goto(url);
    const tab = new Tab(this, page);
    if (engine !== null) await tab.engine(engine);
    return tab;
  }

  /** Ends the browser at once, as the system does when memory runs out. */
  async kill() {
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    process.kill(-this.process.pid, 'SIGKILL');
    await ended;
    await this.connection.close().catch(() => {});
  }

  /** Kills it, and starts it again on the same profile. */
  async killAndRestart() {
    await this.kill();
    await sleep(500);
    await rm(join(this.profile, 'SingletonLock'), { force: true });
    await this.start();
  }

  /** Nothing went wrong that a person would only see in the console: no exception, no breach of the policy. */
  assertQuiet() {
    const unexpected = this.errors.filter((error) => !this.options.expectErrors?.test(error));
    assert.deepEqual(unexpected, [], 'errors in the page');
  }

  /** After a failure: what the last tab shows. */
  async explain(number) {
    try {
      const folder = process.env.PLAYGROUND_SCREENSHOTS ?? tmpdir();
      const path = join(folder, `playground-e2e-${number}.png`);
      await this.last?.screenshot({ path, timeout: 5_000 });
      const text = await this.last?.evaluate(() => document.body.innerText);
      console.log(`    # screenshot: ${path}\n    # the page shows:`);
      console.log(String(text).slice(-3_000).replace(/^/gm, '    #   '));
    } catch (error) {
      console.log(`    # (no screenshot: ${error.message})`);
    }
    for (const error of this.errors) console.log(`    # ${error}`);
  }

  async close() {
    await this.kill().catch(() => {});
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await sleep(100);
      if (await rm(this.profile, { recursive: true, force: true }).then(() => true, () => false)) break;
    }
  }
}

/** One tab of the browser, as a person uses it. */
export class Tab {
  constructor(browser, page) {
    Object.assign(this, { browser, page });
    /** Where the text not yet looked at begins, for each output. */
    this.seen = 0;
  }

  get input() {
    return this.page.getByRole('textbox', { name: 'Terminal input' });
  }

  get output() {
    return this.page.getByRole('log', { name: 'Terminal output' });
  }

  get stage() {
    return this.page.getByRole('region', { name: 'Cluster' });
  }

  /** Waits until the engine is in that state. */
  async engine(state) {
    await eventually(`the engine is ${state}`, async () => {
      const now = await this.page.evaluate(() => document.body.dataset.engine);
      if (now === 'failed' && state !== 'failed') throw new Stop(`the engine failed`);
      return now === state;
    });
  }

  /** Waits until what is acknowledged is kept (`all`), or the page says that it is not (`memory`). */
  async kept(state = 'all') {
    // A change needs a moment to become `pending` first.
    await sleep(150);
    await eventually(`kept is ${state}`, () => this.page.evaluate((s) => document.body.dataset.kept === s, state));
  }

  async text() {
    return (await this.output.innerText()).replaceAll('\u00a0', ' ');
  }

  /** Types a line into what has the focus, which is the terminal's input, and Enter. */
  async type(line) {
    this.seen = (await this.text()).length;
    await this.assertFocus();
    await this.page.keyboard.type(line);
    await this.page.keyboard.press('Enter');
  }

  async press(key) {
    await this.page.keyboard.press(key);
  }

  /** Pastes text into what has the focus. */
  async paste(text) {
    this.seen = (await this.text()).length;
    await this.page.evaluate((text) => {
      const data = new DataTransfer();
      data.setData('text/plain', text);
      const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
      const target = document.activeElement;
      if (target.dispatchEvent(event)) document.execCommand('insertText', false, text);
    }, text);
  }

  async assertFocus() {
    const name = await this.page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
    assert.equal(name, 'Terminal input', 'the focus is in the terminal');
  }

  /** Waits until the output since the last line typed matches; the text that it then shows. */
  async sees(pattern, patienceMs = PATIENCE_MS) {
    let fresh = '';
    try {
      await eventually(`the terminal shows ${pattern}`, async () => {
        const text = await this.text();
        fresh = text.slice(Math.min(this.seen, text.length));
        return pattern.test(fresh);
      }, patienceMs);
    } catch (error) {
      error.message += `; it shows:\n${fresh}`;
      throw error;
    }
    return fresh;
  }

  /** Types a line, and waits until the output matches. */
  async run(line, pattern) {
    await this.type(line);
    return this.sees(pattern);
  }

  /** Runs a line and waits for its end, which a word that the line does not hold marks. */
  async runToEnd(line) {
    this.count = (this.count ?? 0) + 1;
    const text = await this.run(`${line}; echo e''nd-${this.count}`, new RegExp(`^end-${this.count}$`, 'm'));
    return text.slice(0, text.lastIndexOf(`end-${this.count}`));
  }

  /** Opens another terminal in this tab, on a host. */
  async openTerminal(host = 'home') {
    await this.page.getByRole('button', { name: 'Open another terminal' }).click();
    await this.page.getByRole('group', { name: 'Open a terminal on' }).getByRole('button', { name: host, exact: true }).click();
    await eventually('the new terminal has a prompt and the focus', async () => {
      const name = await this.page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
      return name === 'Terminal input';
    });
    this.seen = 0;
  }

  /** Goes to the terminal with that number, from 1. */
  async terminal(number) {
    await this.page.getByRole('tablist', { name: 'Terminals' }).getByRole('tab').nth(number - 1).click();
    await this.input.focus();
    this.seen = 0;
  }

  async reload() {
    await this.page.reload();
    await this.engine('ready');
    this.seen = 0;
  }
}

/** An error that waiting does not cure. */
class Stop extends Error {}

/** Waits until `check` gives something true; that value. */
export async function eventually(what, check, patienceMs = PATIENCE_MS) {
  const end = Date.now() + patienceMs;
  let last;
  while (Date.now() < end) {
    try {
      const value = await check();
      if (value) return value;
      last = undefined;
    } catch (error) {
      if (error instanceof Stop) throw error;
      last = error;
    }
    await sleep(25);
  }
  throw new Error(`not within ${patienceMs / 1000} s: ${what}${last ? ` (${last.message})` : ''}`);
}
