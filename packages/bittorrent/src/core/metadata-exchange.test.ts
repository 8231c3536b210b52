import assert from 'node:assert/strict';
import { test } from 'node:test';
import { honest, lying, rejecting, silent, World } from './metadata-exchange.model.ts';
import { type MetadataEffect, metadataExchangeLimits } from './metadata-exchange.ts';

test('one honest peer, every hash kind, sizes around a piece', () => {
  for (const versions of ['v1', 'v2', 'both'] as const)
    for (const bytes of [1, 16383, 16384, 16385, 100_000]) {
      const world = new World(bytes, versions);
      world.add(1, honest());
      world.run(60_000);
      assert.ok(world.doneMs !== null && world.doneMs <= 50 * Math.ceil(bytes / 16384));
      assert.deepEqual(world.blamed, []);
      assert.ok(world.requestCountAtOnceMax <= metadataExchangeLimits.requestCountMax);
      assert.equal(world.exchange.nextTimeoutMs(), null, 'nothing more to wait for');
    }
});

test('several peers share the work, each piece is asked for once', () => {
  const world = new World(640 * 1024);
  for (let peer = 1; peer <= 10; peer++) world.add(peer, honest(100));
  world.run(60_000);
  assert.equal(world.doneMs, 200);
  assert.equal(
    [...world.requestCounts.values()].reduce((a, b) => a + b),
    40,
  );
});

test('silent and rejecting peers cost time, not the result', () => {
  const world = new World(200_000);
  for (let peer = 1; peer <= 6; peer++) world.add(peer, peer % 2 === 0 ? silent : rejecting);
  world.run(9_000);
  assert.equal(world.doneMs, null);
  world.add(7, honest());
  world.run(60_000);
  assert.ok(world.doneMs !== null && world.doneMs < 20_000, `${world.doneMs}`);
  assert.deepEqual(world.blamed, []);
  const rejectCount = world.requestCounts.get(1)!;
  assert.ok(rejectCount <= 8, `a rejecting peer is asked rarely: ${rejectCount}`);
});

test('a piece that a slow peer holds up is asked of a second one', () => {
  const world = new World(16384);
  world.add(1, silent);
  world.add(2, honest());
  world.run(60_000);
  assert.ok(world.doneMs !== null && world.doneMs < 3_000, `${world.doneMs}`);
});

test('one liar among many is found although its pieces are mixed with theirs', () => {
  const world = new World(300_000);
  for (let peer = 1; peer <= 5; peer++) world.add(peer, honest(60));
  world.add(
    6,
    lying(300_000, (piece) => piece % 2 === 1),
  );
  world.run(120_000);
  assert.ok(world.doneMs !== null && world.doneMs < 5_000, `${world.doneMs}`);
  assert.deepEqual(world.blamedFor('BITTORRENT_METADATA_FALSE'), [6]);
  assert.equal(world.blamed.length, 1);
});

test('a peer that left before it was found out is blamed all the same', () => {
  const world = new World(300_000);
  world.add(
    6,
    lying(300_000, (piece) => piece < 2),
  );
  world.run(25);
  world.remove(6);
  world.add(1, honest(60));
  world.add(2, honest(60));
  world.run(120_000);
  assert.ok(world.doneMs !== null);
  assert.deepEqual(world.blamedFor('BITTORRENT_METADATA_FALSE'), [6]);
});

test('thirty quick liars of the right size against one honest peer', () => {
  const world = new World(100_000);
  for (let peer = 1; peer <= 30; peer++) world.add(peer, lying(100_000));
  world.add(31, honest(80));
  world.run(600_000);
  assert.ok(world.doneMs !== null && world.doneMs < 30_000, `${world.doneMs}`);
  const blamed = world.blamedFor('BITTORRENT_METADATA_FALSE');
  assert.ok(!blamed.includes(31));
  assert.ok(blamed.length >= 10);
});

test('a crowd with invented sizes does not keep the honest size from its turn', () => {
  const world = new World(50_000);
  for (let peer = 1; peer <= 40; peer++) {
    const size = 1_000_000 * (1 + (peer % 8));
    world.add(
      peer,
      lying(size, () => true, 5_000),
      size,
    );
  }
  world.add(41, honest(80));
  world.run(3_600_000);
  assert.ok(world.doneMs !== null && world.doneMs < 120_000, `${world.doneMs}`);
  assert.deepEqual(world.blamedFor('BITTORRENT_METADATA_SIZE').length, 40);
  assert.ok(!world.blamed.some(([peer]) => peer === 41));
});

test('a single liar with the largest size is not believed, and larger ones are not asked', () => {
  const world = new World(50_000);
  world.add(1, lying(32 * 1024 * 1024), 32 * 1024 * 1024);
  world.add(2, lying(33 * 1024 * 1024), 33 * 1024 * 1024);
  world.add(3, honest(), null);
  world.run(2_000);
  assert.equal(world.requestCounts.get(2) ?? 0, 0);
  assert.equal(world.requestCounts.get(3) ?? 0, 0);
  assert.ok(world.requestCounts.get(1)! > 0);
  world.add(3, honest());
  world.run(10_000);
  assert.ok(world.doneMs !== null && world.doneMs < 3_000);
});

test('data that was not asked for, or does not fit, is blamed and not kept', () => {
  const world = new World(40_000);
  world.add(1, silent);
  const bytes = world.info.slice(0, 16384);
  world.send(1, { type: 'data', piece: 2, totalBytes: 40_000, bytes: world.info.slice(32768) });
  assert.deepEqual(world.blamed, [[1, 'BITTORRENT_METADATA_UNASKED']]);
  world.send(1, { type: 'data', piece: 0, totalBytes: 40_001, bytes });
  world.send(1, { type: 'data', piece: 1, totalBytes: 40_000, bytes: bytes.subarray(1) });
  assert.deepEqual(world.blamedFor('BITTORRENT_METADATA_PIECE'), [1]);
  assert.equal(world.exchange.progress, 0);
  for (let i = 0; i < 100; i++) world.send(9, { type: 'data', piece: 0, totalBytes: 40_000, bytes });
  assert.equal(world.exchange.progress, 0, 'strangers are ignored');
});

test('an answer after its time is still taken', () => {
  const world = new World(16_000);
  world.add(1, honest(15_000));
  world.run(60_000);
  assert.equal(world.doneMs, 15_000);
  assert.deepEqual(world.blamed, []);
});

test('serving: rejects before it is known, then within a budget for each peer', () => {
  const world = new World(40_000);
  const effects: MetadataEffect[] = [];
  const ask = (peer: number, piece: number) => {
    world.exchange.handleMessage(peer, { type: 'request', piece }, world.nowMs);
    effects.length = 0;
    world.exchange.drain(effects);
    return effects[0];
  };
  world.add(1, honest());
  world.add(2, silent, null);
  assert.equal(ask(2, 0)?.type, 'reject');
  world.run(10_000);
  const last = ask(2, 2);
  assert.ok(last?.type === 'data');
  assert.deepEqual(last.bytes, world.info.slice(32768));
  assert.equal(last.totalBytes, 40_000);
  assert.equal(ask(2, 3)?.type, 'reject');
  let servedCount = 0;
  for (let i = 0; i < 1000; i++) if (ask(2, i % 3)?.type === 'data') servedCount++;
  assert.ok(servedCount >= 6 && servedCount <= 14, `${servedCount}`);
  assert.equal(ask(1, 0)?.type, 'data', 'each peer has its own budget');
  world.nowMs += 1_000;
  assert.equal(ask(2, 0)?.type, 'data');
});

test('peers that come and go with ever new sizes leave nothing behind', () => {
  const world = new World(40_000);
  for (let i = 0; i < 500; i++) {
    world.add(1, lying(100_000 + i), 100_000 + i);
    world.run(world.nowMs + 30);
    world.remove(1);
  }
  world.add(2, honest());
  world.run(world.nowMs + 60_000);
  assert.ok(world.doneMs !== null);
});
