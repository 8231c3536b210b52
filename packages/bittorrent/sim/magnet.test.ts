/** A swarm in which only the seed has the torrent file: metadata, hashes and content all come from peers. */
import { deepEqual, ok } from 'node:assert/strict';
import { rounded } from './measures.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';
import { FalseGuide } from './tamper.ts';

const line = { upRate: 250_000, downRate: 1_000_000 };

for (const version of ['v1', 'v2', 'hybrid'] as const) {
  simulate(`from a magnet link, ${version}: all complete`, import.meta.filename, async (simulation) => {
    const { seed } = simulation;
    const swarm = new Swarm({ seed, totalBytes: 3_000_001, pieceBytes: 1 << 15, version });
    swarm.addNode({ seed: true, line });
    const leechers = swarm.addNodes(9, () => ({ line, fromMagnet: true }));
    await swarm.startAll();
    await swarm.runUntilFinished(leechers);
    swarm.watch.checkComplete(leechers);
    const seconds = leechers.map((node) => node.secondsToFinish);
    simulation.note(`last after ${rounded(Math.max(...seconds))} s`);
    ok(Math.max(...seconds) < 60, `${seconds}`);
    await swarm.end();
  });
}

for (const version of ['v1', 'v2'] as const) {
  simulate(
    `from a magnet link, ${version}, among false guides: all complete`,
    import.meta.filename,
    async (simulation) => {
      const { seed } = simulation;
      const swarm = new Swarm({ seed, totalBytes: 3_000_001, pieceBytes: 1 << 15, version });
      const guides = Array.from({ length: 4 }, () => new FalseGuide());
      const nodes = guides.map((tamper) => swarm.addNode({ seed: true, line, tamper, isHonest: false }));
      const leechers = swarm.addNodes(7, () => ({ line, fromMagnet: true }));
      await swarm.startAll();
      // The honest one comes late, so that everybody has been misled by then.
      await swarm.startAll(1000, [swarm.addNode({ seed: true, line })]);
      await swarm.runUntilFinished(leechers);
      swarm.watch.checkComplete(leechers);
      const seconds = leechers.map((node) => node.secondsToFinish);
      let misledCount = 0;
      guides.forEach(({ misled }, index) => {
        const named = swarm.watch.bannersOf(nodes[index]!.address);
        misledCount += misled.size;
        deepEqual(
          [...misled].filter((address) => !named.has(address)),
          [],
          `${nodes[index]!.name} is not named by these`,
        );
      });
      simulation.note(`last after ${rounded(Math.max(...seconds))} s; misled and said so: ${misledCount}`);
      ok(misledCount > 0, 'somebody was misled');
      ok(Math.max(...seconds) < 120, `${seconds}`);
      await swarm.end();
    },
  );
}
