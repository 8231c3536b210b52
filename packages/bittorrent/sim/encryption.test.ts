/** Swarms of mixed tastes: whoever can come to speak with each other does, and it costs no time worth naming. */
import { ok } from 'node:assert/strict';
import { rounded } from './measures.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';

const line = { upRate: 250_000, downRate: 1_000_000 };
type Policy = 'allow' | 'prefer' | 'require' | 'off';

/** Seconds until the last has everything. */
async function lastOf(
  seed: number,
  seedPolicy: Policy,
  policyOf: (index: number) => Policy,
): Promise<number> {
  const swarm = new Swarm({ seed, totalBytes: 3_000_001, pieceBytes: 1 << 15, version: 'hybrid' });
  swarm.addNode({ seed: true, line, service: { encryption: seedPolicy } });
  const leechers = swarm.addNodes(9, (index) => ({ line, service: { encryption: policyOf(index) } }));
  await swarm.startAll();
  await swarm.runUntilFinished(leechers);
  swarm.watch.checkComplete(leechers);
  await swarm.end();
  return Math.max(...leechers.map((node) => node.secondsToFinish));
}

simulate('encryption: mixed tastes, all complete', import.meta.filename, async (simulation) => {
  const { seed } = simulation;
  const plain = await lastOf(seed, 'off', () => 'off');
  const encrypted = await lastOf(seed, 'require', () => 'require');
  const mixed = await lastOf(seed, 'require', (index) => (index % 2 === 0 ? 'prefer' : 'require'));
  const bridged = await lastOf(seed, 'off', (index) =>
    index < 2 ? 'prefer' : index < 4 ? 'allow' : index % 2 ? 'off' : 'require',
  );
  const either = await lastOf(seed, 'off', (index) => (index % 2 === 0 ? 'prefer' : 'allow'));
  const all = { plain, encrypted, mixed, bridged, either };
  simulation.note(
    Object.entries(all)
      .map(([name, seconds]) => `${name}: last after ${rounded(seconds)} s`)
      .join(', '),
  );
  for (const [name, seconds] of Object.entries(all))
    ok(seconds < 1.3 * plain + 3, `${name}: ${seconds} s, plain ${plain} s`);
});
