// Runs the end-to-end cases: `node run.mjs [PART OF A NAME]`. See harness.mjs for what it needs.

import { readdir } from 'node:fs/promises';
import { runCases } from './harness.mjs';

const folder = new URL('.', import.meta.url);
for (const name of (await readdir(folder)).sort()) {
  if (name.endsWith('.test.mjs')) await import(new URL(name, folder));
}
process.exit((await runCases(process.argv[2])) === 0 ? 0 : 1);
