/**
 * What the block store takes and gives: blocks of one size put in batches, looked up, read in random order, and the
 * store opened again; with the memory that it takes. Hashes are made before the clock starts.
 * Run: node packages/ipfs/src/shell/block-store.bench.ts [COUNT] [BYTES]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, memoryUsage, stdout } from 'node:process';
import { silentLog } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';
import { IpfsRepository } from '../repository.ts';
import type { Block } from './blocks.ts';

const count = Number(argv[2] ?? 100_000);
const bytes = Number(argv[3] ?? 1024);
const batchCount = Math.max(1, Math.min(1000, Math.floor(4_000_000 / bytes)));
const ports = createRuntimePorts({ log: silentLog });
const folder = mkdtempSync(join(tmpdir(), 'tequio-blocks-'));
const digests = new Uint8Array(32 * count);
const payload = new Uint8Array(bytes);
const view = new DataView(payload.buffer);

function blockOf(index: number): Block {
  const own = payload.slice();
  new DataView(own.buffer).setUint32(0, index);
  return { cid: cidOf(index), bytes: own };
}

function cidOf(index: number): CID {
  return CID.createV1(0x55, createDigest(0x12, digests.subarray(32 * index, 32 * index + 32)));
}

function tell(what: string, done: number, startMs: number): void {
  const seconds = (performance.now() - startMs) / 1000;
  const megabytes = ((done * bytes) / seconds / 1e6).toFixed(1);
  stdout.write(
    `${what}: ${Math.round(done / seconds)} blocks/s, ${megabytes} MB/s (${seconds.toFixed(2)} s)\n`,
  );
}

for (let i = 0; i < count; i++) {
  view.setUint32(0, i);
  digests.set(ports.hashes.sha256(payload), 32 * i);
}
const options = { folder, quotaBytes: null, bootId: null };
const emptyMs = performance.now();
let repository = await IpfsRepository.open(options, ports);
stdout.write(`open, empty: ${(performance.now() - emptyMs).toFixed(1)} ms\n`);
const rssBefore = memoryUsage.rss();
let startMs = performance.now();
for (let from = 0; from < count; from += batchCount) {
  const size = Math.min(batchCount, count - from);
  await repository.blocks.put(Array.from({ length: size }, (_, i) => blockOf(from + i)));
}
tell('put', count, startMs);
await repository.close();
startMs = performance.now();
repository = await IpfsRepository.open(options, ports);
stdout.write(`open, ${count} blocks: ${(performance.now() - startMs).toFixed(1)} ms\n`);
const readCount = Math.min(count, 100_000);
startMs = performance.now();
for (let i = 0; i < readCount; i++) await repository.blocks.has(cidOf((i * 7919) % count));
tell('has', readCount, startMs);
startMs = performance.now();
for (let i = 0; i < readCount; i += 64)
  await Promise.all(
    Array.from({ length: 64 }, (_, j) => repository.blocks.get(cidOf(((i + j) * 7919) % count))),
  );
tell('get, 64 at once', readCount, startMs);
globalThis.gc?.();
const rss = memoryUsage.rss();
stdout.write(
  `memory: ${(rss / 1e6).toFixed(0)} MB, ${((rss - rssBefore) / 1e6).toFixed(0)} MB more than empty\n`,
);
await repository.close();
await ports.close();
rmSync(folder, { recursive: true });
