/**
 * Three of ten peers lie: each flips a byte in some of the blocks that it sends. No wrong byte is accepted (the watch
 * sees to that, with all its other promises), the honest complete, and every liar is named by all those it lied to.
 *
 * But for lies that came in the victim's last five seconds: in the end game a block comes twice, the second is passed
 * over unread, and so are those still on their way when all is complete.
 */
import { deepEqual, ok } from 'node:assert/strict';
import { Prng } from '@tequio/kernel';
import { rounded, sum } from './measures.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';
import type { SwarmNode } from './swarm-node.ts';
import { flooder, GiantLength, Liar, Quitter, Staller } from './tamper.ts';

const line = { upRate: 250_000, downRate: 1_000_000 };

const endGameMs = 5000;

function victimsOf({ lies }: Liar, honest: readonly SwarmNode[]): SwarmNode[] {
  return honest.filter((node) =>
    lies.some(({ to, atMs }) => to === node.address && atMs < node.finishedMs! - endGameMs),
  );
}

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
        (_, index) => new Liar([0.02, 0.1, 0.5][index % 3]!, prng.fork(), swarm.world.clock),
      );
      const liars = swarm.addNodes(6, (index) => ({ line, tamper: tampers[index]!, isHonest: false }));
      await swarm.startAll();
      await swarm.runUntilFinished(honest);
      await swarm.run(10_000);
      swarm.watch.checkComplete(honest);

      const lieCount = sum(tampers.map(({ lies }) => lies.length));
      const pairs = liars.flatMap((liar, index) =>
        victimsOf(tampers[index]!, honest).map((victim) => ({ liar, victim })),
      );
      const unnamed = pairs.filter(
        ({ liar, victim }) => !swarm.watch.bannersOf(liar.address).has(victim.address),
      );
      simulation.note(`${lieCount} lies to ${pairs.length} pairs of liar and victim`);
      simulation.note(`last after ${rounded(Math.max(...honest.map((node) => node.secondsToFinish)))} s`);
      ok(pairs.length > 40, 'there was something to find');
      deepEqual(
        unnamed.map(({ liar, victim }) => `${liar.name} lied to ${victim.name}`),
        [],
        'these were not named',
      );
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
