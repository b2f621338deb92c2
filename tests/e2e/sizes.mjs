// Prints the size of each file of the page, as it is, with gzip, with brotli: `node sizes.mjs FOLDER`.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const folder = process.argv[2];
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`.padStart(12);
const row = (name, sizes) => console.log(name.padEnd(34) + sizes.map(kib).join(''));
const total = [0, 0, 0];

console.log(''.padEnd(34) + ['plain', 'gzip', 'brotli'].map((word) => word.padStart(12)).join(''));
for (const name of (await readdir(folder, { recursive: true })).sort()) {
  const path = join(folder, name);
  if (!(await stat(path)).isFile()) continue;
  const bytes = await readFile(path);
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 },
  });
  const sizes = [bytes.length, gzipSync(bytes, { level: 9 }).length, brotli.length];
  sizes.forEach((size, index) => (total[index] += size));
  row(name, sizes);
}
row('all', total);
