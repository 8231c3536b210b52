/** Two hundred peers, each a whole service: all complete, and nobody carries the others. */
import { ok } from 'node:assert/strict';
import { boundSeconds, gini, mean, rounded } from './measures.ts';
import { isLarge, simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';

const line = { upRate: 50_000, downRate: 200_000 };
const totalBytes = isLarge ? 4 << 20 : 1 << 20;

simulate('200 peers: all complete, and share the work', import.meta.filename, async (simulation) => {
  const swarm = new Swarm({ seed: simulation.seed, totalBytes, pieceBytes: 1 << 15 });
  const service = { connectionCountMax: 25 };
  const seed = swarm.addNode({ seed: true, line, service });
  const leechers = swarm.addNodes(199, () => ({ line, service }));
  await swarm.startAll(5000);
  await swarm.runUntilFinished(leechers);
  swarm.watch.checkComplete(leechers);

  const seconds = leechers.map((node) => node.secondsToFinish);
  const bound = boundSeconds({ ...line, bytes: totalBytes, seedUpRate: line.upRate, leecherCount: 199 });
  const uploads = leechers.map((node) => node.snapshot.uploadedBytes / totalBytes);
  const unfairness = gini(uploads);
  simulation.note(`last after ${rounded(Math.max(...seconds))} s, bound ${rounded(bound)} s`);
  simulation.note(
    `uploads: Gini ${rounded(unfairness)}, most ${rounded(Math.max(...uploads) / mean(uploads))} of the mean`,
  );
  simulation.note(`the seed sent ${rounded(seed.snapshot.uploadedBytes / totalBytes)} copies`);
  ok(Math.max(...seconds) < 5 * bound, `${Math.max(...seconds)} s`);
  ok(unfairness < 0.25, `Gini ${unfairness}`);
  ok(Math.max(...uploads) < 2.5 * mean(uploads), `${Math.max(...uploads)} copies`);
  await swarm.end();
});
