/**
 * What the disk port adds to hashing and writing: pieces of 1 MiB stored through it, against the same calls made
 * directly on this thread, in turn. A ratio below 1 is what a second thread gains; few slabs against many shows what
 * the processor's cache does. Run: node packages/runtime/src/disk.bench.ts
 */
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiskPort, FileId, Slab } from '@tequio/kernel';
import { median, sayRatio } from '@tequio/kernel/compliance/micro-bench';
import { createDisk } from './disk.ts';

const pieceBytes = 1 << 20;
const pieceCount = 128;
const rounds = 7;

function digestOf(bytes: Uint8Array): Uint8Array {
  return createHash('sha1').update(bytes).digest();
}

/** Milliseconds. */
function measureDirect(path: string, slabs: readonly Slab[], digests: readonly Uint8Array[]): number {
  const startMs = performance.now();
  const file = openSync(path, 'w');
  for (let piece = 0; piece < pieceCount; piece++) {
    const { bytes } = slabs[piece % slabs.length]!;
    if (Buffer.compare(digestOf(bytes), digests[piece % slabs.length]!) !== 0) throw new Error('wrong');
    writeSync(file, bytes, 0, pieceBytes, piece * pieceBytes);
  }
  closeSync(file);
  return performance.now() - startMs;
}

/** Milliseconds. At most as many jobs at a time as there are slabs, for each slab has one owner. */
async function measurePort(
  disk: DiskPort,
  file: FileId,
  slabs: readonly Slab[],
  digests: readonly Uint8Array[],
): Promise<number> {
  const startMs = performance.now();
  let next = 0;
  const storeOn = (index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const store = (): void => {
        if (next === pieceCount) {
          resolve();
          return;
        }
        const offset = next++ * pieceBytes;
        const expect = { sha1: digests[index]!, root: null };
        const digest = { sha1: true, merkle: null, stream: null, expect };
        const spans = [{ file, offset, bytes: pieceBytes }];
        disk.submit(
          { kind: 'store', slab: slabs[index]!, slabOffset: 0, bytes: pieceBytes, spans, digest },
          (result) => (result.ok && result.written ? store() : reject(new Error('not written'))),
        );
      };
      store();
    });
  await Promise.all(slabs.map((_, index) => storeOn(index)));
  return performance.now() - startMs;
}

async function measure(folder: string, slabCount: number): Promise<void> {
  const disk = createDisk();
  const slabs = Array.from({ length: slabCount }, () => disk.allocateSlab(pieceBytes));
  for (const slab of slabs) slab.bytes.fill(slab.id);
  const digests = slabs.map(({ bytes }) => digestOf(bytes));
  const file = disk.register({ root: folder, path: 'port' });
  const directMs: number[] = [];
  const portMs: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const direct = measureDirect(join(folder, 'direct'), slabs, digests);
    const port = await measurePort(disk, file, slabs, digests);
    // The first round makes files, threads and compiled code.
    if (round > 0) {
      directMs.push(direct);
      portMs.push(port);
    }
  }
  await disk.close();
  const ratios = portMs.map((spentMs, i) => spentMs / directMs[i]!);
  const rate = `${((pieceCount * pieceBytes) / median(portMs) / 1e3).toFixed(0)} MB/s`;
  sayRatio(`pieces stored, ${slabCount} slabs`, median(ratios), rate);
}

const folder = mkdtempSync(join(tmpdir(), 'tequio-disk-bench-'));
try {
  for (const slabCount of [4, 32]) await measure(folder, slabCount);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
