/**
 * What lookups cost in a DHT of so many simulated nodes, as one line of JSON:
 *
 *   node packages/bittorrent/sim/dht-cost.ts --size 1000 --lookups 500 --seed 1
 *
 * Real machines and datagrams in virtual time, with tables as hours would have left them. The same world is run twice,
 * with lookups and without: the difference is the processor time that they cost, of all nodes together.
 */
import { cpuUsage, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { DhtWorld, type Found } from './dht-world.ts';
import { mean } from './measures.ts';

/** Between two lookups. */
const stepMs = 20;
/** For the last one to end. */
const restMs = 30_000;

const { values } = parseArgs({
  options: { size: { type: 'string' }, lookups: { type: 'string' }, seed: { type: 'string', default: '1' } },
});
const [size, lookupCount, seed] = [Number(values.size), Number(values.lookups), Number(values.seed)];
if (!(size >= 20 && lookupCount >= 1 && Number.isSafeInteger(seed)))
  throw new Error('--size is 20 or more, --lookups 1 or more, --seed a whole number');

const runMs = lookupCount * stepMs + restMs;
const [busy, idle] = [runWorld(lookupCount), runWorld(0)];
const reports = busy.found.map(({ report }) => report);
if (reports.length !== lookupCount) throw new Error(`${lookupCount - reports.length} lookups have not ended`);
const result = {
  queries: mean(reports.map(({ queryCount }) => queryCount)),
  hops: mean(reports.map(({ hopCount }) => hopCount)),
  milliseconds: mean(reports.map(({ elapsedMs }) => elapsedMs)),
  cpu: Math.max(0, busy.cpuMs - idle.cpuMs) / lookupCount,
};
stdout.write(`${JSON.stringify(result)}\n`);

function runWorld(count: number): { readonly found: readonly Found[]; readonly cpuMs: number } {
  const world = new DhtWorld(seed);
  for (let i = 0; i < size; i++) world.addNode();
  world.warmUp([]);
  const found: Found[] = [];
  for (let i = 0; i < count; i++) {
    const target = world.prng.bytes(20);
    const request = { kind: 'peers', target, scrape: false, noSeed: false, announce: null } as const;
    world.at(i * stepMs, () => world.search(world.livingNode(), request, (one) => found.push(one)));
  }
  const before = cpuUsage();
  world.run(runMs);
  const { user, system } = cpuUsage(before);
  return { found, cpuMs: (user + system) / 1000 };
}
