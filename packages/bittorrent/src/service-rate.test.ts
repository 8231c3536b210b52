/** Limits over real sockets: a transfer between two nodes, measured for two seconds. */
import assert from 'node:assert/strict';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ServiceBench, type TestService, withBench } from './service.fixture.ts';
import { rateLimits } from './shell/rate-limit.ts';

const measureMs = 2000;

/** A file of zeros that takes no place on the disk. */
async function seedZeros(bench: ServiceBench, seeder: TestService, bytes: number): Promise<Uint8Array> {
  const path = join(seeder.folder, 'zeros');
  await mkdir(path, { recursive: true });
  const file = await open(join(path, 'zeros.bin'), 'w');
  await file.truncate(bytes);
  await file.close();
  const torrent = await seeder.service.create({ path, version: 'v1', pieceBytes: 262_144 });
  const id = await seeder.service.add({ torrent }, { folder: seeder.folder, seed: true });
  await seeder.until(id, ({ state }) => state === 'seeding', 30_000);
  assert.ok(bench.root !== '');
  return torrent;
}

/**
 * Bytes a second on the line, by what the torrent got and the headers around it. From one arrival to another: at a low
 * limit they come in runs of a receive buffer, a quarter of a second apart.
 */
async function measure(leech: TestService, id: string): Promise<number> {
  await leech.until(id, ({ downloadedBytes }) => downloadedBytes > 0);
  // The burst of the start is paid back first.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const arrivals: { readonly atMs: number; readonly bytes: number }[] = [];
  for (const endMs = performance.now() + measureMs; performance.now() < endMs; ) {
    const bytes = leech.snapshot(id).downloadedBytes;
    if (bytes !== (arrivals.at(-1)?.bytes ?? 0)) arrivals.push({ atMs: performance.now(), bytes });
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  // The first is what was there already.
  const [first, last] = [arrivals[1]!, arrivals.at(-1)!];
  return ((last.bytes - first.bytes) * (1 + rateLimits.headerShare) * 1000) / (last.atMs - first.atMs);
}

for (const megabytes of [1, 10, 100]) {
  for (const side of ['down', 'up'] as const) {
    // A machine that has other work may not carry the fastest; more than allowed it must never be.
    const shortMax = megabytes < 100 ? 5 : 95;
    test(`${megabytes} MB/s ${side} is kept within 5 %`, (t) =>
      withBench(async (bench) => {
        const limit = megabytes * 1e6;
        const seeder = await bench.start('seed', side === 'up' ? { limitUp: limit } : {});
        const leech = await bench.start('leech', side === 'down' ? { limitDown: limit } : {});
        const torrent = await seedZeros(bench, seeder, Math.max(16e6, 3.2 * limit));
        const id = await bench.get(leech, torrent, seeder);
        const rate = await measure(leech, id);
        const error = (100 * (rate - limit)) / limit;
        t.diagnostic(`${(rate / 1e6).toFixed(2)} MB/s, ${error.toFixed(1)} %`);
        assert.ok(error < 5 && error > -shortMax, `${error.toFixed(1)} %`);
      }));
  }
}
