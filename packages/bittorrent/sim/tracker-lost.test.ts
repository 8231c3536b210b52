/**
 * A swarm that loses its tracker, and all seeds but one that few know: who joined late has one peer to ask, and learns
 * of the others from it alone. Without peer exchange half a minute later each still has that one connection, and the
 * last is complete half as late again.
 */
import { ok } from 'node:assert/strict';
import { mean, rounded } from './measures.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';
import type { SwarmNode } from './swarm-node.ts';

const line = { upRate: 50_000, downRate: 200_000 };

simulate(
  '200 peers lose their tracker and all seeds but one: all complete, by peer exchange',
  import.meta.filename,
  async (simulation) => {
    const { seed } = simulation;
    const swarm = new Swarm({ seed, totalBytes: 640 << 10, pieceBytes: 1 << 15 });
    const service = {
      connectionCountMax: 60,
      transport: 'tcp',
      encryption: 'off',
    } as const;
    const seeds = swarm.addNodes(5, () => ({ seed: true, line, service }));
    const early = swarm.addNodes(45, () => ({ line, service }));
    await swarm.startAll(2000);
    // Everybody has announced and met; nobody is done.
    await swarm.run(3000);
    ok(early.every((node) => node.finishedMs === null));
    swarm.stopTracker();
    for (const node of seeds.slice(1)) node.kill();
    // The others come later and know one of the first, whom chance has chosen.
    const late = swarm.addNodes(150, () => ({
      line,
      service,
      add: { peers: [swarm.prng.pick(early).endpoint] },
    }));
    for (const node of late) swarm.startLater(node, swarm.prng.below(10_000));
    await swarm.run(30_000);
    const connectionCount = mean(late.map((node) => node.snapshot.peerCount));
    const leechers = [...early, ...late];
    await swarm.runUntilFinished(leechers, 900_000);
    swarm.watch.checkComplete(leechers);
    const seconds = (nodes: readonly SwarmNode[]): number[] => nodes.map((node) => node.secondsToFinish);
    simulation.note(
      `the early ones took ${rounded(mean(seconds(early)))} s, the late ones ${rounded(mean(seconds(late)))} s, the last ${rounded(Math.max(...seconds(leechers)))} s`,
    );
    simulation.note(`after half a minute a late one had ${rounded(connectionCount)} connections`);
    ok(connectionCount > 10, `${connectionCount} connections`);
    ok(Math.max(...seconds(leechers)) < 180, `${Math.max(...seconds(leechers))} s`);
    await swarm.end();
  },
);
