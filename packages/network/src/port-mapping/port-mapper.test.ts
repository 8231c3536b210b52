import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress } from '@tequio/kernel';
import { type HostPorts, World } from '@tequio/simulator';
import { limits } from '../limits.ts';
import { FakeRouter, type FakeRouterOptions } from './fake-router.fixture.ts';
import type { WantedPort } from './mapping.ts';
import { PortMapper } from './port-mapper.ts';

const [lan4, lan6, gateway4, gateway6] = [
  '192.168.1.2',
  '2001:db8::2',
  '192.168.1.1',
  '2001:db8::1',
] as IpAddress[];
const both: readonly WantedPort[] = [
  { transport: 'udp', port: 27272 },
  { transport: 'tcp', port: 27272 },
];
const mapped4 = ['tcp:27272 -> 192.168.1.2 27272', 'udp:27272 -> 192.168.1.2 27272'];
const mapped6 = ['tcp:27272 -> 2001:db8::2 27272', 'udp:27272 -> 2001:db8::2 27272'];

type Home = { world: World; machine: HostPorts; router: FakeRouter; mapper: PortMapper };

/** A machine that wants both ports, at a router; started. */
async function home(options: FakeRouterOptions, ipv6 = false): Promise<Home> {
  const world = new World({ seed: 6 });
  const [own, gateway] = ipv6 ? [lan6!, gateway6!] : [lan4!, gateway4!];
  const place = { lan: 'home', latencyMs: 1 };
  const machine = world.addHost({ ...place, addresses: [own], gateway });
  const router = await FakeRouter.start(world.addHost({ ...place, addresses: [gateway] }), options);
  const mapper = newMapper(machine);
  return { world, machine, router, mapper };
}

function newMapper(machine: HostPorts): PortMapper {
  const mapper = new PortMapper(
    { nonce: new Uint8Array(12).fill(7), description: 'Tequio', bind: null },
    machine,
  );
  mapper.want(both);
  mapper.start();
  return mapper;
}

/** Closes within the bound; what the router holds afterwards. */
async function close({ world, mapper, router }: Home): Promise<readonly string[]> {
  let isClosed = false;
  void mapper.close().then(() => {
    isClosed = true;
  });
  const startMs = world.clock.nowMs();
  await world.run(() => isClosed);
  ok(world.clock.nowMs() - startMs <= limits.portMapping.stopMs + 10, 'closing is bounded');
  return router.list;
}

for (const protocol of ['pcp', 'nat-pmp', 'upnp'] as const) {
  test(`${protocol} alone: mapped at once, kept for a day, removed on stop`, async () => {
    const { world, router, mapper } = await home({ protocols: [protocol] });
    const first = await home({ protocols: [protocol] });
    await first.world.run(200);
    deepEqual(first.router.list, mapped4);
    await world.run(24 * 3600 * 1000);
    deepEqual(router.list, mapped4, 'a day later');
    const [way] = mapper.ways;
    equal(way?.protocol, protocol);
    deepEqual([way?.externalAddress, way?.isDoubleNat], ['8.8.4.4', false]);
    deepEqual(
      way?.mappings.map(({ state, externalPort }) => [state, externalPort]),
      [
        ['mapped', 27272],
        ['mapped', 27272],
      ],
    );
    equal(mapper.externalPortOf(both[0]!), 27272);
    deepEqual(await close({ world, router, mapper, machine: first.machine }), []);
  });

  test(`${protocol}: back within a minute after the router was off for any time`, async () => {
    for (const offMs of [500, 5_000, 40_000, 300_000]) {
      const { world, router } = await home({ protocols: [protocol] });
      await world.run(100_000 + offMs / 7);
      router.turnOff();
      await world.run(offMs);
      router.turnOn();
      const startMs = world.clock.nowMs();
      await world.run(() => router.list.length === 2, 60_000);
      const seconds = (world.clock.nowMs() - startMs) / 1000;
      ok(seconds < 45, `off ${offMs} ms: ${seconds} s`);
    }
  });

  test(`${protocol}: another external address is noticed within a minute`, async () => {
    const { world, router, mapper } = await home({ protocols: [protocol] });
    await world.run(60_000);
    router.externalAddress = '9.9.9.10' as IpAddress;
    await world.run(() => mapper.ways[0]?.externalAddress === '9.9.9.10', 60_000);
  });
}

for (const protocol of ['pcp', 'upnp'] as const) {
  test(`${protocol} opens pinholes for IPv6, keeps them, and removes them`, async () => {
    const room = await home({ protocols: [protocol] }, true);
    await room.world.run(2 * 3600 * 1000);
    deepEqual(room.router.list, mapped6);
    equal(room.mapper.ways[0]?.protocol, protocol);
    room.router.turnOff();
    await room.world.run(3000);
    room.router.turnOn();
    await room.world.run(() => room.router.list.length === 2, 60_000);
    equal(room.mapper.externalPortOf(both[0]!), null, 'only IPv4 ports are translated');
    deepEqual(await close(room), []);
  });
}

test('of all protocols one maps, and the others are shown', async () => {
  const room = await home({ protocols: ['pcp', 'nat-pmp', 'upnp'] });
  await room.world.run(1000);
  const [way] = room.mapper.ways;
  equal(way?.protocol, 'pcp');
  deepEqual(
    way?.protocols.map(({ protocol, state, detail }) => [protocol, state, detail]),
    [
      ['pcp', 'found', 'PCP'],
      ['nat-pmp', 'found', 'NAT-PMP'],
      ['upnp', 'found', 'WANIPConnection:2 Fake Router & Co'],
    ],
  );
  const { asked } = room.router;
  ok(!asked.includes('AddAnyPortMapping') && !asked.includes('nat-pmp map'), asked.join());
});

test('a router whose PCP refuses everything is asked by the next protocol', async () => {
  const room = await home({ protocols: ['pcp', 'upnp'], mapResult: 8 });
  await room.world.run(10_000);
  deepEqual(room.router.list, mapped4);
  equal(room.mapper.ways[0]?.protocol, 'upnp');
  match(room.mapper.ways[0]?.protocols[0]?.detail ?? '', /no room/);
  deepEqual(await close(room), []);
});

test('UPnP of version 1, with no leases, and of PPP: all are mapped', async () => {
  for (const igdVersion of [0, 1, 2] as const) {
    for (const onlyPermanent of [false, true]) {
      const room = await home({ protocols: ['upnp'], igdVersion, onlyPermanent });
      await room.world.run(3 * 3600 * 1000);
      deepEqual(room.router.list, mapped4, `version ${igdVersion}`);
      deepEqual(await close(room), [], `version ${igdVersion}`);
    }
  }
});

test('a port that is taken gets another number, and UDP wishes for the one that TCP got', async () => {
  for (const [protocols, igdVersion] of [
    [['pcp'], 2],
    [['nat-pmp'], 2],
    [['upnp'], 2],
    [['upnp'], 1],
  ] as const) {
    const room = await home({ protocols, igdVersion, taken: ['tcp:27272'] });
    await room.world.run(5000);
    const [tcp, udp] = room.mapper.ways[0]!.mappings;
    deepEqual([tcp?.transport, tcp?.state, udp?.state], ['tcp', 'mapped', 'mapped'], protocols[0]);
    ok(tcp!.externalPort !== 27272);
    equal(udp!.externalPort, tcp!.externalPort, `${protocols[0]} ${igdVersion}`);
    equal(room.mapper.externalPortOf(both[1]!), tcp!.externalPort);
    deepEqual(await close(room), []);
  }
});

test('an external address that is private, or of a provider’s NAT, is double NAT', async () => {
  for (const [address, isDouble] of [
    ['10.0.0.3', true],
    ['100.64.9.9', true],
    ['192.168.0.7', true],
    ['9.9.9.9', false],
  ] as const) {
    for (const protocol of ['pcp', 'nat-pmp', 'upnp'] as const) {
      const room = await home({ protocols: [protocol], externalAddress: address as IpAddress });
      await room.world.run(1000);
      equal(room.mapper.ways[0]?.isDoubleNat, isDouble, `${protocol} ${address}`);
    }
  }
});

test('a router that says where to look elsewhere is not followed', async () => {
  const { world, mapper, router } = await home({
    protocols: ['upnp'],
    location: 'http://20.0.0.9:5000/rootDesc.xml',
  });
  const stranger = world.addHost({ addresses: ['20.0.0.9' as IpAddress] });
  let dialCount = 0;
  await stranger.tcp.listen({ address: null, port: 5000 }, () => {
    dialCount++;
    return null;
  });
  await world.run(30_000);
  deepEqual([dialCount, router.list], [0, []]);
  equal(mapper.ways[0]?.protocols[2]?.state, 'useless');
});

test('without a router there is nothing to do, and a network that comes is used', async () => {
  const world = new World({ seed: 1 });
  const machine = world.addHost({ addresses: [lan4!], lan: 'home' });
  const router = await FakeRouter.start(world.addHost({ addresses: [gateway4!], lan: 'home' }), {
    protocols: ['pcp'],
  });
  let list = machine.host.localNetworks;
  const mapper = newMapper({ ...machine, networks: { list: async () => list } });
  await world.run(100_000);
  deepEqual([mapper.ways, router.asked], [[], []]);
  list = list.map((network) => ({ ...network, gateway: gateway4! }));
  await world.run(20_000);
  deepEqual(router.list, mapped4);
  list = [];
  await world.run(20_000);
  deepEqual(mapper.ways, []);
  equal(mapper.externalPortOf(both[0]!), null);
});

test('ports come and go while it runs; one that two want stays until both are done', async () => {
  const room = await home({ protocols: ['nat-pmp'] });
  await room.world.run(1000);
  const leave = room.mapper.want([{ transport: 'tcp', port: 6000 }, both[0]!]);
  await room.world.run(1000);
  deepEqual(room.router.list, [...mapped4.slice(0, 1), 'tcp:6000 -> 192.168.1.2 6000', mapped4[1]]);
  leave();
  await room.world.run(1000);
  deepEqual(room.router.list, mapped4);
});

test('what is given up right before closing is removed too, and what shall be kept is kept', async () => {
  for (const protocol of ['pcp', 'nat-pmp', 'upnp'] as const) {
    const room = await home({ protocols: [protocol] });
    const leave = room.mapper.want([
      { transport: 'tcp', port: 6000 },
      { transport: 'udp', port: 6000 },
    ]);
    await room.world.run(1000);
    equal(room.router.list.length, 4);
    leave();
    deepEqual(await close(room), [], protocol);
  }
  const kept = await home({ protocols: ['upnp'] });
  await kept.world.run(1000);
  await kept.mapper.close({ keep: true });
  deepEqual(kept.router.list, mapped4);
});

test('a short lease is renewed in time', async () => {
  const room = await home({ protocols: ['pcp'], leaseMax: 120 });
  for (let minute = 0; minute < 60; minute++) {
    await room.world.run(60_000);
    deepEqual(room.router.list, mapped4, `minute ${minute}`);
  }
});

test('a machine that slept over its leases maps again', async () => {
  for (const protocol of ['pcp', 'nat-pmp'] as const) {
    const room = await home({ protocols: [protocol] });
    await room.world.run(10_000);
    // The router's clock went on by two hours while ours stood still.
    room.router.mappings.clear();
    room.router.skip(7_200_000);
    await room.world.run(() => room.router.list.length === 2, 60_000);
  }
});

test('closing while the router is silent takes two seconds, and twice is once', async () => {
  const room = await home({ protocols: ['pcp'] });
  await room.world.run(1000);
  room.router.isOn = false;
  await close(room);
  equal(room.mapper.close(), room.mapper.close());
});
