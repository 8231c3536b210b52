import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import {
  type MadeTorrent,
  makeOddTorrent,
  makeTorrent,
  nodeHashes,
  withWrongSha1,
} from './made-torrent.fixture.ts';
import { AssemblyBench } from './piece-assembly.fixture.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

const torrents: readonly (readonly [string, () => MadeTorrent])[] = [
  ['v1, 16 KiB pieces, odd end', () => makeTorrent('v1', 16 * KiB, [100_001])],
  [
    'v1, 256 KiB pieces, files across pieces',
    () => makeTorrent('v1', 256 * KiB, [300_000, 1, 70_000, 600_000]),
  ],
  ['v1, 4 MiB pieces, end within an extent', () => makeTorrent('v1', 4 * MiB, [5 * MiB + 12_345])],
  ['v1, pieces of 1.5 MiB', () => makeOddTorrent(1536 * KiB, 3 * MiB + 7)],
  ['v1, pieces of 20,000 bytes', () => makeOddTorrent(20_000, 90_001)],
  ['v1, pieces of 1,100,000 bytes', () => makeOddTorrent(1_100_000, 2_500_000)],
  ['v2, 16 KiB pieces', () => makeTorrent('v2', 16 * KiB, [40_000, 5, 16_384])],
  ['v2, 64 KiB pieces, small files', () => makeTorrent('v2', 64 * KiB, [10, 20_000, 49_153, 200_000])],
  [
    'v2, 4 MiB pieces, small and large files',
    () => makeTorrent('v2', 4 * MiB, [100_000, 1_300_000, 5_300_000]),
  ],
  ['v2, 4 MiB pieces, one extent at the end', () => makeTorrent('v2', 4 * MiB, [4.5 * MiB, 8 * MiB + 1])],
  ['hybrid, 4 MiB pieces, one extent at the end', () => makeTorrent('hybrid', 4 * MiB, [4.5 * MiB])],
  ['hybrid, 64 KiB pieces', () => makeTorrent('hybrid', 64 * KiB, [10, 20_000, 65_536, 150_000])],
  [
    'hybrid, 4 MiB pieces, small files',
    () => makeTorrent('hybrid', 4 * MiB, [100_000, 1_300_000, 2_500_000, 50]),
  ],
  ['hybrid, 2 MiB pieces, one file', () => makeTorrent('hybrid', 2 * MiB, [3 * MiB + 1])],
];

for (const [name, make] of torrents) {
  test(`pieces come together in any order of blocks: ${name}`, () => {
    const bench = new AssemblyBench(make());
    const prng = new Prng(3);
    const { pieceCount } = bench.made.metainfo.info;
    for (let piece = 0; piece < pieceCount; piece++) {
      bench.receiveAll(piece, (blocks) => prng.shuffle(blocks));
      bench.runAll();
    }
    for (const { piece, matched, needsCheck, inconsistent, leaves } of bench.outcomes) {
      assert.ok(matched && !needsCheck && !inconsistent, `piece ${piece}`);
      if (bench.made.metainfo.info.infoHashV2 === null) assert.equal(leaves, null);
      else assert.ok((leaves?.length ?? 0) > 0);
    }
    assert.deepEqual(
      bench.outcomes.map(({ piece }) => piece),
      Array.from({ length: pieceCount }, (_, piece) => piece),
    );
    for (let piece = 0; piece < pieceCount; piece++) assert.ok(bench.isStored(piece), `piece ${piece}`);
    bench.assertBalanced();
  });
}

test('a wrong piece of one extent is not written, and each block is hashed apart', () => {
  const bench = new AssemblyBench(makeTorrent('v1', 64 * KiB, [128 * KiB]));
  const bad = bench.blockOf(1, 2);
  bad[77]! ^= 1;
  for (const block of [0, 1, 3]) bench.receive(1, block);
  bench.receive(1, 2, bad);
  bench.runAll();
  const [outcome] = bench.outcomes;
  assert.equal(outcome?.matched, false);
  assert.equal(bench.disk.storedBytes, 0);
  for (const block of [0, 1, 2, 3]) {
    const expected = nodeHashes.sha1(block === 2 ? bad : bench.blockOf(1, block));
    assert.deepEqual(outcome?.sha1Blocks?.subarray(20 * block, 20 * block + 20), expected);
  }
  bench.assertBalanced();
  bench.watched.add(1);
  bench.receiveAll(1);
  bench.runAll();
  assert.equal(bench.outcomes[1]?.matched, true);
  assert.equal(
    bench.outcomes[1]?.sha1Blocks?.length,
    80,
    'a watched piece has its blocks hashed when it passes too',
  );
});

test('a wrong piece of many extents has been written and counts for nothing', () => {
  for (const version of ['v1', 'v2', 'hybrid'] as const) {
    const bench = new AssemblyBench(makeTorrent(version, 2 * MiB, [2 * MiB]));
    const bad = bench.blockOf(0, 100);
    bad[0]! ^= 1;
    for (let block = 0; block < 128; block++)
      bench.receive(0, block, block === 100 ? bad : bench.blockOf(0, block));
    bench.runAll();
    assert.equal(bench.outcomes[0]?.matched, false, version);
    assert.equal(bench.outcomes[0]?.inconsistent, false, version);
    bench.assertBalanced();
    bench.receiveAll(0);
    bench.runAll();
    assert.equal(bench.outcomes[1]?.matched, true, version);
    assert.ok(bench.isStored(0));
  }
});

test('a hybrid whose hashes disagree is told apart from a wrong piece', () => {
  for (const pieceBytes of [64 * KiB, 2 * MiB]) {
    const bench = new AssemblyBench(withWrongSha1(makeTorrent('hybrid', pieceBytes, [2 * pieceBytes]), [1]));
    bench.receiveAll(0);
    bench.receiveAll(1);
    bench.runAll();
    const outcome = (piece: number) => bench.outcomes.find((one) => one.piece === piece);
    assert.deepEqual([outcome(0)?.matched, outcome(0)?.inconsistent], [true, false]);
    assert.deepEqual([outcome(1)?.matched, outcome(1)?.inconsistent], [false, true]);
  }
});

test('what the disk could not store is kept and stored later; a broken stream asks for a look at the disk', () => {
  for (const [pieceBytes, needsCheck] of [
    [256 * KiB, false],
    [4 * MiB, true],
  ] as const) {
    const bench = new AssemblyBench(makeTorrent('v1', pieceBytes, [pieceBytes]));
    bench.disk.failing = 'full';
    bench.receiveAll(0);
    bench.runAll();
    assert.ok(bench.assembly.hasStuck);
    assert.equal(bench.faults[0]?.code, 'full');
    assert.equal(bench.memory.usedBytes, pieceBytes);
    bench.retry();
    bench.runAll();
    assert.equal(bench.outcomes.length, 0);
    bench.disk.failing = null;
    bench.retry();
    bench.runAll();
    assert.equal(bench.outcomes[0]?.needsCheck, needsCheck);
    if (!needsCheck) assert.equal(bench.outcomes[0]?.matched, true);
    assert.ok(bench.isStored(0));
    bench.assertBalanced();
  }
});

test('a dropped piece gives its memory back, what is with the disk as soon as it comes back', () => {
  const bench = new AssemblyBench(makeTorrent('v1', 4 * MiB, [4 * MiB]));
  for (let block = 0; block < 65; block++) bench.receive(0, block);
  assert.equal(bench.disk.waiting.length, 1);
  bench.assembly.drop(0);
  assert.equal(bench.memory.usedBytes, MiB, 'the extent that the disk has');
  assert.equal(bench.assembly.isOpen(0), false);
  bench.runAll();
  bench.assertBalanced();
  assert.equal(bench.outcomes.length, 0);
});

test('a piece begun anew is not believed before the writes of its dropped self are over', () => {
  const bench = new AssemblyBench(makeTorrent('v1', 2 * MiB, [2 * MiB]));
  const wrong = new Uint8Array(16384).fill(1);
  for (let block = 0; block < 64; block++) bench.receive(0, block, wrong);
  bench.assembly.drop(0);
  bench.receiveAll(0);
  assert.equal(bench.disk.waiting.length, 3);
  assert.equal(bench.runJob(1), null);
  assert.equal(bench.runJob(1), null, 'the old write may still come');
  const outcome = bench.runJob(0);
  assert.equal(outcome?.needsCheck, true, 'and has come last');
  assert.equal(bench.isStored(0), false);
  bench.assertBalanced();
});

test('closing gives everything back, and what comes back later says nothing', () => {
  const bench = new AssemblyBench(makeTorrent('v1', 2 * MiB, [8 * MiB]));
  for (let block = 0; block < 70; block++) bench.receive(0, block);
  bench.receive(1, 0);
  bench.receiveAll(2);
  bench.disk.failing = 'io';
  bench.runJob(1);
  bench.assembly.close();
  bench.disk.failing = null;
  bench.runAll();
  assert.deepEqual(bench.outcomes, []);
  bench.assertBalanced();
});

test('padding is zeros whatever a peer sends of it', () => {
  for (const version of ['v1', 'hybrid'] as const) {
    const made = makeTorrent('hybrid', 64 * KiB, [20_000, 100_000]);
    const { info } = made.metainfo;
    const files = info.files.map((file) => ({ ...file, piecesRoot: null }));
    const plain = {
      ...made.metainfo,
      info: { ...info, infoHashV2: null, files },
      pieceLayers: new Map<string, Uint8Array>(),
    };
    const bench = new AssemblyBench(version === 'v1' ? { ...made, metainfo: plain } : made);
    assert.equal(bench.layout.fetchedBlockCountOf(0), 2);
    const lie = bench.blockOf(0, 1);
    assert.equal(lie.length, 16384, 'a block that ends in padding is fetched whole');
    lie.fill(0xff, 20_000 - 16_384);
    bench.receive(0, 0);
    bench.receive(0, 1, lie);
    bench.runAll();
    assert.deepEqual([bench.outcomes[0]?.matched, bench.outcomes[0]?.inconsistent], [true, false], version);
    assert.ok(bench.isStored(0));
  }
});
