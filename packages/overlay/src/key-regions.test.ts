import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { createHashes } from '@tequio/runtime';
import { KeyRegions, type RegionPeer } from './key-regions.ts';
import { limits } from './limits.ts';

const { nearestCount, trustedMs } = limits.regions;
const hashes = createHashes();

/** A network whose lookups find who is nearest, after a turn. */
function startNetwork(peerCount: number, seed: number) {
  const random = new Prng(seed);
  const peers = Array.from({ length: peerCount }, (_, index): RegionPeer<number> => {
    return { peer: index, id: String(index), place: hashes.sha256(random.bytes(38)) };
  });
  const world = { peers, lookups: 0, nowMs: 0 };
  const nearest = (key: Uint8Array): readonly RegionPeer<number>[] => {
    const place = hashes.sha256(key);
    const numberOf = (bytes: Uint8Array): bigint => Buffer.from(bytes).readBigUInt64BE();
    const from = numberOf(place);
    return world.peers
      .map((one) => ({ one, far: numberOf(one.place) ^ from }))
      .sort((a, b) => (a.far < b.far ? -1 : 1))
      .slice(0, nearestCount)
      .map(({ one }) => one);
  };
  const regions = new KeyRegions<number>({
    lookup: async (key) => {
      world.lookups++;
      await new Promise((resolve) => setImmediate(resolve));
      return nearest(key);
    },
    knownCount: () => world.peers.length,
    hashes,
    nowMs: () => world.nowMs,
    randomBytes: (count) => random.bytes(count),
  });
  const keys = (count: number): Uint8Array[] => Array.from({ length: count }, () => random.bytes(34));
  return { world, regions, nearest, keys };
}

const idsOf = (peers: readonly RegionPeer<number>[]): string[] => peers.map(({ id }) => id);

for (const [peerCount, keyCount, perLookup] of [
  [0, 20, 0],
  [1, 50, 25],
  [19, 500, 500],
  [20, 500, 100],
  [25, 500, 100],
  [200, 1000, 15],
  [1200, 1000, 3],
] as const)
  test(`${peerCount} peers: every key has exactly those nearest, ${perLookup} keys a lookup`, async () => {
    const { world, regions, nearest, keys } = startNetwork(peerCount, peerCount + 1);
    await Promise.all(
      keys(keyCount).map(async (key) => deepEqual(idsOf(await regions.nearest(key)), idsOf(nearest(key)))),
    );
    ok(world.lookups * perLookup <= keyCount, `${world.lookups} lookups`);
  });

test('while the network is small, one more peer is one more to tell', async () => {
  const { world, regions, nearest, keys } = startNetwork(2, 1);
  const [key] = keys(1) as [Uint8Array];
  await regions.nearest(key);
  world.peers.push(...startNetwork(1, 99).world.peers);
  deepEqual(idsOf(await regions.nearest(key)), idsOf(nearest(key)));
});

test('what was found is believed for a while, and not longer', async () => {
  const { world, regions, nearest, keys } = startNetwork(150, 1);
  const [key] = keys(1) as [Uint8Array];
  await regions.nearest(key);
  world.peers.push({ peer: 1000, id: 'new', place: hashes.sha256(key) });
  ok(!idsOf(await regions.nearest(key)).includes('new'));
  world.nowMs += trustedMs + 1;
  deepEqual(idsOf(await regions.nearest(key)), idsOf(nearest(key)));
  ok(idsOf(await regions.nearest(key)).includes('new'));
});

test('whoever failed is left out, and the next nearest takes the place', async () => {
  const { regions, nearest, keys } = startNetwork(300, 5);
  const [key] = keys(1) as [Uint8Array];
  const first = nearest(key)[0]!;
  const left = await regions.nearest(key, (one) => one !== first);
  equal(left.length, nearestCount);
  ok(!left.includes(first));
});

test('a lookup that fails is the failure of who waits for it, and the next one asks anew', async () => {
  const { regions, keys } = startNetwork(5, 5);
  let isDown = true;
  const failing = new KeyRegions<number>({
    lookup: (key) => (isDown ? Promise.reject(new Error('no network')) : regions.nearest(key)),
    knownCount: () => 5,
    hashes,
    nowMs: () => 0,
    randomBytes: (count) => new Uint8Array(count),
  });
  const [key] = keys(1) as [Uint8Array];
  const outcomes = await Promise.allSettled([failing.nearest(key), failing.nearest(key)]);
  deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  isDown = false;
  equal((await failing.nearest(key)).length, 5);
});

test('few answers out of a large network are used, but are no knowledge of a region', async () => {
  const { world, regions, keys } = startNetwork(5, 5);
  const known = new KeyRegions<number>({
    lookup: (key) => regions.nearest(key).finally(() => world.lookups++),
    knownCount: () => 100,
    hashes,
    nowMs: () => 0,
    randomBytes: (count) => new Uint8Array(count),
  });
  const before = world.lookups;
  for (const key of keys(10)) equal((await known.nearest(key)).length, 5);
  ok(world.lookups - before >= 10);
  equal(known.regionCount, 0);
});

test('of very many regions only so many are remembered', async () => {
  const { regions, keys } = startNetwork(3000, 8);
  for (const key of keys(600)) await regions.nearest(key);
  ok(regions.regionCount <= limits.regions.count, `${regions.regionCount}`);
  ok(regions.regionCount > 30, `${regions.regionCount}`);
});
