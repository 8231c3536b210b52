import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import type { HashRange, HashRequest } from '../wire/hash-messages.ts';
import type { TorrentFile } from '../wire/torrent-info.ts';
import { type HashEffect, HashExchange, hashExchangeLimits } from './hash-exchange.ts';
import { HashTreeModel, joined } from './hash-tree.model.ts';
import { HashTree } from './hash-tree.ts';

const digest = (name: string, bytes: Uint8Array) => new Uint8Array(createHash(name).update(bytes).digest());
const hashes = { sha1: (b: Uint8Array) => digest('sha1', b), sha256: (b: Uint8Array) => digest('sha256', b) };

type Behaviour = 'honest' | 'silent' | 'rejecting' | 'lying' | 'no-leaves';

/** An exchange for a torrent of files with so many blocks, and its peers, in virtual time. */
class World {
  readonly model: HashTreeModel;
  readonly tree: HashTree;
  readonly exchange: HashExchange;
  readonly effects: HashEffect[] = [];
  readonly requests: { peer: number; request: HashRequest }[] = [];
  readonly behaviours = new Map<number, Behaviour>();
  readonly poor = new Set<number>();
  nowMs = 0;
  #inbox: { atMs: number; peer: number; request: HashRequest }[] = [];

  constructor(blockCounts: readonly number[], blocksPerPiece: number) {
    const prng = new Prng(7);
    let piece = 0;
    const files = blockCounts.map((count) => {
      const file = { firstPiece: piece, leaves: Array.from({ length: count }, () => prng.bytes(32)) };
      piece += Math.ceil(count / blocksPerPiece);
      return file;
    });
    this.model = new HashTreeModel(hashes, files, blocksPerPiece, 1 << 20);
    const torrentFiles = this.model.trees.map(
      (tree, index): TorrentFile => ({
        ...{ index, path: `${index}`, pad: false, executable: false, hidden: false, symlink: null },
        bytes: tree.blockCount * 16384,
        offset: tree.firstPiece * blocksPerPiece * 16384,
        piecesRoot: tree.rows.at(-1)![0]!,
      }),
    );
    this.tree = new HashTree(hashes, { pieceBytes: blocksPerPiece * 16384, files: torrentFiles });
    this.exchange = new HashExchange(this.tree, { hasAnyOf: (peer) => !this.poor.has(peer) });
  }

  add(peer: number, behaviour: Behaviour): void {
    this.behaviours.set(peer, behaviour);
    this.exchange.addPeer(peer, this.nowMs);
    this.settle();
  }

  settle(): void {
    const drained: HashEffect[] = [];
    this.exchange.drain(drained);
    for (const effect of drained) {
      if (effect.type !== 'request') {
        this.effects.push(effect);
        continue;
      }
      this.requests.push(effect);
      this.#inbox.push({ ...effect, atMs: this.nowMs + 50 });
    }
  }

  run(untilMs: number): void {
    while (this.nowMs < untilMs) {
      const timeoutMs = this.exchange.nextTimeoutMs() ?? Number.POSITIVE_INFINITY;
      const next = this.#inbox[0];
      this.nowMs = Math.min(next?.atMs ?? Number.POSITIVE_INFINITY, timeoutMs, untilMs);
      if (next !== undefined && next.atMs <= this.nowMs) {
        this.#inbox.shift();
        this.#answer(next.peer, next.request);
      } else this.exchange.handleTimeout(this.nowMs);
      this.settle();
    }
  }

  #answer(peer: number, request: HashRequest): void {
    const behaviour = this.behaviours.get(peer);
    const truth = this.model.truthOf(request);
    assert.ok(truth !== null, 'we ask for what exists');
    if (behaviour === 'honest' || (behaviour === 'no-leaves' && request.baseLayer > 0))
      this.exchange.handleHashes(peer, truth, this.nowMs);
    if (behaviour === 'rejecting' || (behaviour === 'no-leaves' && request.baseLayer === 0))
      this.exchange.handleReject(peer, request, this.nowMs);
    if (behaviour === 'lying') this.exchange.handleHashes(peer, damaged(truth), this.nowMs);
  }

  effectsOf<Type extends HashEffect['type']>(type: Type): Extract<HashEffect, { type: Type }>[] {
    return this.effects.filter((e): e is Extract<HashEffect, { type: Type }> => e.type === type);
  }
}

function damaged(range: HashRange): HashRange {
  const copy = range.hashes.slice();
  copy[5]! ^= 1;
  return { ...range, hashes: copy };
}

test('a magnet: all piece layers come, in chunks of 512, none of a single hash', () => {
  const world = new World([513 * 2, 3, 2, 1, 2000], 2);
  world.add(1, 'honest');
  world.run(10_000);
  assert.ok(world.tree.isComplete);
  assert.deepEqual(
    world.effectsOf('pieceLayerKnown').map(({ file }) => file),
    [0, 1, 4],
  );
  const shapes = world.requests.map(({ request }) => [request.index, request.length, request.proofLayers]);
  assert.deepEqual(shapes.slice(0, 3), [
    [0, 512, 9],
    [512, 2, 9],
    [0, 2, 0],
  ]);
  assert.equal(world.requests.length, 5);
  const rootCount = world.effectsOf('rootsKnown').reduce((sum, { pieceCount }) => sum + pieceCount, 0);
  assert.equal(rootCount, 513 + 2 + 1000);
  assert.equal(world.exchange.nextTimeoutMs(), null);
});

test('nothing is asked for when the torrent file brought the layers, or has none', () => {
  const world = new World([1, 2], 4);
  world.add(1, 'honest');
  assert.ok(world.tree.isComplete);
  assert.equal(world.requests.length, 0);
  assert.equal(world.exchange.nextTimeoutMs(), null);
});

test('liars are named at once and not asked again; others are asked instead', () => {
  const world = new World([5000], 2);
  for (let peer = 1; peer <= 3; peer++) world.add(peer, 'lying');
  world.add(4, 'honest');
  world.run(10_000);
  assert.ok(world.tree.isComplete);
  assert.deepEqual(
    world.effectsOf('blame').map(({ peer, fault }) => [peer, fault.code]),
    [1, 2, 3].map((peer) => [peer, 'BITTORRENT_HASHES_FALSE']),
  );
});

test('silent and refusing peers rest; whoever has no piece of the range is not asked', () => {
  const world = new World([5000], 2);
  world.poor.add(3);
  world.add(1, 'silent');
  world.add(2, 'rejecting');
  world.add(3, 'honest');
  world.run(60_000);
  assert.equal(world.tree.isComplete, false);
  assert.ok(!world.requests.some(({ peer }) => peer === 3));
  const refusedCount = world.requests.filter(({ peer }) => peer === 2).length;
  assert.ok(refusedCount <= 15, `${refusedCount}`);
  assert.ok(world.requests.filter(({ peer }) => peer === 1).length <= 8);
  world.poor.delete(3);
  world.exchange.handlePieces(3, world.nowMs);
  world.settle();
  world.run(120_000);
  assert.ok(world.tree.isComplete);
  assert.deepEqual(world.effectsOf('blame'), []);
});

test('the bad blocks of a failed piece are found', () => {
  const world = new World([3000], 1024);
  world.add(1, 'honest');
  world.run(1_000);
  for (const [piece, bad] of [
    [0, [0, 513, 1023]],
    [2, [951]],
    [1, []],
  ] as const) {
    const leaves = joined(world.model.leavesOf(piece));
    for (const block of bad) leaves[block * 32]! ^= 1;
    assert.ok(world.exchange.handleFailedPiece(piece, leaves, world.nowMs));
    assert.equal(world.exchange.handleFailedPiece(piece, leaves, world.nowMs), false, 'already looked into');
    world.settle();
    world.run(world.nowMs + 1_000);
    assert.deepEqual(world.effectsOf('badBlocks').at(-1), { type: 'badBlocks', piece, blocks: [...bad] });
    assert.deepEqual(world.tree.leavesOf(piece), joined(world.model.leavesOf(piece)), 'the truth is kept');
  }
  assert.ok(world.requests.every(({ request }) => request.length <= 512));
});

test('a piece of one block needs no questions', () => {
  const world = new World([3], 1);
  world.add(1, 'honest');
  world.run(1_000);
  assert.ok(world.exchange.handleFailedPiece(1, new Uint8Array(32), world.nowMs));
  world.settle();
  assert.deepEqual(world.effectsOf('badBlocks'), [{ type: 'badBlocks', piece: 1, blocks: [0] }]);
});

test('when nobody has the leaves, or nobody answers, that is said', () => {
  const world = new World([8], 4);
  world.add(1, 'no-leaves');
  world.add(2, 'no-leaves');
  world.run(1_000);
  assert.ok(world.exchange.handleFailedPiece(0, new Uint8Array(128), world.nowMs));
  world.settle();
  world.run(2_000);
  assert.deepEqual(world.effectsOf('blocksUnknown'), [{ type: 'blocksUnknown', piece: 0 }]);
  world.add(3, 'silent');
  assert.ok(world.exchange.handleFailedPiece(1, new Uint8Array(128), world.nowMs));
  world.settle();
  world.run(2_000 + hashExchangeLimits.leavesMs + 2_000);
  assert.deepEqual(world.effectsOf('blocksUnknown').at(-1), { type: 'blocksUnknown', piece: 1 });
  assert.equal(world.exchange.nextTimeoutMs(), null);
});

test('a liar about leaves is named, and a late or unasked answer harms nobody', () => {
  const world = new World([8], 4);
  world.add(1, 'honest');
  world.run(1_000);
  world.behaviours.set(1, 'lying');
  const leaves = joined(world.model.leavesOf(1));
  leaves[64]! ^= 1;
  assert.ok(world.exchange.handleFailedPiece(1, leaves, world.nowMs));
  world.settle();
  world.run(2_000);
  assert.deepEqual(world.effectsOf('blame').at(-1)?.fault.code, 'BITTORRENT_HASHES_FALSE');
  assert.deepEqual(world.effectsOf('blocksUnknown'), [{ type: 'blocksUnknown', piece: 1 }]);
  world.add(2, 'honest');
  const [request] = world.tree.leafRequestsOf(1);
  world.exchange.handleHashes(2, world.model.truthOf(request!)!, world.nowMs);
  world.settle();
  assert.deepEqual(world.effectsOf('blame').at(-1)?.fault.code, 'BITTORRENT_HASHES_UNASKED');
  world.exchange.handleReject(2, request!, world.nowMs);
  world.exchange.handleReject(99, request!, world.nowMs);
});

test('serving: what is known, within a budget, and leaves after they were given', () => {
  const world = new World([2048], 4);
  world.add(1, 'honest');
  world.run(2_000);
  const request = world.requests[0]!.request;
  assert.deepEqual(world.exchange.handleRequest(1, request, world.nowMs), {
    type: 'hashes',
    range: world.model.truthOf(request)!,
  });
  const [leafRequest] = world.tree.leafRequestsOf(3);
  assert.deepEqual(world.exchange.handleRequest(1, leafRequest!, world.nowMs), { type: 'leaves', piece: 3 });
  world.tree.setLeaves(3, joined(world.model.leavesOf(3)));
  assert.equal(world.exchange.handleRequest(1, leafRequest!, world.nowMs)?.type, 'hashes');
  assert.equal(world.exchange.handleRequest(2, request, world.nowMs), null, 'not a v2 peer');
  let servedCount = 0;
  for (let i = 0; i < 10_000; i++)
    if (world.exchange.handleRequest(1, request, world.nowMs) !== null) servedCount++;
  assert.ok(servedCount > 50 && servedCount <= hashExchangeLimits.serveBurst / 512, `${servedCount}`);
  assert.notEqual(world.exchange.handleRequest(1, request, world.nowMs + 1_000), null);
});
