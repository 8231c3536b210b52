import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { makeTorrent } from './made-torrent.fixture.ts';
import type { Peer } from './peer.ts';
import { FakePeer, hangUp, TestNode, TorrentWorld } from './torrent-world.fixture.ts';
import { Unchoking } from './unchoking.ts';

const choked = (count: number): Peer[] => Array.from({ length: count }, () => ({ amChoking: true }) as Peer);
const served = (count: number): Peer[] => Array.from({ length: count }, () => ({ amChoking: false }) as Peer);

test('rounds out of turn are few a second, and whoever came too often waits for the next look', () => {
  const unchoking = new Unchoking({ prng: new Prng(1), slots: null }, () => {});
  unchoking.rechoke([], 1, 'seed', 0);
  let roundCount = 0;
  for (let nowMs = 0; nowMs < 10_000; nowMs++) {
    for (let again = 0; again < 10; again++) if (unchoking.tryHastyRound(choked(9), nowMs)) roundCount++;
    if (nowMs === 50) assert.equal(unchoking.isDue(99), false);
    if (nowMs === 50) assert.equal(unchoking.isDue(100), true);
  }
  assert.equal(roundCount, 40);
});

test('without a free slot there is no round, also when the user gives fewer slots', () => {
  const usual = new Unchoking({ prng: new Prng(1), slots: null }, () => {});
  assert.deepEqual(
    [3, 4].map((count) => usual.tryHastyRound([...served(count), ...choked(3)], 0)),
    [true, false],
  );
  const narrow = new Unchoking({ prng: new Prng(1), slots: 1 }, () => {});
  assert.deepEqual(
    [0, 1].map((count) => narrow.tryHastyRound([...served(count), ...choked(3)], 0)),
    [true, false],
  );
});

test('all are served at the first look when the line shows that it can carry them', () => {
  const unchoking = new Unchoking({ prng: new Prng(1), slots: null }, () => {});
  const peers = Array.from({ length: 30 }, (_, key) => waitingPeer(key, 10_000_000));
  const servedCount = (): number => peers.filter(({ amChoking }) => !amChoking).length;
  unchoking.rechoke(peers, 10, 'seed', 0);
  assert.deepEqual([servedCount(), unchoking.nextTimeoutMs()], [4, 100]);
  unchoking.rechoke(peers, 10, 'seed', 100);
  assert.deepEqual([servedCount(), unchoking.nextTimeoutMs()], [30, null]);
});

test('a slow line keeps its few slots, and is looked at ever more seldom', () => {
  const unchoking = new Unchoking({ prng: new Prng(1), slots: null }, () => {});
  const peers = Array.from({ length: 30 }, (_, key) => waitingPeer(key, 1000));
  const looksMs: number[] = [];
  for (let nowMs = 0; nowMs < 8000; nowMs = unchoking.nextTimeoutMs()!) {
    looksMs.push(nowMs);
    unchoking.rechoke(peers, 10, 'seed', nowMs);
  }
  assert.equal(peers.filter(({ amChoking }) => !amChoking).length, 4);
  assert.deepEqual(looksMs, [0, 100, 300, 700, 1500, 2500, 3500, 4500, 5500, 6500, 7500]);
});

/** Takes `rate` bytes a second as soon as it is unchoked. */
function waitingPeer(key: number, rate: number): Peer {
  const peer = {
    key,
    amChoking: true,
    interested: true,
    window: { isSnubbed: false },
    down: { bytesPerSecond: () => 0, totalBytes: 0 },
    up: { bytesPerSecond: () => (peer.amChoking ? 0 : rate) },
    uploadedSinceUnchoke: 0,
    unchokedSinceMs: null as number | null,
    connectedMs: 0,
    progressOf: () => 0.5,
    uploadOnly: false,
    markUnchoked: (nowMs: number) => {
      peer.amChoking = false;
      peer.unchokedSinceMs = nowMs;
    },
    markChoked: () => {
      peer.amChoking = true;
      peer.unchokedSinceMs = null;
    },
  };
  return peer as unknown as Peer;
}

test('the first who are interested are served at once, those who flood us are not served faster', () => {
  const made = makeTorrent('v1', 16_384, [100_000]);
  const world = new TorrentWorld();
  const node = new TestNode(world, made, { has: 'all' });
  const peers = Array.from({ length: 3 }, () => new FakePeer(node));
  world.run(10);
  for (const peer of peers) peer.say((writer) => writer.writeEmpty(2));
  world.run(10);
  assert.ok(peers.every((peer) => peer.heardOf('unchoke').length === 1));
  const flooder = new FakePeer(node);
  for (let i = 0; i < 500; i++) {
    flooder.say((writer) => writer.writeEmpty(2));
    flooder.say((writer) => writer.writeEmpty(3));
  }
  world.run(10);
  const chokes = flooder.heardOf('choke').length + flooder.heardOf('unchoke').length;
  assert.ok(chokes <= 8, `${chokes}`);
  hangUp(world);
});
