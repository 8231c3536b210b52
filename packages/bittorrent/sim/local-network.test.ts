/** Two on one local network, without tracker, DHT or peer: they hear each other there (BEP 14), nobody elsewhere. */
import { deepEqual, equal } from 'node:assert/strict';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';
import type { NodeOptions } from './swarm-node.ts';

simulate(
  'local discovery: who is on the network finds the seed',
  import.meta.filename,
  async ({ seed, note }) => {
    const swarm = new Swarm({ seed, totalBytes: 1_000_000, pieceBytes: 1 << 15 });
    const on = (lan: string, options: NodeOptions): NodeOptions => ({
      ...options,
      line: { lan },
      service: { lsd: true },
      add: { trackers: [] },
    });
    swarm.addNode(on('home', { seed: true }));
    const near = swarm.addNode(on('home', { fromMagnet: true }));
    const far = swarm.addNode(on('elsewhere', { fromMagnet: true }));
    await swarm.startAll();
    await swarm.runUntilFinished([near], 600_000);
    note(`complete ${near.secondsToFinish.toFixed(1)} s after it began`);
    swarm.watch.checkComplete([near]);
    await swarm.run(600_000);
    equal(far.finishedMs, null);
    deepEqual([far.snapshot.peerCount, far.snapshot.candidateCount], [0, 0]);
    await swarm.end();
  },
);
