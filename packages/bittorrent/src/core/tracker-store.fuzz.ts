import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng, readUint16 } from '@tequio/kernel';
import { keyOf, TrackerStoreModel } from './tracker-store.model.ts';
import { announceRefusal, type TrackerAccess, TrackerStore } from './tracker-store.ts';

const refusals = {
  unknown: announceRefusal.unknown,
  denied: announceRefusal.denied,
  full: announceRefusal.full,
};

/** The same random announces and sweeps to the store and its twin; every observable must agree. */
function run(seed: number): number {
  const prng = new Prng(seed);
  const hashes = Array.from({ length: prng.between(1, 12) }, () => prng.bytes(20));
  const limits = {
    swarmCountMax: prng.between(3, 12),
    peerCountMax: prng.between(10, 300),
    peerTtlS: 100,
    emptyTtlS: 50,
  };
  const access: TrackerAccess = prng.chance(0.7)
    ? { mode: 'all' }
    : { mode: prng.pick(['allow', 'deny'] as const), infoHashes: hashes.filter(() => prng.chance(0.5)) };
  const store = new TrackerStore({ prng: prng.fork(), access, limits });
  const model = new TrackerStoreModel(limits, access);
  const addresses = Array.from({ length: prng.between(1, 40) }, () => prng.bytes(prng.chance(0.6) ? 4 : 16));
  const out = new Uint8Array(20_000);
  let nowS = 1000;
  let pickedCount = 0;
  for (let step = 0; step < 400; step++) {
    const what = `seed ${seed}, step ${step}`;
    if (prng.chance(0.05)) {
      nowS += prng.below(60);
      store.sweepAll(nowS);
      model.sweepAll(nowS);
    }
    const hash = prng.pick(hashes);
    const address = prng.pick(addresses);
    const port = prng.below(8);
    const event = prng.below(4);
    const isSeed = prng.chance(0.4);
    const swarm = store.announce(hash, 0, address, port, event, isSeed, nowS);
    const twin = model.announce(hash, address, port, event, isSeed, nowS);
    if (typeof twin === 'string') {
      assert.equal(swarm, refusals[twin], what);
      continue;
    }
    const peers = [...twin.peers.values()];
    const seedCount = peers.filter((peer) => peer.seed).length;
    assert.deepEqual(
      store.counts(swarm),
      { seedCount, completedCount: twin.completed, leechCount: peers.length - seedCount },
      what,
    );
    for (const family of [4, 6] as const) {
      const countMax = prng.below(30);
      const rowBytes = family === 4 ? 6 : 18;
      const byteCount = store.pickPeers(swarm, family, isSeed, countMax, out, 2);
      const picked: string[] = [];
      for (let at = 2; at < 2 + byteCount; at += rowBytes)
        picked.push(keyOf(out.slice(at, at + rowBytes - 2), readUint16(out, at + rowBytes - 2)));
      const eligible = peers.filter((peer) => peer.address.length === rowBytes - 2 && !(isSeed && peer.seed));
      const others = new Set(eligible.map((peer) => keyOf(peer.address, peer.port)));
      others.delete(keyOf(address, port));
      assert.equal(new Set(picked).size, picked.length, `${what}: a peer twice`);
      assert.ok(
        picked.every((key) => others.has(key)),
        `${what}: a peer that is not eligible`,
      );
      assert.equal(picked.length, Math.min(countMax, others.size), what);
      pickedCount += picked.length;
    }
    const stats = store.stats();
    assert.equal(stats.seedCount + stats.leechCount, model.peerCount(), what);
    assert.equal(stats.swarmCount, model.swarms.size, what);
  }
  return pickedCount;
}

test('the store and its naive twin agree on random histories', () => {
  const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 150);
  let pickedCount = 0;
  for (let seed = 0; seed < rounds; seed++) pickedCount += run(seed);
  assert.ok(pickedCount > 1000);
});
