import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { FakeEngine } from '../testing/fake-engine.ts';
import { TorrentsBench } from '../torrents/torrents.fixture.ts';
import { startFront } from './http-front.fixture.ts';
import { idOf } from './testing/fake-management.ts';

const torrentCount = 100_000;

/**
 * A hundred thousand torrents in the node's own book, over an engine that does nothing. The promise is 50 ms; what is
 * measured is time of the processor, of client and server together, so that a busy machine does not spoil it.
 */
test('a hundred thousand torrents: a page, what has changed, and a still client', async (t) => {
  const engine = new FakeEngine();
  for (let index = 0; index < torrentCount; index++)
    engine.put(idOf(index), { state: 'seeding', doneBytes: 1000, uploadedBytes: index % 977 });
  const bench = new TorrentsBench({}, { engine });
  bench.caretaker.tick();
  const front = await startFront(t, { prepare: (node) => void (node.torrents = bench.service) });
  const { ask } = front;
  const figures: Record<string, number> = {};
  const path = '/api/v1/torrents?limit=100&offset=50000&sort=ratio&descending=true';
  figures['page of 100, ms'] = await medianMs(async () => equal((await ask(path)).status, 200));
  const fields = '/api/v1/torrents?limit=1000&fields=name,state,progress,downRate,upRate';
  figures['page of 1000, 5 fields, ms'] = await medianMs(async () => equal((await ask(fields)).status, 200));
  let rate = 0;
  const { version } = await bench.service.changes(0);
  figures['100 changes, ms'] = await medianMs(async () => {
    rate++;
    for (let index = 0; index < 100; index++) engine.put(idOf(index), { upRate: rate });
    const { json } = await ask(`/api/v1/torrents/changes?since=${version}`);
    equal((json as { changed: unknown[] }).changed.length, 100);
  });

  const incoming = await front.open(
    '/api/v1/events?channels=torrents,events,status&limit=200&intervalMs=250',
  );
  let bytes = 0;
  incoming.on('data', (part: Uint8Array) => void (bytes += part.length));
  await untilReal(() => bytes > 10_000);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const [fromBytes, fromMs, cpu] = [bytes, performance.now(), process.cpuUsage()];
  // Nothing that this client looks at moves.
  for (let round = 0; round < 4; round++) {
    engine.put(idOf(70_000), { upRate: round });
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const seconds = (performance.now() - fromMs) / 1000;
  figures['still client, B/s'] = (bytes - fromBytes) / seconds;
  const { user, system } = process.cpuUsage(cpu);
  figures['still client, % of a core'] = (user + system) / 10_000 / seconds;
  incoming.destroy();

  const text = JSON.stringify(figures);
  ok(figures['page of 100, ms']! < 150, text);
  ok(figures['page of 1000, 5 fields, ms']! < 150, text);
  ok(figures['100 changes, ms']! < 150, text);
  ok(figures['still client, B/s']! < 1000, text);
  if (process.env['TEQUIO_FIGURES'] !== undefined) process.stdout.write(`${text}\n`);
});

/** Time of the processor. */
async function medianMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 9; run++) {
    const from = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(from);
    times.push((user + system) / 1000);
  }
  return times.sort((a, b) => a - b)[4]!;
}

test('a client that does not read what it asked for costs one turn, and is let go', async (t) => {
  const front = await startFront(t);
  for (let index = 0; index < 1000; index++) front.node.put(idOf(index));
  const incoming = await front.open('/api/v1/events?channels=torrents&limit=1000&intervalMs=250');
  incoming.pause();
  const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
  // Each turn would be about half a megabyte: more than the system keeps for one connection after some.
  const asked = front.node.changesCount;
  for (let round = 0; round < 12; round++) {
    for (let index = 0; index < 1000; index++)
      front.node.put(idOf(index), { comment: `${round} `.repeat(300) });
    await new Promise((resolve) => setTimeout(resolve, 260));
  }
  ok(front.node.changesCount - asked < 12, `${front.node.changesCount - asked} turns for nobody`);
  const grown = process.memoryUsage().arrayBuffers + process.memoryUsage().external - before;
  ok(grown < 16 << 20, `${grown} bytes`);
  incoming.destroy();
});
