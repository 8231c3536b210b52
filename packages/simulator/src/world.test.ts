import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamConnection } from '@tequio/kernel';
import { World } from './world.ts';

test('a failure names the seed', async () => {
  const world = new World({ seed: 4711 });
  world.clock.setTimer(250, () => {
    throw new Error('something broke');
  });
  await rejects(world.run(1000), { message: 'simulation, seed 4711, at 250 ms: something broke' });
  await rejects(
    world.run(() => false),
    { message: /seed 4711, at 250 ms: nothing will happen any more/ },
  );
  const again = (): void => void world.clock.setTimer(10, again);
  again();
  await rejects(
    world.run(() => false, 5000),
    /seed 4711, at \d+ ms: it took too long/,
  );
});

test('promises run before virtual time goes on by more than a millisecond', async () => {
  const world = new World({ seed: 1 });
  const host = world.addHost();
  const times: number[] = [];
  const work = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await host.resolver.resolve('1.2.3.4');
      await new Promise<void>((resolve) => host.clock.setTimer(100, resolve));
      times.push(Math.floor(world.clock.nowMs()));
    }
  };
  // Something happens all the time.
  const tick = (): void => void world.clock.setTimer(0.1, tick);
  tick();
  const done = work();
  await world.run(400);
  await done;
  times.forEach((ms, i) => {
    ok(Math.abs(ms - 100 * (i + 1)) <= 4, `${times}`);
  });
});

test('time moves to the end of a run, and names and hashes work', async () => {
  const world = new World({ seed: 1 });
  const host = world.addHost({ name: 'a' });
  world.network.setName('a.test', host.host.addresses);
  await world.run(1234);
  equal(world.clock.nowMs(), 1234);
  const found = host.resolver.resolve('a.test');
  const missing = rejects(host.resolver.resolve('b.test'), { code: 'NET_RESOLVE' });
  await world.run(100);
  deepEqual(await found, host.host.addresses);
  await missing;
  equal(host.hashes.sha1(new Uint8Array(0))[0], 0xda);
  equal(host.entropy.bytes(5).length, 5);
});

/** Each host dials some others and everybody sends all the time; what arrived where, as numbers. */
async function busyWorld(
  seed: number,
  hostCount: number,
  dialCount: number,
  runMs: number,
): Promise<number[]> {
  const world = new World({ seed });
  const hosts = Array.from({ length: hostCount }, () =>
    world.addHost({ upRate: 250_000, downRate: 1e6, latencyMs: 5 + world.prng.below(60) }),
  );
  const block = new Uint8Array(16 * 1024);
  const received = hosts.map(() => 0);
  const feed = (connection: StreamConnection): void => connection.write([block], () => feed(connection));
  for (const [index, { tcp }] of hosts.entries()) {
    const onBytes = (bytes: Uint8Array): void => {
      received[index]! += bytes.length;
    };
    await tcp.listen({ address: null, port: 6881 }, (connection) => {
      feed(connection);
      return { onBytes, onClose() {} };
    });
    for (let i = 0; i < dialCount; i++) {
      const to = hosts[world.prng.below(hostCount)]!.host.addresses[0]!;
      world.clock.setTimer(world.prng.below(1000), () => {
        const connection = tcp.dial(
          { address: to, port: 6881 },
          { timeoutMs: 5000 },
          {
            onOpen: () => feed(connection),
            onBytes,
            onClose() {},
          },
        );
      });
    }
  }
  await world.run(runMs);
  return [...received, world.clock.firedCount];
}

test('the same seed gives the same run, event by event', async () => {
  const first = await busyWorld(3, 12, 4, 5000);
  deepEqual(first, await busyWorld(3, 12, 4, 5000));
  ok(first.every((count) => count > 0));
});
