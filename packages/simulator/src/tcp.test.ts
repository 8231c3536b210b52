import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamConnection, StreamHandler } from '@tequio/kernel';
import { testTcpPort } from '@tequio/kernel/compliance/tcp';
import { type HostPorts, World } from './world.ts';

for (const rate of [Number.POSITIVE_INFINITY, 20e6]) {
  testTcpPort(`simulated tcp at ${rate} bytes/s`, async () => {
    const world = new World({ seed: 1 });
    const server = world.addHost({ downRate: rate, upRate: rate });
    const client = world.addHost({ downRate: rate, upRate: rate });
    return {
      server: server.tcp,
      client: client.tcp,
      serverAddress: server.host.addresses[0]!,
      clientAddress: client.host.addresses[0]!,
      until: (condition) => world.run(condition),
      pass: (ms) => world.run(ms),
      close: async () => {},
    };
  });
}

type Sink = StreamHandler & { bytes: number; error: string | null | undefined; openMs: number | null };

function sink(world: World): Sink {
  return {
    bytes: 0,
    error: undefined,
    openMs: null,
    onOpen() {
      this.openMs = world.clock.nowMs();
    },
    onBytes(bytes) {
      this.bytes += bytes.length;
    },
    onClose(error) {
      this.error = error;
    },
  };
}

/** Connects and returns both ends. */
async function connect(world: World, from: HostPorts, to: HostPorts) {
  const [near, far] = [sink(world), sink(world)];
  let accepted: StreamConnection | null = null;
  const listener = await to.tcp.listen({ address: null, port: 0 }, (connection) => {
    accepted = connection;
    return far;
  });
  const address = to.host.addresses[0]!;
  const dialled = from.tcp.dial({ address, port: listener.local.port }, { timeoutMs: 5000 }, near);
  await world.run(() => accepted !== null && near.openMs !== null);
  return { near, far, dialled, accepted: accepted as unknown as StreamConnection };
}

test('a dial takes a round trip, bytes half of one', async () => {
  const world = new World({ seed: 1 });
  const [a, b] = [world.addHost({ latencyMs: 30 }), world.addHost({ latencyMs: 20 })];
  const { near, far, dialled } = await connect(world, a, b);
  equal(near.openMs, 100);
  const startMs = world.clock.nowMs();
  dialled.write([new Uint8Array(10)]);
  await world.run(() => far.bytes === 10);
  ok(Math.abs(world.clock.nowMs() - startMs - 50) < 2);
});

test('nobody behind a router, cut off or absent answers: the dial times out', async () => {
  const world = new World({ seed: 1 });
  const dialler = world.addHost();
  const hidden = world.addHost({ nat: true });
  const cutOff = world.addHost();
  world.network.cutOff(cutOff.host);
  await hidden.tcp.listen({ address: null, port: 80 }, () => null);
  await cutOff.tcp.listen({ address: null, port: 80 }, () => null);
  const ends: unknown[] = [];
  for (const address of [hidden.host.addresses[0]!, cutOff.host.addresses[0]!, '99.9.9.9' as never]) {
    const handler = {
      onBytes() {},
      onClose: (error: string | null) => ends.push([error, world.clock.nowMs()]),
    };
    dialler.tcp.dial({ address, port: 80 }, { timeoutMs: 700 }, handler);
  }
  await world.run(() => ends.length === 3);
  deepEqual(ends, Array(3).fill(['timed out', 700]));
  const { near } = await connect(world, hidden, dialler);
  ok(near.openMs !== null, 'behind a router one can still dial out');
});

test('lines are full and shared fairly, up and down', async () => {
  const world = new World({ seed: 1 });
  const seed = world.addHost({ upRate: 1e6 });
  const leechers = Array.from({ length: 4 }, () => world.addHost({ latencyMs: 15 }));
  const pairs = [];
  for (const leecher of leechers) pairs.push(await connect(world, leecher, seed));
  for (const { accepted } of pairs) accepted.write([new Uint8Array(50e6)]);
  await world.run(20_000);
  const counts = pairs.map(({ near }) => near.bytes);
  const sum = counts.reduce((a, b) => a + b);
  ok(Math.abs(sum - 20e6) < 0.04 * 20e6, `upload ${sum}`);
  for (const count of counts) ok(Math.abs(count - sum / 4) < 0.03 * sum, `share ${count} of ${sum}`);

  const slow = world.addHost({ downRate: 500_000 });
  const senders = [await connect(world, leechers[0]!, slow), await connect(world, leechers[1]!, slow)];
  for (const { dialled } of senders) dialled.write([new Uint8Array(50e6)]);
  const startMs = world.clock.nowMs();
  await world.run(10_000);
  const rate = (senders[0]!.far.bytes + senders[1]!.far.bytes) / ((world.clock.nowMs() - startMs) / 1000);
  ok(Math.abs(rate - 500_000) < 0.05 * 500_000, `download ${rate}`);
});

test('a cut way stalls a connection and healing lets it go on', async () => {
  const world = new World({ seed: 1 });
  const [a, b] = [world.addHost({ upRate: 1e6 }), world.addHost()];
  const { far, dialled } = await connect(world, a, b);
  dialled.write([new Uint8Array(3e6)]);
  await world.run(1000);
  world.network.partition([[a.host]]);
  await world.run(200);
  const stalledAt = far.bytes;
  ok(stalledAt > 500_000 && stalledAt < 3e6);
  await world.run(60_000);
  equal(far.bytes, stalledAt);
  equal(far.error, undefined);
  world.network.heal();
  await world.run(() => far.bytes === 3e6);
});

test('connections can be reset from outside', async () => {
  const world = new World({ seed: 1 });
  const [a, b] = [world.addHost(), world.addHost()];
  const { near, far } = await connect(world, a, b);
  equal(world.network.connectionCount, 2);
  world.network.resetConnections(1);
  deepEqual([near.error, far.error], ['reset by the other side', 'reset by the other side']);
  equal(world.network.connectionCount, 0);
});
