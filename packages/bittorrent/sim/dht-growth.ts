/**
 * What a lookup costs in a DHT of so many nodes: `node packages/bittorrent/sim/dht-growth.ts NODES SEED`.
 * In virtual time; one line of JSON, over lookups each of another node for another target. Nobody comes or goes.
 */
import { argv, stdout } from 'node:process';
import { DhtWorld, type Found } from './dht-world.ts';
import { median } from './measures.ts';

const lookupCount = 200;
const everyMs = 100;
const endMs = 120_000;

const [, , nodes = '', seed = '1'] = argv;
const nodeCount = Number(nodes);
if (!(nodeCount >= 20)) throw new Error('dht-growth.ts NODES SEED: at least 20 nodes');

const world = new DhtWorld(Number(seed));
for (let i = 0; i < nodeCount; i++) world.addNode();
world.warmUp([]);
const found: Found[] = [];
for (let i = 0; i < lookupCount; i++) {
  const search = {
    kind: 'peers',
    target: world.prng.bytes(20),
    scrape: false,
    noSeed: false,
    announce: null,
  } as const;
  world.at(i * everyMs, () => world.search(world.livingNode(), search, (result) => found.push(result)));
}
world.run(lookupCount * everyMs + endMs);
if (found.length < lookupCount) throw new Error(`${found.length} of ${lookupCount} lookups ended`);
const of = (key: 'queryCount' | 'hopCount' | 'elapsedMs'): number =>
  median(found.map(({ report }) => report[key]));
const mean = found.reduce((sum, { report }) => sum + report.queryCount, 0) / found.length;
stdout.write(`${JSON.stringify({ queries: mean, hops: of('hopCount'), seconds: of('elapsedMs') / 1000 })}\n`);
