// Runs a test program that was compiled to wasm32-wasip1: `node run.mjs PROGRAM.wasm [ARGUMENTS]`.
//
// It gets standard output, arguments, a clock for libtest's own times, and this machine's files to read (the
// transcripts). Node.js has a `node:wasi` of its own, but release 20 crashes once a program's memory grows far.

import { fstatSync, openSync, readdirSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import { webcrypto } from 'node:crypto';

const [program, ...rest] = process.argv.slice(2);
const strings = {
  args: [program, ...rest],
  // A failing test ends the program: what it says must not wait in libtest's buffer.
  environ: Object.entries({ ...process.env, RUST_TEST_NOCAPTURE: '1' }).map(([name, value]) => `${name}=${value}`),
};

const OK = 0, BAD_FILE = 8, INVALID = 28, IO = 29, NO_ENTRY = 44, NOT_SUPPORTED = 52;
const CHARACTER_DEVICE = 2, DIRECTORY = 3, REGULAR_FILE = 4;
const ROOT = 3;

class Exit extends Error {
  constructor(code) {
    super(`exit ${code}`);
    this.code = code;
  }
}

let memory;
const view = () => new DataView(memory.buffer);
const bytes = (at, length) => new Uint8Array(memory.buffer, at, length);
const text = (at, length) => Buffer.from(bytes(at, length)).toString();

/** Descriptors that the program opened: `{ file, path, position, directory }`. */
const open = new Map([[ROOT, { path: '/', directory: true }]]);

const list = (name) => ({
  [`${name}_sizes_get`](count, size) {
    view().setUint32(count, strings[name].length, true);
    view().setUint32(size, strings[name].reduce((sum, item) => sum + Buffer.byteLength(item) + 1, 0), true);
    return OK;
  },
  [`${name}_get`](pointers, buffer) {
    for (const item of strings[name]) {
      const encoded = Buffer.from(`${item}\0`);
      view().setUint32(pointers, buffer, true);
      bytes(buffer, encoded.length).set(encoded);
      pointers += 4;
      buffer += encoded.length;
    }
    return OK;
  },
});

/** The buffers of a scattered read or write. */
const buffers = (at, count) =>
  Array.from({ length: count }, (_, index) =>
    bytes(view().getUint32(at + index * 8, true), view().getUint32(at + index * 8 + 4, true)));

const attempt = (action) => {
  try {
    return action() ?? OK;
  } catch (error) {
    if (error instanceof Exit) throw error;
    return error.code === 'ENOENT' ? NO_ENTRY : IO;
  }
};

const putStat = (at, stat) => {
  bytes(at, 64).fill(0);
  view().setBigUint64(at + 8, BigInt(stat.ino), true);
  view().setUint8(at + 16, stat.isDirectory() ? DIRECTORY : stat.isFile() ? REGULAR_FILE : CHARACTER_DEVICE);
  view().setBigUint64(at + 24, 1n, true);
  view().setBigUint64(at + 32, BigInt(stat.size), true);
};

const join = (descriptor, at, length) => {
  const base = open.get(descriptor)?.path;
  return base === undefined ? undefined : `${base.replace(/\/$/, '')}/${text(at, length)}`;
};

const system = {
  ...list('args'),
  ...list('environ'),
  proc_exit(code) {
    throw new Exit(code);
  },
  sched_yield: () => OK,
  random_get(at, length) {
    webcrypto.getRandomValues(bytes(at, length));
    return OK;
  },
  clock_time_get(clock, _precision, at) {
    const now = clock === 0 ? BigInt(Date.now()) * 1000000n : process.hrtime.bigint();
    view().setBigUint64(at, now, true);
    return OK;
  },
  fd_write(descriptor, at, count, written) {
    if (descriptor !== 1 && descriptor !== 2) return BAD_FILE;
    const all = Buffer.concat(buffers(at, count));
    for (let done = 0; done < all.length; ) done += writeSync(descriptor, all, done);
    view().setUint32(written, all.length, true);
    return OK;
  },
  fd_read(descriptor, at, count, read) {
    const entry = open.get(descriptor);
    if (entry?.file === undefined) return BAD_FILE;
    return attempt(() => {
      let total = 0;
      for (const buffer of buffers(at, count)) {
        const length = readSync(entry.file, buffer, 0, buffer.length, entry.position);
        entry.position += length;
        total += length;
        if (length < buffer.length) break;
      }
      view().setUint32(read, total, true);
    });
  },
  fd_seek(descriptor, offset, whence, at) {
    const entry = open.get(descriptor);
    if (entry?.file === undefined) return BAD_FILE;
    const base = whence === 0 ? 0 : whence === 1 ? entry.position : fstatSync(entry.file).size;
    entry.position = base + Number(offset);
    view().setBigUint64(at, BigInt(entry.position), true);
    return OK;
  },
  fd_close: (descriptor) => (open.delete(descriptor) ? OK : BAD_FILE),
  fd_prestat_get(descriptor, at) {
    if (descriptor !== ROOT) return BAD_FILE;
    view().setUint8(at, 0);
    view().setUint32(at + 4, 1, true);
    return OK;
  },
  fd_prestat_dir_name(descriptor, at, length) {
    if (descriptor !== ROOT || length < 1) return INVALID;
    bytes(at, 1).set(Buffer.from('/'));
    return OK;
  },
  fd_fdstat_get(descriptor, at) {
    const entry = open.get(descriptor);
    if (!entry && descriptor > 2) return BAD_FILE;
    bytes(at, 24).fill(0);
    view().setUint8(at, !entry ? CHARACTER_DEVICE : entry.directory ? DIRECTORY : REGULAR_FILE);
    view().setBigUint64(at + 8, 0xffffffffffffffffn, true);
    view().setBigUint64(at + 16, 0xffffffffffffffffn, true);
    return OK;
  },
  fd_filestat_get(descriptor, at) {
    const entry = open.get(descriptor);
    if (!entry) return BAD_FILE;
    return attempt(() => putStat(at, statSync(entry.path)));
  },
  path_filestat_get(descriptor, _flags, pathAt, length, at) {
    const path = join(descriptor, pathAt, length);
    return path === undefined ? BAD_FILE : attempt(() => putStat(at, statSync(path)));
  },
  path_open(descriptor, _lookup, pathAt, length, flags, _rights, _inherited, _fdflags, at) {
    const path = join(descriptor, pathAt, length);
    if (path === undefined) return BAD_FILE;
    if (flags & 0b1001) return NOT_SUPPORTED; // create, truncate
    return attempt(() => {
      const directory = statSync(path).isDirectory();
      const number = Math.max(...open.keys()) + 1;
      open.set(number, { path, directory, position: 0, file: directory ? undefined : openSync(path, 'r') });
      view().setUint32(at, number, true);
    });
  },
  fd_readdir(descriptor, at, length, cookie, used) {
    const entry = open.get(descriptor);
    if (!entry?.directory) return BAD_FILE;
    return attempt(() => {
      const items = readdirSync(entry.path, { withFileTypes: true });
      const parts = items.slice(Number(cookie)).map((item, index) => {
        const name = Buffer.from(item.name);
        const head = Buffer.alloc(24);
        head.writeBigUInt64LE(cookie + BigInt(index) + 1n, 0);
        head.writeBigUInt64LE(BigInt(index) + 1n, 8);
        head.writeUInt32LE(name.length, 16);
        head.writeUInt8(item.isDirectory() ? DIRECTORY : REGULAR_FILE, 20);
        return Buffer.concat([head, name]);
      });
      const all = Buffer.concat(parts).subarray(0, length);
      bytes(at, all.length).set(all);
      view().setUint32(used, all.length, true);
    });
  },
};

const module = new WebAssembly.Module(readFileSync(program));
for (const { name } of WebAssembly.Module.imports(module)) system[name] ??= () => NOT_SUPPORTED;
const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: system });
memory = instance.exports.memory;
try {
  instance.exports._start();
} catch (error) {
  if (error instanceof Exit) {
    process.exitCode = error.code;
  } else {
    // There is no unwinding here: a test that fails ends the whole program. Say what libtest no longer can.
    console.log(`\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; ${program} stopped: ${error.message}`);
    process.exitCode = 101;
  }
}
