/**
 * Twenty peers: a seed and nineteen leechers, all with the same line. The best that any protocol could do is known
 * (`boundSeconds`); what is allowed here is a little more than what was measured, so that a loss is noticed.
 */
import { ok } from 'node:assert/strict';
import { boundSeconds, mean, quantile, rounded, sum } from './measures.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';
import type { SwarmNode } from './swarm-node.ts';
import { freeRider } from './tamper.ts';

const line = { upRate: 250_000, downRate: 1_000_000 };
const totalBytes = 16 << 20;
const pieceBytes = 1 << 17;

const ratioOf = ({ snapshot }: SwarmNode): number => snapshot.uploadedBytes / snapshot.downloadedBytes;

simulate('20 peers: all complete near the bound, and give as much as they take', import.meta.filename, async (simulation) => {
  const swarm = new Swarm({ seed: simulation.seed, totalBytes, pieceBytes });
  const seed = swarm.addNode({ seed: true, line });
  const leechers = swarm.addNodes(19, () => ({ line }));
  await swarm.startAll();
  await swarm.runUntilFinished(leechers);
  swarm.watch.checkComplete(leechers);

  const seconds = leechers.map((node) => node.secondsToFinish);
  const bound = boundSeconds({ ...line, bytes: totalBytes, seedUpRate: line.upRate, leecherCount: 19 });
  const ratios = leechers.map(ratioOf);
  const copies = seed.snapshot.uploadedBytes / totalBytes;
  const wasted = sum(leechers.map((node) => node.snapshot.wastedBytes)) / (19 * totalBytes);
  simulation.note(`last after ${rounded(Math.max(...seconds))} s, bound ${rounded(bound)} s`);
  simulation.note(`up/down ${rounded(Math.min(...ratios))} to ${rounded(Math.max(...ratios))}`);
  simulation.note(`the seed sent ${rounded(copies)} copies; ${rounded(100 * wasted)} % came twice`);
  ok(Math.max(...seconds) < 1.9 * bound, `${Math.max(...seconds)} s`);
  ok(copies < 2, `the seed sent ${copies} copies`);
  ok(Math.min(...ratios) > 0.6 && Math.max(...ratios) < 1.4, `ratios ${ratios}`);
  ok(wasted < 0.02, `${wasted} came twice`);
  await swarm.end();
});

simulate('20 peers: who gives nothing waits longer', import.meta.filename, async (simulation) => {
  const swarm = new Swarm({ seed: simulation.seed, totalBytes, pieceBytes });
  swarm.addNode({ seed: true, line });
  const contributors = swarm.addNodes(15, () => ({ line }));
  const riders = swarm.addNodes(4, () => ({ line, tamper: freeRider }));
  await swarm.startAll();
  await swarm.runUntilFinished([...contributors, ...riders]);
  swarm.watch.checkComplete(swarm.leechers);

  const given = contributors.map((node) => node.secondsToFinish);
  const taken = riders.map((node) => node.secondsToFinish);
  simulation.note(`contributors ${rounded(mean(given))} s, at most ${rounded(Math.max(...given))} s`);
  simulation.note(`free riders ${rounded(mean(taken))} s, at least ${rounded(Math.min(...taken))} s`);
  ok(riders.every((node) => node.snapshot.uploadedBytes === 0));
  ok(Math.min(...taken) > quantile(given, 0.5), `${taken} against ${given}`);
  await swarm.end();
});
