/**
 * The DHT at the size of a small city: 10,000 nodes, of which 30 % leave in an hour and as many join. What one node
 * announces another must find.
 *
 * The tables begin as hours of this would have left them: contacts by chance in each bucket, last heard of within the
 * last 15 minutes, with those nodes still in them that have left within that time.
 */
import assert from 'node:assert/strict';
import { DhtWorld, type Found } from './dht-world.ts';
import { median, percentile } from './measures.ts';
import { isLarge, simulate } from './simulate.ts';

const nodeCount = 10_000;
const churnPerHour = 0.3;
const minutes = isLarge ? 60 : 2;
const lookupCount = isLarge ? 2000 : 300;
/** Between the announcement of a target and the search for it. */
const restMs = minutes * 20_000;

simulate('10,000 nodes with 30 % churn an hour find what others announce', import.meta.filename, run);

async function run({ seed, note }: { seed: number; note: (text: string) => void }): Promise<void> {
  const world = new DhtWorld(seed);
  for (let i = 0; i < nodeCount; i++) world.addNode();
  const goneCount = Math.round((nodeCount * churnPerHour) / 4);
  world.warmUp(Array.from({ length: goneCount }, () => world.freshInfo()));
  const joined = churn(world);
  const found: Found[] = [];
  const storedCounts: number[] = [];
  for (let i = 0; i < lookupCount; i++) {
    const target = world.prng.bytes(20);
    const search = { kind: 'peers', target, scrape: false, noSeed: false } as const;
    const announce = { port: 6881, impliedPort: false, seed: false };
    world.at((i / lookupCount) * minutes * 30_000, () =>
      world.search(world.livingNode(), { ...search, announce }, ({ report }) => {
        storedCounts.push(report.storedCount);
        world.at(restMs, () =>
          world.search(world.livingNode(), { ...search, announce: null }, (result) => found.push(result)),
        );
      }),
    );
  }
  const before = world.messageCount;
  world.run(minutes * 60_000 + 30_000);
  const successCount = found.filter(({ peers }) => peers.length > 0).length;
  const hops = median(found.map(({ report }) => report.hopCount));
  const queries = median(found.map(({ report }) => report.queryCount));
  const elapsed = found.map(({ report }) => report.elapsedMs);
  const perNode = (world.messageCount - before) / nodeCount / (minutes + 0.5);
  const loads = world.honest.map(({ receivedCount }) => receivedCount / (minutes + 0.5));
  const newcomers = joined.filter(({ isAlive }) => isAlive).slice(0, -20);
  const tableCounts = newcomers.map(({ node }) => node.sides[0]!.table.count);
  note(`${successCount} of ${found.length} lookups found the peer; stored on ${median(storedCounts)} nodes`);
  note(
    `median ${hops} hops, ${queries} queries, ${Math.round(median(elapsed))} ms; 95 % within ${Math.round(percentile(elapsed, 0.95))} ms`,
  );
  note(
    `a node sends ${perNode.toFixed(1)} and receives ${median(loads).toFixed(1)} datagrams a minute, the busiest ${Math.max(...loads).toFixed(0)}`,
  );
  note(`${newcomers.length} newcomers have ${median(tableCounts)} contacts`);
  note(`${world.abandonedCount} searches ended with the node that made them`);
  assert.equal(found.length + world.abandonedCount, lookupCount);
  assert.ok(successCount >= 0.99 * lookupCount, `${successCount} of ${lookupCount}`);
  assert.ok(median(storedCounts) >= 7);
  assert.ok(hops >= 2 && hops <= 5, `${hops} hops`);
  assert.ok(queries <= 25, `${queries} queries`);
  assert.ok(percentile(elapsed, 0.95) <= 8000);
  assert.ok(perNode <= 40, `${perNode} datagrams a minute`);
  assert.ok(Math.max(...loads) <= 400);
  assert.ok(median(tableCounts) >= 30);
}

/** Nodes leave without a word, at random times, and as many join. @returns the list of those that have joined */
function churn(world: DhtWorld): ReturnType<DhtWorld['join']>[] {
  const joined: ReturnType<DhtWorld['join']>[] = [];
  const perMs = (nodeCount * churnPerHour) / 3600_000;
  const next = (): void => {
    world.leave(world.livingNode());
    joined.push(world.join());
    world.at(-Math.log(1 - world.prng.nextFloat()) / perMs, next);
  };
  world.at(1 / perMs, next);
  return joined;
}
