/**
 * Who gets how much. A seed serves equals equally, by turns; leechers give to those who give.
 *
 * The second is measured where upload is scarce, slots are few and the seed is quick: then the leechers decide who is
 * done when. (A slow seed with many slots everywhere would end it for all at one moment, that of the last new piece.)
 * Measured over six seeds: when the first contributor is done the others have 93 to 97 %, free riders 65 to 79 %; with
 * regular slots given without regard to what comes back, free riders have 97 % and contributors 90 %.
 */
import { ok } from 'node:assert/strict';
import { jain, mean, rounded } from './measures.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';
import { freeRider } from './tamper.ts';

simulate('a seed serves equals equally', import.meta.filename, async (simulation) => {
  const swarm = new Swarm({ seed: simulation.seed, totalBytes: 24 << 20, pieceBytes: 1 << 17 });
  swarm.addNode({ seed: true, line: { upRate: 100_000 }, service: { uploadSlots: 4 } });
  // Nobody can dial them, and nobody brings them together, so they have nobody but the seed.
  const leechers = swarm.addNodes(12, () => ({
    line: { nat: true, downRate: 1e6 },
    service: { transport: 'tcp', pex: false },
  }));
  await swarm.startAll();
  await swarm.run(20 * 60_000);

  const bytes = leechers.map((node) => node.snapshot.downloadedBytes);
  simulation.note(
    `most ${rounded(Math.max(...bytes) / mean(bytes))}, least ${rounded(Math.min(...bytes) / mean(bytes))} of the mean`,
  );
  simulation.note(`Jain's index ${rounded(jain(bytes), 3)}`);
  ok(
    leechers.every((node) => node.finishedMs === null),
    'the shares are taken while all want more',
  );
  ok(jain(bytes) > 0.98, `${bytes}`);
  ok(Math.max(...bytes) < 1.25 * mean(bytes) && Math.min(...bytes) > 0.75 * mean(bytes), `${bytes}`);
  await swarm.end();
});

simulate('leechers serve those who serve them', import.meta.filename, async (simulation) => {
  const swarm = new Swarm({ seed: simulation.seed, totalBytes: 16 << 20, pieceBytes: 1 << 16 });
  const line = { upRate: 60_000, downRate: 1e6 };
  const service = { uploadSlots: 5 };
  swarm.addNode({ seed: true, line: { upRate: 250_000 }, service: { uploadSlots: 5 } });
  const contributors = swarm.addNodes(12, () => ({ line, service }));
  const riders = swarm.addNodes(6, () => ({ line, service, tamper: freeRider }));
  await swarm.startAll();
  // Afterwards the contributors are seeds, and serve everybody.
  await swarm.run(() => contributors.some((node) => node.finishedMs !== null));
  const given = mean(contributors.map((node) => node.snapshot.havePieceCount));
  const taken = mean(riders.map((node) => node.snapshot.havePieceCount));
  const seconds = swarm.nowSeconds;
  await swarm.runUntilFinished(contributors);
  const contributorsSeconds = swarm.nowSeconds;
  await swarm.runUntilFinished(riders);
  swarm.watch.checkComplete(swarm.leechers);

  const { pieceCount } = swarm.made.metainfo.info;
  simulation.note(
    `the first contributor is done after ${rounded(seconds)} s, the last after ${rounded(contributorsSeconds)} s`,
  );
  simulation.note(
    `by then contributors have ${rounded(given / pieceCount)}, free riders ${rounded(taken / pieceCount)}`,
  );
  ok(riders.every((node) => node.snapshot.uploadedBytes === 0));
  ok(taken < 0.9 * given, `free riders have ${taken} pieces, contributors ${given}`);
  const late =
    mean(riders.map((node) => node.secondsToFinish)) / mean(contributors.map((node) => node.secondsToFinish));
  simulation.note(
    `free riders take ${rounded(late)} times as long, though contributors serve them when they are done`,
  );
  ok(late > 1.03, `${late}`);
  await swarm.end();
});
