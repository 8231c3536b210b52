import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BlockRange, messageId } from '../wire/peer-message.ts';
import { makeTorrent } from './made-torrent.fixture.ts';
import {
  type FakeOptions,
  FakePeer,
  type NodeOptions,
  settle,
  TestNode,
  TorrentWorld,
} from './torrent-world.fixture.ts';
import type { RateGate } from './uploader.ts';
import { uploadLimits } from './uploader.ts';

const KiB = 1024;
const made = makeTorrent('v1', 512 * KiB, [4_000_001]);
const { info } = made.metainfo;
const block = 16 * KiB;

/** A seed, and peers that it has unchoked. */
function setUp(
  count = 1,
  options: Partial<NodeOptions> = {},
  peerOptions: FakeOptions = {},
): { world: TorrentWorld; seed: TestNode; peers: FakePeer[] } {
  const world = new TorrentWorld();
  const seed = new TestNode(world, made, { has: 'all', ...options });
  const peers = Array.from({ length: count }, () => new FakePeer(seed, peerOptions));
  for (const peer of peers) peer.say((w) => w.writeEmpty(messageId.interested));
  world.run(50);
  for (const peer of peers) assert.equal(peer.heardOf('unchoke').length, 1);
  return { world, seed, peers };
}

const ask = (peer: FakePeer, ranges: readonly BlockRange[]): void =>
  peer.say((w) => {
    for (const { piece, offset, bytes } of ranges) w.writeRange(messageId.request, piece, offset, bytes);
  });

function assertServed(peer: FakePeer, ranges: readonly BlockRange[]): void {
  assert.deepEqual(
    peer.blocks.map(({ piece, offset, data }) => ({ piece, offset, bytes: data.length })),
    ranges,
  );
  for (const { piece, offset, data } of peer.blocks) {
    const start = piece * info.pieceBytes + offset;
    assert.equal(Buffer.compare(data, made.content.subarray(start, start + data.length)), 0);
  }
}

test('requests are served in their order with the right bytes, across extents and at the odd end', () => {
  const { world, seed, peers } = setUp();
  const last = info.pieceCount - 1;
  const lastBytes = info.totalBytes - last * info.pieceBytes;
  const ranges = [
    { piece: 3, offset: 0, bytes: block },
    { piece: 0, offset: 256 * KiB - 5000, bytes: block },
    { piece: 3, offset: block, bytes: 128 * KiB },
    { piece: last, offset: lastBytes - 1, bytes: 1 },
    { piece: 1, offset: 200 * KiB, bytes: 128 * KiB },
    { piece: last, offset: 0, bytes: block },
  ];
  ask(peers[0]!, ranges);
  world.run(200);
  assertServed(peers[0]!, ranges);
  const sum = ranges.reduce((bytes, range) => bytes + range.bytes, 0);
  assert.equal(seed.torrent.up.totalBytes, sum);
  assert.ok(seed.disk.loadedBytes <= 7 * 256 * KiB, 'one read serves many requests');
  settle(world);
});

test('many peers that ask for the same cost one read', () => {
  const { world, seed, peers } = setUp(4);
  const ranges = Array.from({ length: 32 }, (_, at) => ({ piece: 2, offset: at * block, bytes: block }));
  for (const peer of peers) ask(peer, ranges);
  world.run(2000);
  for (const peer of peers) assertServed(peer, ranges);
  assert.equal(seed.disk.loadedBytes, 512 * KiB);
  settle(world);
});

test('a cancelled request is not served, and answered by a reject', () => {
  const { world, seed, peers } = setUp();
  const [peer] = peers;
  seed.diskDelayMs = 50;
  ask(peer!, [
    { piece: 0, offset: 0, bytes: block },
    { piece: 1, offset: 0, bytes: block },
    { piece: 1, offset: block, bytes: block },
  ]);
  peer!.say((w) => w.writeRange(messageId.cancel, 1, 0, block));
  peer!.say((w) => w.writeRange(messageId.cancel, 7, 0, block));
  world.run(300);
  assert.deepEqual(
    peer!.blocks.map(({ piece, offset }) => [piece, offset]),
    [
      [0, 0],
      [1, block],
    ],
  );
  assert.deepEqual(peer!.heardOf('reject'), [{ type: 'reject', piece: 1, offset: 0, bytes: block }]);
  settle(world);
});

test('a choked peer is served the pieces that it was allowed; the others are rejected, or passed over without BEP 6', () => {
  for (const fast of [true, false]) {
    const world = new TorrentWorld();
    const seed = new TestNode(world, made, { has: 'all' });
    const peer = new FakePeer(seed, { fast });
    world.run(10);
    const allowed = peer.heardOf('allowed-fast').map(({ piece }) => piece);
    assert.equal(allowed.length > 0, fast);
    const pieces = Array.from({ length: info.pieceCount }, (_, piece) => piece);
    ask(
      peer,
      pieces.map((piece) => ({ piece, offset: 0, bytes: block })),
    );
    world.run(100);
    const numbers = (list: readonly { readonly piece: number }[]) => list.map(({ piece }) => piece).sort();
    assert.deepEqual(numbers(peer.blocks), allowed.sort());
    const others = pieces.filter((piece) => !allowed.includes(piece));
    assert.deepEqual(numbers(peer.heardOf('reject')), fast ? others : []);
    settle(world);
  }
});

test('a choke rejects what waits, and what was read for it is given back', () => {
  const { world, seed, peers } = setUp();
  const [peer] = peers;
  seed.diskDelayMs = 1000;
  const ranges = Array.from({ length: 20 }, (_, at) => ({ piece: 2, offset: at * block, bytes: block }));
  ask(peer!, ranges);
  peer!.say((w) => w.writeEmpty(messageId.notInterested));
  world.run(15_000);
  assert.equal(peer!.heardOf('choke').length, 1);
  assert.equal(peer!.heardOf('reject').length + peer!.blocks.length, 20, 'each request is answered once');
  settle(world);
});

test('more requests than anybody needs are rejected, and memory stays bounded', () => {
  const { world, seed, peers } = setUp(1, { cacheBytesMax: 512 * KiB });
  const [peer] = peers;
  seed.diskDelayMs = 500;
  const asked = uploadLimits.requestCountMax + 500;
  const ranges = Array.from({ length: asked }, (_, at) => ({
    piece: at % 7,
    offset: (at % 32) * block,
    bytes: block,
  }));
  ask(peer!, ranges);
  assert.ok(seed.cache.usedBytes <= 1024 * KiB);
  world.run(100);
  assert.equal(peer!.heardOf('reject').length, 500);
  settle(world);
});

test('a piece that cannot be read is rejected, and disk trouble reported; the peer stays', () => {
  const { world, seed, peers } = setUp();
  const [peer] = peers;
  seed.disk.failing = 'missing';
  ask(peer!, [{ piece: 0, offset: 0, bytes: block }]);
  world.run(100);
  assert.equal(peer!.heardOf('reject').length, 1);
  assert.equal(seed.factsOf('disk-trouble')[0]?.fault?.code, 'missing');
  assert.equal(peer!.verdict, undefined);
  seed.disk.failing = null;
  seed.act((torrent, nowMs) => torrent.handleDiskRecovered(nowMs));
  ask(peer!, [{ piece: 0, offset: 0, bytes: block }]);
  world.run(100);
  assertServed(peer!, [{ piece: 0, offset: 0, bytes: block }]);
  settle(world);
});

test('pieces in doubt are not served, and what was read of them is not served afterwards', () => {
  const { world, seed, peers } = setUp();
  const [peer] = peers;
  const range = { piece: 0, offset: 0, bytes: block };
  seed.disk.bytes.fill(0, 0, 1000);
  ask(peer!, [range]);
  world.run(100);
  assert.equal(peer!.blocks.length, 1, 'nobody can know yet');
  seed.disk.bytes.set(made.content.subarray(0, 1000));
  seed.diskDelayMs = 100;
  seed.act((torrent) => torrent.content!.doubt([0]));
  ask(peer!, [range]);
  world.run(10);
  assert.equal(peer!.heardOf('reject').length, 1);
  world.run(1000);
  ask(peer!, [range]);
  world.run(1000);
  assert.equal(Buffer.compare(peer!.blocks[1]!.data, made.content.subarray(0, block)), 0);
  settle(world);
});

/** So many bytes a second, a block's debt allowed. */
function gateOf(bytesPerMs: number): RateGate {
  let readyMs = 0;
  return {
    tryTake: (bytes, nowMs) => {
      if (nowMs < readyMs) return false;
      readyMs = Math.max(readyMs, nowMs - 20) + bytes / bytesPerMs;
      return true;
    },
    readyAtMs: () => readyMs,
  };
}

test('a narrow gate is kept to and shared by turns', () => {
  const { world, peers } = setUp(4, { gate: gateOf(100) });
  const ranges = Array.from({ length: 224 }, (_, at) => ({
    piece: Math.floor(at / 32),
    offset: (at % 32) * block,
    bytes: block,
  }));
  for (const peer of peers) ask(peer, ranges);
  world.run(10_000);
  const counts = peers.map((peer) => peer.blocks.length);
  const bytes = counts.reduce((sum, count) => sum + count * block, 0);
  assert.ok(bytes > 900_000 && bytes < 1_100_000, `${bytes} bytes in 10 s at 100 kB/s`);
  assert.ok(Math.max(...counts) - Math.min(...counts) <= 2, `${counts} blocks`);
  settle(world);
});
