import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng, readUint16, writeUint32 } from '@tequio/kernel';
import { announceRefusal, TrackerStore } from './tracker-store.ts';
import { InfoHashIndex, TabulationHash } from './tracker-store-index.ts';

const hash = new Uint8Array(20).fill(3);
const [none, completed, started, stopped] = [0, 1, 2, 3];

function address4(n: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, 0xc0000200 + n);
  return bytes;
}

test('a seed is told of leechers only, a leecher of both, nobody of himself', () => {
  const store = new TrackerStore({ prng: new Prng(1) });
  const out = new Uint8Array(600);
  for (let n = 0; n < 5; n++) store.announce(hash, 0, address4(n), 1000 + n, started, n < 2, 0);
  let swarm = store.announce(hash, 0, address4(0), 1000, none, true, 0);
  assert.equal(store.pickPeers(swarm, 4, true, 50, out, 0), 3 * 6);
  swarm = store.announce(hash, 0, address4(4), 1004, none, false, 0);
  assert.equal(store.pickPeers(swarm, 4, false, 50, out, 0), 4 * 6);
  const ports = [0, 1, 2, 3].map((i) => readUint16(out, i * 6 + 4)).sort();
  assert.deepEqual(ports, [1000, 1001, 1002, 1003]);
  assert.deepEqual(store.counts(swarm), { seedCount: 2, completedCount: 0, leechCount: 3 });
});

test('completed counts who was known as incomplete, and stopped forgets', () => {
  const store = new TrackerStore({ prng: new Prng(1) });
  const swarm = store.announce(hash, 0, address4(1), 1, completed, true, 0);
  assert.equal(store.completedCount(swarm), 0);
  store.announce(hash, 0, address4(2), 1, started, false, 0);
  store.announce(hash, 0, address4(2), 1, completed, true, 0);
  store.announce(hash, 0, address4(2), 1, completed, true, 0);
  assert.equal(store.completedCount(swarm), 1);
  store.announce(hash, 0, address4(1), 1, stopped, true, 0);
  store.announce(hash, 0, address4(2), 1, stopped, true, 0);
  assert.deepEqual(store.counts(swarm), { seedCount: 0, completedCount: 1, leechCount: 0 });
  assert.equal(
    store.announce(new Uint8Array(20), 0, address4(1), 1, stopped, true, 0),
    announceRefusal.unknown,
  );
});

test('every leecher of a big swarm is named about equally often, and few seeds are not lost among them', () => {
  const store = new TrackerStore({ prng: new Prng(5) });
  const leecherCount = 1000;
  for (let n = 0; n < leecherCount; n++) store.announce(hash, 0, address4(n), 1, started, false, 0);
  for (let n = 0; n < 20; n++) store.announce(hash, 0, address4(2000 + n), 2, started, true, 0);
  const out = new Uint8Array(6 * 50);
  const named = new Map<string, number>();
  const rounds = 4000;
  let seedsNamed = 0;
  for (let round = 0; round < rounds; round++) {
    const swarm = store.announce(hash, 0, address4(0), 1, none, false, 0);
    assert.equal(store.pickPeers(swarm, 4, false, 50, out, 0), 300);
    for (let at = 0; at < 300; at += 6) {
      if (out[at + 5] === 2) seedsNamed++;
      else named.set(out.subarray(at, at + 4).join(), (named.get(out.subarray(at, at + 4).join()) ?? 0) + 1);
    }
  }
  assert.equal(seedsNamed, rounds * 13);
  assert.equal(named.size, leecherCount - 1);
  const expected = (rounds * 37) / (leecherCount - 1);
  for (const [who, count] of named)
    assert.ok(count > 0.5 * expected && count < 1.7 * expected, `${who}: ${count} of ${expected}`);
});

test('the slow sweep gets around, and a full store goes on serving those it knows', () => {
  const limits = { peerCountMax: 3000, swarmCountMax: 2000, peerTtlS: 100, emptyTtlS: 10, sweepS: 20 };
  const store = new TrackerStore({ prng: new Prng(9), limits });
  const prng = new Prng(10);
  const hashes = Array.from({ length: 2500 }, () => prng.bytes(20));
  const results = hashes.map((each, n) => store.announce(each, 0, address4(n), 7, started, false, 0));
  assert.equal(results.filter((result) => result >= 0).length, 2000);
  assert.equal(results[2400], announceRefusal.full);
  for (let n = 0; n < 1500; n++) store.announce(hashes[0]!, 0, address4(5000 + n), 7, started, false, 0);
  assert.equal(store.stats().leechCount, 3000);
  assert.equal(store.announce(hashes[1]!, 0, address4(1), 7, none, true, 50) >= 0, true);
  for (let nowS = 101; nowS < 145; nowS++) store.sweep(nowS);
  assert.deepEqual([store.stats().seedCount, store.stats().leechCount], [1, 0]);
  for (let nowS = 145; nowS < 260; nowS++) store.sweep(nowS);
  assert.deepEqual([store.stats().seedCount, store.stats().swarmCount], [0, 0]);
});

test('the info-hash index agrees with a map under additions and removals', () => {
  const prng = new Prng(2);
  const index = new InfoHashIndex(new TabulationHash(prng.fork()));
  const keys = Array.from({ length: 400 }, () => prng.bytes(20));
  const ids = new Map<Uint8Array, number>();
  for (let step = 0; step < 20_000; step++) {
    const key = prng.pick(keys);
    assert.equal(index.find(key, 0), ids.get(key) ?? -1);
    const id = ids.get(key);
    if (id === undefined) ids.set(key, index.add(key, 0));
    else if (prng.chance(0.6)) {
      index.remove(id);
      ids.delete(key);
    } else assert.equal(index.has(id), true);
    assert.equal(index.count, ids.size);
  }
  assert.equal(new Set(ids.values()).size, ids.size);
});
