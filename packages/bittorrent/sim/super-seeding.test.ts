/**
 * Super seeding: a first seed with a thin line sends each piece about once, and the others do the rest. Two pieces a
 * leecher are on their way at a time, and when all that are missing are on their way to somebody, they are shown to
 * others too: so about 2 leechers / pieces of a copy is sent more than once, 8 % here.
 */
import { ok } from 'node:assert/strict';
import { rounded } from './measures.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';

const line = { upRate: 100_000, downRate: 1_000_000 };
const totalBytes = 6 << 20;
const pieceBytes = 1 << 14;

/** Copies that the seed has sent when every piece is at some leecher, and seconds until the last one is complete. */
async function runWith(superSeed: boolean, seed: number): Promise<{ copies: number; seconds: number }> {
  const swarm = new Swarm({ seed, totalBytes, pieceBytes });
  const first = swarm.addNode({ seed: true, line, add: { superSeed } });
  const leechers = swarm.addNodes(15, () => ({ line }));
  await swarm.startAll();
  const { pieceCount } = swarm.made.metainfo.info;
  const seen = new Set<number>();
  const isSpread = (): boolean => {
    for (const node of leechers) for (const piece of swarm.watch.verified.get(node) ?? []) seen.add(piece);
    return seen.size === pieceCount;
  };
  while (!isSpread()) await swarm.run(500);
  const copies = first.snapshot.uploadedBytes / totalBytes;
  await swarm.runUntilFinished(leechers);
  swarm.watch.checkComplete(leechers);
  await swarm.end();
  return { copies, seconds: Math.max(...leechers.map((node) => node.secondsToFinish)) };
}

simulate('super seeding: each piece leaves the seed about once', import.meta.filename, async (simulation) => {
  const plain = await runWith(false, simulation.seed);
  const hidden = await runWith(true, simulation.seed);
  for (const [name, { copies, seconds }] of Object.entries({ plain, super: hidden })) {
    simulation.note(
      `${name}: ${rounded(copies)} copies until every piece is out; last after ${rounded(seconds)} s`,
    );
  }
  ok(hidden.copies < 1.2, `${hidden.copies} copies`);
  ok(plain.copies > hidden.copies + 0.1, `${plain.copies} copies without`);
});
