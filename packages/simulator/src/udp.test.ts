import { deepEqual, equal, notDeepEqual, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress } from '@tequio/kernel';
import { testUdpPort } from '@tequio/kernel/compliance/udp';
import { World } from './world.ts';

testUdpPort('simulated udp', async () => {
  const world = new World({ seed: 1 });
  const [server, client] = [world.addHost({ lan: 'home' }), world.addHost({ lan: 'home' })];
  return {
    server: server.udp,
    client: client.udp,
    serverAddress: server.host.addresses[0]!,
    clientAddress: client.host.addresses[0]!,
    multicast: { group: '239.192.152.143' as IpAddress, interface: null },
    until: (condition) => world.run(condition),
    pass: (ms) => world.run(ms),
  };
});

/** Sends numbers from 0 to count over a bad line; what arrived, in order. */
async function sendAll(
  seed: number,
  count: number,
  line: { udpLoss?: number; udpJitterMs?: number; upRate?: number },
) {
  const world = new World({ seed });
  const [a, b] = [world.addHost(line), world.addHost()];
  const got: number[] = [];
  const to = await b.udp.bind({ address: null, port: 0 }, (bytes) => got.push(bytes[0]! * 256 + bytes[1]!));
  const from = await a.udp.bind({ address: null, port: 0 }, () => {});
  const address = b.host.addresses[0]!;
  for (let i = 0; i < count; i++) {
    from.send(Uint8Array.of(i >> 8, i), { address, port: to.local.port });
    await world.run(5);
  }
  await world.run(1000);
  return got;
}

test('loss is what was asked for, and the same for the same seed', async () => {
  const got = await sendAll(5, 2000, { udpLoss: 0.2 });
  ok(Math.abs(got.length - 1600) < 80, `${got.length} of 2000`);
  deepEqual(got, await sendAll(5, 2000, { udpLoss: 0.2 }));
  notDeepEqual(got, await sendAll(6, 2000, { udpLoss: 0.2 }));
});

test('jitter changes the order and loses nothing', async () => {
  const got = await sendAll(5, 200, { udpJitterMs: 50 });
  equal(got.length, 200);
  notDeepEqual(
    got,
    got.toSorted((a, b) => a - b),
  );
});

test('a line that is far behind drops datagrams', async () => {
  const got = await sendAll(5, 500, { upRate: 2000 });
  ok(got.length > 100 && got.length < 300, `${got.length}`);
});

test('behind a router only those are heard who were written to', async () => {
  const world = new World({ seed: 1 });
  const [hidden, friend, stranger] = [world.addHost({ nat: true }), world.addHost(), world.addHost()];
  const heard: IpAddress[] = [];
  const any = { address: null, port: 0 } as const;
  const inside = await hidden.udp.bind(any, (_, from) => heard.push(from.address));
  const atFriend = await friend.udp.bind(any, () => {});
  const atStranger = await stranger.udp.bind(any, () => {});
  const to = { address: hidden.host.addresses[0]!, port: inside.local.port };
  inside.send(Uint8Array.of(1), { address: friend.host.addresses[0]!, port: atFriend.local.port });
  await world.run(100);
  atFriend.send(Uint8Array.of(2), to);
  atStranger.send(Uint8Array.of(3), to);
  await world.run(100);
  deepEqual(heard, [friend.host.addresses[0]]);
  await world.run(100_000);
  atFriend.send(Uint8Array.of(4), to);
  await world.run(100);
  equal(heard.length, 1, 'the router has forgotten');
});

test('multicast stays on its local network, and no router stands in its way there', async () => {
  const world = new World({ seed: 1 });
  const hosts = [
    world.addHost({ lan: 'one', nat: true }),
    world.addHost({ lan: 'one', nat: true }),
    world.addHost({ lan: 'two' }),
    world.addHost(),
  ];
  const multicast = { group: '239.192.152.143' as IpAddress, interface: null };
  const heard: number[] = [];
  const sockets = await Promise.all(
    hosts.map((host, i) => host.udp.bind({ address: null, port: 6771, multicast }, () => heard.push(i))),
  );
  const group = { address: multicast.group, port: 6771 };
  sockets[0]!.send(Uint8Array.of(1), group);
  await world.run(1000);
  deepEqual(heard, [0, 1]);
  sockets[3]!.send(Uint8Array.of(1), group);
  sockets[1]!.send(Uint8Array.of(1), { address: hosts[0]!.host.addresses[0]!, port: 6771 });
  await world.run(1000);
  deepEqual(heard.slice(2).toSorted(), [0, 3]);
});
