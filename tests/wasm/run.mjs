// Runs a test program that was compiled to wasm32-wasip1: `node run.mjs PROGRAM.wasm [ARGUMENTS]`.
// It may read this machine's files (the transcripts); the engine asks for none.

import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';

const [program, ...programArguments] = process.argv.slice(2);
const wasi = new WASI({
  version: 'preview1',
  args: [program, ...programArguments],
  env: process.env,
  preopens: { '/': '/' },
  returnOnExit: true,
});
const module = await WebAssembly.compile(await readFile(program));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
try {
  process.exitCode = wasi.start(instance);
} catch (error) {
  // A test that fails ends the whole program here: there is no unwinding. Say what libtest no longer can.
  console.log(`\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; (${program} stopped: ${error.message})`);
  process.exitCode = 101;
}
