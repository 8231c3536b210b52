/**
 * A limit over real sockets: it is never exceeded, however busy the processors are. That it is reached too is shown in
 * virtual time (sim/rate.test.ts), for there nothing else runs.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeContent, withBench } from './service.fixture.ts';
import { rateLimits } from './shell/rate-limit.ts';

const limit = 10e6;
/** What may pass before any time has: the bucket, and what a connection brings before it is paused. */
const burstBytes = 1e6;

for (const side of ['limitUp', 'limitDown'] as const) {
  test(`no more than 10 MB/s pass: ${side}`, (t) =>
    withBench(async (bench) => {
      const seeder = await bench.start('seed', side === 'limitUp' ? { limitUp: limit } : {});
      const leech = await bench.start('leech', side === 'limitDown' ? { limitDown: limit } : {});
      const { torrent } = await bench.seed(seeder, makeContent([20_000_000]));
      const startMs = performance.now();
      const id = await bench.get(leech, torrent, seeder);
      let fullest = 0;
      await leech.until(
        id,
        ({ state, downloadedBytes }) => {
          const allowed = (limit * (performance.now() - startMs)) / 1000 + burstBytes;
          fullest = Math.max(fullest, (downloadedBytes * (1 + rateLimits.headerShare)) / allowed);
          return state === 'seeding';
        },
        120_000,
      );
      t.diagnostic(`at most ${(100 * fullest).toFixed(1)} % of what may have passed had passed`);
      assert.ok(fullest <= 1.02, `${fullest}`);
    }));
}
