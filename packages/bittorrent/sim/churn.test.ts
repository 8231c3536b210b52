/** A swarm that never rests: peers come and go, the network falls apart and heals. Who stays completes. */
import { ok } from 'node:assert/strict';
import { mean, rounded } from './measures.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';

const line = { upRate: 100_000, downRate: 500_000 };

simulate(
  'churn: three of ten peers leave each minute, as many come; who stays completes',
  import.meta.filename,
  async (simulation) => {
    const swarm = new Swarm({ seed: simulation.seed, totalBytes: 6 << 20, pieceBytes: 1 << 16 });
    swarm.addNode({ seed: true, line });
    const steady = swarm.addNodes(8, () => ({ line }));
    let fleeting = swarm.addNodes(16, () => ({ line }));
    await swarm.startAll();
    let leftCount = 0;
    // 24 leechers, 30 % a minute: one each 8.3 s.
    const change = (): void => {
      if (steady.every((node) => node.finishedMs !== null)) return;
      const leaver = swarm.prng.pick(fleeting);
      fleeting = fleeting.filter((node) => node !== leaver);
      // Every second one takes no leave.
      if (leaver.isRunning && leftCount++ % 2 === 0) leaver.kill();
      else if (leaver.isRunning) swarm.do(leaver.stop());
      const comer = swarm.addNode({ line });
      fleeting.push(comer);
      swarm.startLater(comer, 0);
      swarm.world.clock.setTimer(60_000 / (0.3 * 24), change);
    };
    change();
    await swarm.runUntilFinished(steady);
    swarm.watch.checkComplete(steady);
    const seconds = steady.map((node) => node.secondsToFinish);
    simulation.note(
      `${leftCount} left; those who stayed took ${rounded(mean(seconds))} s, at most ${rounded(Math.max(...seconds))} s`,
    );
    ok(leftCount > 8, `${leftCount} left`);
    ok(Math.max(...seconds) < 240, `${seconds}`);
    await swarm.end();
  },
);

simulate(
  'a network that falls in two heals, and everybody completes',
  import.meta.filename,
  async (simulation) => {
    const swarm = new Swarm({ seed: simulation.seed, totalBytes: 4 << 20, pieceBytes: 1 << 16 });
    swarm.addNode({ seed: true, line });
    const leechers = swarm.addNodes(12, () => ({ line }));
    await swarm.startAll();
    await swarm.run(15_000);
    // Half of them lose the seed, the tracker and the other half, for longer than a silent connection is kept.
    const cut = leechers.slice(0, 6);
    swarm.world.network.partition([cut.map((node) => node.host.host)]);
    const healMs = swarm.world.clock.nowMs() + 180_000;
    await swarm.run(180_000);
    const finishedBefore = cut.filter((node) => node.finishedMs !== null).length;
    swarm.world.network.heal();
    await swarm.runUntilFinished(leechers);
    swarm.watch.checkComplete(leechers);
    const seconds = Math.max(...cut.map((node) => (node.finishedMs! - healMs) / 1000));
    simulation.note(
      `${finishedBefore} of the island's 6 were complete before; the last ${rounded(seconds)} s after`,
    );
    ok(finishedBefore === 0, 'the island lacked pieces');
    ok(seconds < 300, `${seconds} s`);
    await swarm.end();
  },
);
