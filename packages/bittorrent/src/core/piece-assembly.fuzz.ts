import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { blockBytes } from '../wire/torrent-info.ts';
import { type MadeTorrent, makeOddTorrent, makeTorrent, nodeHashes } from './made-torrent.fixture.ts';
import { AssemblyBench } from './piece-assembly.fixture.ts';
import type { PieceOutcome } from './piece-assembly.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 120);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);
const MiB = 1 << 20;

/** What a piece was given since it was begun. */
type Model = { readonly blocks: Map<number, Uint8Array> };

const torrents: MadeTorrent[] = [
  makeTorrent('v1', 32 * 1024, [200_000]),
  makeTorrent('v2', 32 * 1024, [50_000, 3, 90_000]),
  makeTorrent('hybrid', 32 * 1024, [50_000, 3, 90_000]),
  makeTorrent('v1', 2 * MiB, [3 * MiB + 5]),
  makeTorrent('hybrid', 2 * MiB, [100_000, 1.5 * MiB, 2_300_000]),
  makeTorrent('v2', 2 * MiB, [100_000, 1.5 * MiB]),
  makeOddTorrent(1_100_000, 1_700_000),
];

class Run {
  readonly prng: Prng;
  readonly bench: AssemblyBench;
  readonly models = new Map<number, Model>();
  readonly done = new Set<number>();

  constructor(seed: number) {
    this.prng = new Prng(seed);
    this.bench = new AssemblyBench(this.prng.pick(torrents));
  }

  step(): void {
    const { prng, bench } = this;
    const { disk } = bench;
    const action = prng.below(100);
    if (action < 60) this.#receive();
    else if (action < 88 && disk.waiting.length > 0)
      this.#check(bench.runJob(prng.below(disk.waiting.length)));
    else if (action < 90) disk.failing = disk.failing === null && prng.chance(0.5) ? 'io' : null;
    else if (action < 94 && disk.failing === null) bench.retry();
    else if (action < 95) this.#drop();
    else if (action < 97) bench.watched.add(prng.below(bench.made.metainfo.info.pieceCount));
  }

  finish(): void {
    const { bench } = this;
    bench.disk.failing = null;
    for (let round = 0; round < 20 && (bench.disk.waiting.length > 0 || bench.assembly.hasStuck); round++) {
      bench.retry();
      while (bench.disk.waiting.length > 0)
        this.#check(bench.runJob(this.prng.below(bench.disk.waiting.length)));
    }
    for (const piece of this.models.keys()) bench.assembly.drop(piece);
    bench.runAll();
    bench.assertBalanced();
    assert.equal(bench.assembly.openCount, 0);
  }

  /** A run of blocks in order, or one at random, now and then wrong. */
  #receive(): void {
    const { prng, bench } = this;
    const piece = prng.below(bench.made.metainfo.info.pieceCount);
    if (this.done.has(piece)) return;
    let model = this.models.get(piece);
    if (model === undefined) this.models.set(piece, (model = { blocks: new Map() }));
    const blockCount = bench.layout.fetchedBlockCountOf(piece);
    for (let count = prng.between(1, 40), block = prng.below(blockCount); count > 0; count--, block++) {
      if (block >= blockCount) block = 0;
      if (model.blocks.has(block)) continue;
      const data = bench.blockOf(piece, block);
      if (prng.chance(0.004)) data[prng.below(data.length)]! ^= 1;
      model.blocks.set(block, data.slice());
      bench.receive(piece, block, data);
    }
  }

  #drop(): void {
    const [piece, model] = [...this.models][this.prng.below(Math.max(1, this.models.size))] ?? [];
    if (piece === undefined || model!.blocks.size === this.bench.layout.fetchedBlockCountOf(piece)) return;
    this.models.delete(piece);
    this.bench.assembly.drop(piece);
  }

  #check(outcome: PieceOutcome | null): void {
    if (outcome === null) return;
    const { bench } = this;
    const { piece, matched, needsCheck, sha1Blocks } = outcome;
    const model = this.models.get(piece)!;
    assert.equal(model.blocks.size, bench.layout.fetchedBlockCountOf(piece), 'all blocks had come');
    // Wrong padding does not matter: it is zeros whatever came.
    const dataBytes = bench.layout.dataBytesOf(piece);
    for (const [block, data] of model.blocks) {
      data.fill(0, Math.min(data.length, Math.max(0, dataBytes - block * blockBytes)));
    }
    const isGood = [...model.blocks].every(
      ([block, data]) => Buffer.compare(data, bench.blockOf(piece, block)) === 0,
    );
    assert.equal(outcome.inconsistent && !needsCheck, false);
    assert.equal(bench.assembly.isOpen(piece), false);
    if (!needsCheck) assert.equal(matched, isGood, `piece ${piece}`);
    if (matched && !needsCheck) assert.ok(bench.isStored(piece), `piece ${piece} is on disk`);
    if (sha1Blocks !== null) {
      for (const [block, data] of model.blocks) {
        assert.deepEqual(sha1Blocks.subarray(20 * block, 20 * block + 20), nodeHashes.sha1(data));
      }
    }
    this.models.delete(piece);
    if (matched && !needsCheck) this.done.add(piece);
  }
}

test('under any order of blocks, results, faults and drops: right verdicts, right bytes, all memory back', () => {
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    try {
      const run = new Run(seed);
      for (let step = 0; step < 150; step++) run.step();
      run.finish();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
