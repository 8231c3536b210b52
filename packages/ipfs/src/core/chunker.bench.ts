/** `node packages/ipfs/src/core/chunker.bench.ts`: how fast chunkers that depend on content pass over it. */
import { stdout } from 'node:process';
import { seededContent } from '../../vectors/seeded-content.ts';
import { parseChunker } from './chunker.ts';

const content = seededContent('bench', 64 << 20);
for (const name of ['buzhash', 'rabin', 'rabin-65536', 'rabin-16-1000-30000'])
  for (let round = 0; round < 3; round++) {
    const chunker = parseChunker(name);
    if (!chunker.ok) throw new Error(chunker.fault.message);
    const start = performance.now();
    let count = 0;
    for (let at = 0; at < content.length; count++) at = chunker.value.cut(content, at, content.length);
    const rate = content.length / 2 ** 20 / ((performance.now() - start) / 1000);
    stdout.write(`${name.padEnd(22)} ${rate.toFixed(0).padStart(5)} MiB/s, ${count} chunks\n`);
  }
