import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FilesPort, type IpAddress, NodeError } from '@tequio/kernel';
import type { AddressFilterFile } from '@tequio/network';
import { VirtualClock } from '@tequio/simulator';
import { NetworkService } from './network-service.ts';

const hourMs = 3_600_000;
const url = 'https://lists.example/level1';
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** A node whose list lies in the web; what is there a test says. */
class Bench {
  readonly clock = new VirtualClock();
  readonly kept = new Map<string, Uint8Array>();
  readonly end = new AbortController();
  list: string | null = 'A:192.0.2.0-192.0.2.255\n';
  fetchCount = 0;
  inForce: AddressFilterFile | null = null;
  source: string | null = url;

  readonly service = new NetworkService({
    engine: { bans: () => [], ban: () => undefined, unban: () => false },
    nat: null,
    clock: this.clock,
    files: {
      realPath: async (path: string) => (this.kept.has(path) ? path : null),
      readFile: async (path: string) => this.kept.get(path)!,
      writeFile: async (path: string, bytes: Uint8Array) => void this.kept.set(path, bytes),
    } as unknown as FilesPort,
    dataFolder: '/data',
    settings: () => ({ source: this.source, refreshHours: 24 }),
    fetch: async () => {
      this.fetchCount++;
      if (this.list === null) throw new NodeError('SOURCE_UNREACHABLE', 'No answer.');
      return bytesOf(this.list);
    },
    use: (filter) => void (this.inForce = filter),
  });

  blocks(address: string): boolean {
    return this.inForce?.filter.blocks(address as IpAddress) ?? false;
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs() + ms;
    while ((this.clock.nextMs() ?? Number.POSITIVE_INFINITY) <= untilMs) {
      this.clock.fireNext();
      await settled();
    }
    this.clock.advanceTo(untilMs);
  }
}

test('a list from the web is fetched again when it is old, and the new one is in force at once', async () => {
  const bench = new Bench();
  await bench.service.begin();
  assert.ok(bench.blocks('192.0.2.9') && !bench.blocks('198.51.100.9'));
  const running = bench.service.run(bench.end.signal);
  bench.list = 'B:198.51.100.0-198.51.100.255\nwrong\n';
  await bench.pass(23 * hourMs);
  assert.equal(bench.fetchCount, 1);
  await bench.pass(2 * hourMs);
  assert.equal(bench.fetchCount, 2);
  assert.ok(!bench.blocks('192.0.2.9') && bench.blocks('198.51.100.9'));
  const report = await bench.service.addressFilter();
  assert.deepEqual([report?.rangeCount, report?.badLineCount], [1, 1]);
  bench.source = null;
  await bench.pass(2 * 60_000);
  assert.equal(bench.inForce, null, 'none is wanted any more');
  bench.end.abort();
  await running;
});

test('without an answer the old list stays, the user is told, and the last one holds after a restart', async () => {
  const bench = new Bench();
  await bench.service.begin();
  bench.list = null;
  await assert.rejects(bench.service.refreshAddressFilter(), { code: 'SOURCE_UNREACHABLE' });
  assert.ok(bench.blocks('192.0.2.9'));
  const restarted = new Bench();
  for (const [path, bytes] of bench.kept) restarted.kept.set(path, bytes);
  await restarted.service.begin();
  assert.ok(restarted.blocks('192.0.2.9') && restarted.fetchCount === 0);
});

test('a list that is wanted and cannot be had keeps the node from starting', async () => {
  const bench = new Bench();
  bench.list = null;
  await assert.rejects(bench.service.begin(), { code: 'SOURCE_UNREACHABLE' });
});
