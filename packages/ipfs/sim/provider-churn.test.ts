/** Whether others find what is provided while those who keep its records come and go, in virtual time. */
import { ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Prng, silentLog } from '@tequio/kernel';
import { createHashes } from '@tequio/runtime';
import { SimulatedOverlays, World } from '@tequio/simulator';
import { defaultSweepOptions } from '../src/core/provider-sweep.ts';
import { Providing } from '../src/shell/providing.ts';

const hourMs = 3_600_000;
const serverCount = 60;
const keyCount = 60;
/** Peers that take a record. Source: libp2p specs, kad-dht. */
const takerCount = 20;
const { intervalMs } = defaultSweepOptions;

/**
 * The part of all questions that is answered, of keys that are told once an interval: a record of age t is lost when
 * all that took it have gone, each of which stays with a chance of exp(-t / stay).
 */
function expectedPart(stayMs: number, takers: number): number {
  let lost = 0;
  const steps = 1000;
  for (let step = 0; step < steps; step++) {
    const ageMs = ((step + 0.5) / steps) * intervalMs;
    lost += (1 - Math.exp(-ageMs / stayMs)) ** takers / steps;
  }
  return 1 - lost;
}

/** What is measured over two intervals. @param stayMs how long a server of the DHT is there, in the mean */
async function foundPart(stayMs: number): Promise<number> {
  const world = new World({ seed: 1 });
  const prng = new Prng(7);
  const overlays = new SimulatedOverlays(world);
  const addServer = async (): Promise<void> => {
    const server = await overlays.add(world.addHost());
    // Whoever goes is followed by somebody who knows nothing.
    world.clock.setTimer(-Math.log((1 + prng.below(1_000_000)) / 1_000_001) * stayMs, () => {
      void server.close();
      void addServer();
    });
  };
  const starting = [];
  for (let i = 0; i < serverCount; i++) starting.push(addServer());
  await Promise.all(starting);
  const [teller, finder] = [
    await overlays.add(world.addHost(), { isDhtServer: false }),
    await overlays.add(world.addHost(), { isDhtServer: false }),
  ];
  const keys = Array.from({ length: keyCount }, (_, i) => new Prng(i).bytes(34));
  const providing = new Providing(defaultSweepOptions, {
    overlay: teller,
    clock: world.clock,
    hashes: createHashes(),
    log: silentLog,
    store: { load: () => [], save: () => undefined, remove: () => undefined },
  });
  providing.start();
  providing.add(keys);
  let [askedCount, foundCount] = [0, 0];
  for (let hour = 0; hour < (3 * intervalMs) / hourMs; hour++) {
    for (let minute = 0; minute < 60; minute += 5) await world.run(5 * 60_000);
    // In the first interval all keys are told together, which no formula is about.
    if (hour < intervalMs / hourMs) continue;
    const answers = keys.map(async (key) => {
      let isFound = false;
      await finder.find(key, ({ peer }) => void (isFound ||= peer === teller.peer));
      askedCount++;
      if (isFound) foundCount++;
    });
    await world.run(1000);
    await Promise.all(answers);
  }
  providing.close();
  return foundCount / askedCount;
}

for (const stayHours of [6, 12, 24])
  test(`servers of the DHT stay ${stayHours} hours: as many questions are answered as must be`, async (t) => {
    const stayMs = stayHours * hourMs;
    const found = await foundPart(stayMs);
    // Newcomers push some of those that took a record out of the nearest twenty, where nobody asks them.
    const [most, least] = [expectedPart(stayMs, takerCount), expectedPart(stayMs, 0.8 * takerCount)];
    const percent = [found, least, most].map((part) => (100 * part).toFixed(1));
    t.diagnostic(`${percent[0]} % found, ${percent[1]} to ${percent[2]} % expected`);
    ok(found > least - 0.03 && found < most + 0.03, percent.join());
  });
