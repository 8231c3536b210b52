/**
 * `node packages/ipfs/src/shell/unixfs-import.bench.ts FILE`: how fast a file of the disk is cut and hashed on the
 * disk's threads; nothing is stored.
 */
import { basename, dirname, resolve } from 'node:path';
import { argv, stdout } from 'node:process';
import { createRuntimePorts } from '@tequio/runtime';
import { parseChunker } from '../core/chunker.ts';
import { type ImportProfile, profiles } from '../core/profile.ts';
import { importFile } from './unixfs-import.ts';

const path = resolve(argv[2]!);
const ref = { root: dirname(path), path: basename(path) };
const nowhere = { put: async (): Promise<void> => undefined };
const buzhash = parseChunker('buzhash');
const cases: [string, ImportProfile][] = [
  ['v1', profiles['unixfs-v1-2025']],
  ['v0', profiles['unixfs-v0-2015']],
];
if (buzhash.ok) cases.push(['v1, buzhash', { ...profiles['unixfs-v1-2025'], chunker: buzhash.value }]);
for (const [name, profile] of cases)
  for (let round = 0; round < 3; round++) {
    const ports = createRuntimePorts();
    const deps = { hashes: ports.hashes, disk: ports.disk, blocks: nowhere };
    const start = performance.now();
    const { cid, fileBytes } = await importFile(deps, profile, ref);
    const rate = fileBytes / 2 ** 20 / ((performance.now() - start) / 1000);
    stdout.write(`${name.padEnd(12)} ${rate.toFixed(0).padStart(5)} MiB/s  ${cid}\n`);
    await ports.close();
  }
