/**
 * The user's limits, kept by whole services over simulated TCP and uTP: a transfer as fast as a limit of 1, 10 or
 * 100 MB/s lets it be, headers counted, in virtual time. What a busy processor makes of it is no part of this.
 */
import { ok } from 'node:assert/strict';
import { type MadeTorrent, makeTorrent } from '../src/core/made-torrent.fixture.ts';
import { rateLimits } from '../src/shell/rate-limit.ts';
import { simulate } from './simulate.ts';
import { Swarm } from './swarm.ts';

/** The burst of the start is paid back, and uTP has found its window. */
const settleMs = 500;
/** Long enough that a block of 16 KiB is 1 % at most. */
const measuredMsOf = (limit: number): number => (limit > 50e6 ? 300 : 1500);
const pieceBytes = 1 << 18;

/** Bytes a second on the line, as the one who downloads counts them. */
async function rateOf(
  seed: number,
  made: MadeTorrent,
  transport: 'tcp' | 'utp',
  limits: { readonly limitUp?: number; readonly limitDown?: number },
  measuredMs: number,
): Promise<number> {
  const swarm = new Swarm({ seed, made });
  const line = { latencyMs: 0.25 };
  const { limitUp = null, limitDown = null } = limits;
  swarm.addNode({ seed: true, line, service: { transport, limitUp } });
  const leech = swarm.addNode({ line, service: { transport, limitDown, pieceMemoryBytesMax: 32 << 20 } });
  await swarm.startAll(1);
  await swarm.run(() => leech.snapshot.downloadedBytes > 0);
  await swarm.run(settleMs);
  const before = leech.snapshot.downloadedBytes;
  await swarm.run(measuredMs);
  const bytes = leech.snapshot.downloadedBytes - before;
  ok(leech.finishedMs === null, 'there was content for all of the time');
  await swarm.end();
  return (bytes * (1 + rateLimits.headerShare) * 1000) / measuredMs;
}

for (const megabytes of [1, 10, 100]) {
  const limit = megabytes * 1e6;
  const measuredMs = measuredMsOf(limit);
  const made = makeTorrent('v1', pieceBytes, [Math.round((limit * (settleMs + measuredMs + 300)) / 1000)]);
  for (const transport of ['tcp', 'utp'] as const) {
    for (const side of ['limitUp', 'limitDown'] as const) {
      simulate(
        `${megabytes} MB/s over ${transport}, ${side}`,
        import.meta.filename,
        async ({ seed, note }) => {
          const rate = await rateOf(seed, made, transport, { [side]: limit }, measuredMs);
          const error = rate / limit - 1;
          note(`${(rate / 1e6).toFixed(2)} MB/s: ${(100 * error).toFixed(1)} %`);
          ok(Math.abs(error) < 0.05, `${rate} bytes/s`);
        },
      );
    }
  }
}
