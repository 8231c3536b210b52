/**
 * A flash crowd: everybody comes at once, and one seed with a good line has the only copy. It is generous for two
 * and a half copies' worth, so what it sends then should be what is nowhere else yet: that is what rarest first is
 * for. (While the seed stays and is no faster than the others, all see nearly the same pieces and random picks do
 * nearly as well: 2 to 4 % slower in the same crowd.)
 *
 * The picker has no switch for it, and should have none. Here it is blinded: each search among pieces that could be
 * begun is told that rarity does not matter, as it is for a newcomer's first pieces. All else stays as it is.
 */
import { ok } from 'node:assert/strict';
import { ClosedPieces } from '../src/core/piece-picker-closed.ts';
import { mean, rounded } from './measures.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';

type Policy = 'rarest' | 'random';

const line = { upRate: 50_000, downRate: 500_000 };
const seedLine = { upRate: 500_000 };
const leecherCount = 20;
const totalBytes = 3 << 20;
const policies: readonly Policy[] = ['rarest', 'random'];
/** What the seed sends before it leaves, or slows down to `trickle` bytes a second. */
const generousBytes = 2.5 * totalBytes;
const trickle = 2000;

/** Runs `work` with every picker blind for rarity, or as they are. */
async function withPolicy<Value>(policy: Policy, work: () => Promise<Value>): Promise<Value> {
  const { visitRarest } = ClosedPieces.prototype;
  if (policy === 'random') {
    ClosedPieces.prototype.visitRarest = function blind(has, taker): void {
      visitRarest.call(this, has, taker, true);
    };
  }
  try {
    return await work();
  } finally {
    ClosedPieces.prototype.visitRarest = visitRarest;
  }
}

function createCrowd(seed: number): Swarm {
  const swarm = new Swarm({ seed, totalBytes, pieceBytes: 1 << 15 });
  swarm.addNode({ seed: true, line: seedLine, service: { uploadSlots: 8 } });
  swarm.addNodes(leecherCount, () => ({ line }));
  return swarm;
}

async function runGenerous(swarm: Swarm): Promise<void> {
  const [first] = swarm.nodes;
  await swarm.startAll();
  await swarm.run(() => first!.host.host.sentBytes >= generousBytes);
}

async function secondsOfLast(seed: number): Promise<number> {
  const swarm = createCrowd(seed);
  await runGenerous(swarm);
  swarm.nodes[0]!.service.setLimits({ down: null, up: trickle });
  await swarm.runUntilFinished(swarm.leechers);
  await swarm.end();
  return Math.max(...swarm.leechers.map((node) => node.secondsToFinish));
}

/** How many complete when the seed vanishes. */
async function finishersWithoutSeed(seed: number): Promise<number> {
  const swarm = createCrowd(seed);
  await runGenerous(swarm);
  swarm.nodes[0]!.kill();
  const endMs = swarm.world.clock.nowMs() + 90_000;
  await swarm.run(() => swarm.world.clock.nowMs() >= endMs);
  await swarm.end();
  return swarm.leechers.filter((node) => node.finishedMs !== null).length;
}

simulate('flash crowd: rarest first is done sooner than random', import.meta.filename, async (simulation) => {
  const seconds: Record<Policy, number[]> = { rarest: [], random: [] };
  for (const policy of policies) {
    for (let i = 0; i < 3; i++) {
      seconds[policy].push(await withPolicy(policy, () => secondsOfLast(simulation.seed + i)));
    }
    simulation.note(`${policy}: last after ${seconds[policy].map((value) => rounded(value)).join(', ')} s`);
  }
  const gain = mean(seconds.random) / mean(seconds.rarest);
  simulation.note(`random takes ${rounded(gain)} times as long`);
  ok(gain > 1.5, `${gain}`);
});

simulate(
  'flash crowd: the seed leaves, and rarest first has saved every piece',
  import.meta.filename,
  async (simulation) => {
    const finishers: Record<Policy, number[]> = { rarest: [], random: [] };
    for (const policy of policies) {
      for (let i = 0; i < 3; i++) {
        finishers[policy].push(await withPolicy(policy, () => finishersWithoutSeed(simulation.seed + i)));
      }
      simulation.note(`${policy}: ${finishers[policy].join(', ')} of ${leecherCount} complete`);
    }
    ok(
      finishers.rarest.every((count) => count === leecherCount),
      `${finishers.rarest}`,
    );
    ok(finishers.random.filter((count) => count === leecherCount).length < 3, `${finishers.random}`);
  },
);
