/** The harness itself: the same seed gives the same run, and a broken promise ends it. */
import { deepEqual, ok, rejects } from 'node:assert/strict';
import { Prng } from '@tequio/kernel';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';
import { contentPath } from './swarm-node.ts';
import { Liar } from './tamper.ts';

const line = { upRate: 250_000, downRate: 1_000_000 };
const options = { totalBytes: 1 << 20, pieceBytes: 1 << 15 };

/** Everything that can be told apart from outside: who finished when, and every byte on every line. */
async function traceOf(seed: number): Promise<number[]> {
  const swarm = new Swarm({ seed, ...options });
  swarm.addNode({ seed: true, line });
  swarm.addNodes(7, () => ({ line }));
  await swarm.startAll();
  await swarm.runUntilFinished(swarm.leechers);
  await swarm.end();
  const figures = swarm.nodes.flatMap(({ finishedMs, host }) => [
    finishedMs ?? 0,
    host.host.sentBytes,
    host.host.receivedBytes,
  ]);
  return [...figures, swarm.world.clock.firedCount];
}

simulate(
  'the same seed gives the same swarm, another seed another',
  import.meta.filename,
  async ({ seed }) => {
    const first = await traceOf(seed);
    deepEqual(await traceOf(seed), first);
    const other = await traceOf(seed + 1);
    ok(other.some((figure, index) => figure !== first[index]));
  },
);

simulate('the watch sees a ban of somebody who is called honest', import.meta.filename, async ({ seed }) => {
  const swarm = new Swarm({ seed, ...options });
  const liar = new Liar(0.5, new Prng(seed), swarm.world.clock);
  swarm.addNode({ seed: true, line, tamper: liar });
  const leechers = swarm.addNodes(3, () => ({ line }));
  const run = swarm.startAll().then(() => swarm.runUntilFinished(leechers));
  await rejects(run, /banned host-1, which is honest: BITTORRENT_BAD_PIECE/);
});

simulate('the watch sees wrong bytes on a disk', import.meta.filename, async ({ seed }) => {
  const swarm = new Swarm({ seed, ...options });
  swarm.addNode({ seed: true, line });
  const node = swarm.addNode({ line });
  await swarm.startAll();
  await swarm.runUntilFinished([node]);
  swarm.watch.checkComplete([node]);
  node.volume.rot(contentPath, 3 * options.pieceBytes + 1);
  swarm.watch.checkComplete([node]);
  await rejects(swarm.end(), /piece 3 is verified, and its bytes are wrong/);
});

simulate('a swarm that cannot complete names its seed', import.meta.filename, async ({ seed }) => {
  const swarm = new Swarm({ seed, ...options });
  const nodes = swarm.addNodes(3, () => ({ line }));
  await swarm.startAll();
  await rejects(swarm.runUntilFinished(nodes, 60_000), new RegExp(`seed ${seed}, .*it took too long`));
});
