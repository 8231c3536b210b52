/**
 * Twenty peers: a seed and nineteen leechers, all with the same line. The best that any protocol could do is known
 * (`boundSeconds`); what is allowed here is a little more than what was measured, so that a loss is noticed.
 */
import { ok } from 'node:assert/strict';
import { boundSeconds, jain, rounded, sum } from './measures.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';
import type { SwarmNode } from './swarm-node.ts';

const line = { upRate: 250_000, downRate: 1_000_000 };
const totalBytes = 16 << 20;
const pieceBytes = 1 << 17;

const ratioOf = ({ snapshot }: SwarmNode): number => snapshot.uploadedBytes / snapshot.downloadedBytes;

simulate(
  '20 peers: all complete near the bound, and give as much as they take',
  import.meta.filename,
  async (simulation) => {
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
    simulation.note(
      `up/down ${rounded(Math.min(...ratios))} to ${rounded(Math.max(...ratios))}, Jain's index ${rounded(jain(ratios))}`,
    );
    simulation.note(`the seed sent ${rounded(copies)} copies; ${rounded(100 * wasted)} % came twice`);
    ok(Math.max(...seconds) < 1.9 * bound, `${Math.max(...seconds)} s`);
    ok(copies < 2, `the seed sent ${copies} copies`);
    ok(Math.min(...ratios) > 0.25 && Math.max(...ratios) < 1.75, `ratios ${ratios}`);
    ok(jain(ratios) > 0.9, `Jain's index ${jain(ratios)}`);
    ok(wasted < 0.02, `${wasted} came twice`);
    await swarm.end();
  },
);
