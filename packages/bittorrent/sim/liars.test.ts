/**
 * Three of ten peers lie: each flips a byte in some of the blocks that it sends. No wrong byte is accepted (the watch
 * sees to that, with all its other promises), the honest complete, and every liar is named by those it lied to.
 *
 * Not named by: a victim for whom no piece failed with the liar's block in it. The block came too late, a second time,
 * or the victim's piece was never completed with it.
 */
import { deepEqual, ok } from 'node:assert/strict';
import { Prng } from '@tequio/kernel';
import { rounded } from './measures.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';
import type { SwarmNode } from './swarm-node.ts';
import { flooder, GiantLength, Liar, Quitter, Staller } from './tamper.ts';

const line = { upRate: 250_000, downRate: 1_000_000 };

for (const version of ['v1', 'v2'] as const) {
  simulate(
    `30 % liars, ${version}: all honest peers complete, every liar is named`,
    import.meta.filename,
    async (simulation) => {
      const { seed } = simulation;
      const swarm = new Swarm({ seed, totalBytes: 8 << 20, pieceBytes: 1 << 17, version });
      swarm.addNode({ seed: true, line });
      const honest = swarm.addNodes(13, () => ({ line }));
      const prng = new Prng(seed);
      const tampers = Array.from(
        { length: 6 },
        (_, index) => new Liar([0.02, 0.1, 0.5][index % 3]!, prng.fork()),
      );
      const liars = swarm.addNodes(6, (index) => ({ line, tamper: tampers[index]!, isHonest: false }));
      await swarm.startAll();
      await swarm.runUntilFinished(honest);
      await swarm.run(10_000);
      swarm.watch.checkComplete(honest);

      const honestByAddress = new Map<string, SwarmNode>(
        swarm.nodes.filter((node) => node.isHonest).map((node) => [node.address, node]),
      );
      let pairCount = 0;
      let namedCount = 0;
      let lieCount = 0;
      const unnamed: string[] = [];
      liars.forEach((liar, index) => {
        const { lies } = tampers[index]!;
        const victims = new Set(lies.map(({ to }) => to).filter((to) => honestByAddress.has(to)));
        const named = swarm.watch.bannersOf(liar.address);
        lieCount += lies.length;
        pairCount += victims.size;
        for (const victim of victims) {
          if (named.has(victim)) namedCount++;
          else
            unnamed.push(`${liar.name} by ${victim}: ${lies.filter(({ to }) => to === victim).length} lies`);
        }
        ok(victims.size === 0 || named.size > 0, `${liar.name} lied to ${victims.size} and nobody names it`);
      });
      simulation.note(`${lieCount} lies; ${namedCount} of ${pairCount} pairs of liar and victim are named`);
      simulation.note(`last after ${rounded(Math.max(...honest.map((node) => node.secondsToFinish)))} s`);
      for (const pair of unnamed) simulation.note(`not named: ${pair}`);
      ok(lieCount > 20, 'there was something to find');
      ok(namedCount >= 0.9 * pairCount, `${namedCount} of ${pairCount}`);
      await swarm.end();
    },
  );
}

simulate(
  'stalling, flooding, giant lengths, hanging up midway: the honest complete',
  import.meta.filename,
  async (simulation) => {
    const swarm = new Swarm({ seed: simulation.seed, totalBytes: 8 << 20, pieceBytes: 1 << 17 });
    swarm.addNode({ seed: true, line });
    const honest = swarm.addNodes(11, () => ({ line }));
    const bad = { line, isHonest: false };
    swarm.addNodes(2, () => ({ ...bad, name: 'staller', tamper: new Staller(3) }));
    const flooders = swarm.addNodes(2, () => ({ ...bad, name: 'flooder', tamper: flooder }));
    const giants = swarm.addNodes(2, () => ({ ...bad, name: 'giant', tamper: new GiantLength() }));
    swarm.addNodes(2, () => ({ ...bad, name: 'quitter', tamper: new Quitter() }));
    await swarm.startAll();
    await swarm.runUntilFinished(honest);
    swarm.watch.checkComplete(honest);

    const codesOf = (nodes: readonly SwarmNode[]): string[] => [
      ...new Set(nodes.flatMap((node) => [...swarm.watch.bannersOf(node.address).values()])),
    ];
    simulation.note(`last after ${rounded(Math.max(...honest.map((node) => node.secondsToFinish)))} s`);
    simulation.note(`memory lent at most ${rounded(swarm.watch.lentBytesPeak / 2 ** 20)} MiB a node`);
    deepEqual(codesOf(flooders), ['BITTORRENT_WIRE_UNASKED']);
    deepEqual(codesOf(giants), ['BITTORRENT_WIRE_TOO_LONG']);
    await swarm.end();
  },
);
