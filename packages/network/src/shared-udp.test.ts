import { deepEqual, equal, notEqual, rejects, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, encodeUtf8, type IpAddress, NodeError, Prng, type UdpPort } from '@tequio/kernel';
import { World } from '@tequio/simulator';
import { type DatagramKind, datagramKind, SharedUdp } from './shared-udp.ts';

const krpc = encodeUtf8('d1:y1:qe');
const utp = Uint8Array.from({ length: 20 }, (_, i) => (i === 0 ? 0x41 : i));
const tracker = Uint8Array.of(0, 0, 0, 1, 5, 6, 7, 8);

test('datagrams are told apart by their content', () => {
  const kinds: readonly (readonly [Uint8Array, DatagramKind | null])[] = [
    [krpc, 'dht'],
    [encodeUtf8('d'), 'dht'],
    [utp, 'utp'],
    [utp.subarray(0, 19), null],
    [Uint8Array.from(utp, (byte, i) => (i === 0 ? 0x51 : byte)), null],
    [Uint8Array.from(utp, (byte, i) => (i === 0 ? 0x42 : byte)), null],
    [tracker, 'tracker'],
    [tracker.subarray(0, 7), null],
    [new Uint8Array(0), null],
    [Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0), null],
  ];
  for (const [bytes, kind] of kinds) equal(datagramKind(bytes), kind);
});

test('every type of uTP is uTP, and random bytes never throw', () => {
  for (let type = 0; type <= 4; type++) {
    equal(datagramKind(Uint8Array.from(utp, (byte, i) => (i === 0 ? (type << 4) | 1 : byte))), 'utp');
  }
  const prng = new Prng(1);
  for (let i = 0; i < 5000; i++) datagramKind(prng.bytes(prng.below(40)));
});

/** A node's shared port, and a stranger who writes to it and hears from it. */
async function makePair(addresses?: readonly IpAddress[]) {
  const world = new World({ seed: 1 });
  const node = world.addHost(addresses === undefined ? {} : { addresses });
  const stranger = world.addHost(
    addresses === undefined ? {} : { addresses: ['20.9.9.9', '2001:db8::9'] as IpAddress[] },
  );
  const shared = new SharedUdp({ udp: node.udp });
  await shared.start({ address: null, port: 0 });
  const heard: [number, Endpoint][] = [];
  const at = { address: null, port: 0 } as const;
  const four = await stranger.udp.bind(at, (bytes, from) => heard.push([bytes.length, from]));
  const six = await stranger.udp.bind({ ...at, ipv6: true }, (bytes, from) =>
    heard.push([bytes.length, from]),
  );
  return { world, node, shared, stranger, four, six, heard };
}

test('each claimant gets its own kind, and what nobody wants is counted', async () => {
  const { world, node, shared, four } = await makePair();
  const got: [DatagramKind, number][] = [];
  for (const kind of ['utp', 'dht'] as const) shared.claim(kind, (bytes) => got.push([kind, bytes.length]));
  const to = { address: node.host.addresses[0]!, port: shared.localPort };
  for (const bytes of [krpc, utp, tracker, Uint8Array.of(9)]) four.send(bytes, to);
  await world.run(100);
  deepEqual(got, [
    ['dht', 8],
    ['utp', 20],
  ]);
  deepEqual(shared.counts, { received: { utp: 1, dht: 1, tracker: 1 }, unclaimed: 1, malformed: 1 });
});

test('both families are sent from one port number', async () => {
  const addresses = ['20.0.0.77', '2001:db8::77'] as IpAddress[];
  const { world, shared, four, six, heard } = await makePair(addresses);
  const socket = shared.claim('dht', () => {});
  notEqual(shared.localPort, 0);
  socket.send(krpc, { address: '20.9.9.9' as IpAddress, port: four.local.port });
  socket.send(krpc, { address: '2001:db8::9' as IpAddress, port: six.local.port });
  await world.run(100);
  const port = shared.localPort;
  deepEqual(heard, [
    [8, { address: '20.0.0.77', port }],
    [8, { address: '2001:db8::77', port }],
  ]);
  equal(socket.local.port, port);
});

test('a kind is claimed once, and free again when its socket was closed', async () => {
  const { world, node, shared, four, heard } = await makePair();
  let count = 0;
  const first = shared.claim('tracker', () => count++);
  throws(() => shared.claim('tracker', () => {}), { code: 'NET_CLAIMED' });
  await first.close();
  first.send(krpc, { address: '20.9.9.9' as IpAddress, port: four.local.port });
  let secondCount = 0;
  shared.claim('tracker', () => secondCount++);
  await first.close();
  four.send(tracker, { address: node.host.addresses[0]!, port: shared.localPort });
  await world.run(100);
  deepEqual([count, secondCount, heard.length], [0, 1, 0]);
});

test('after close nothing is sent or received, and the number is free', async () => {
  const { world, node, shared, four, heard } = await makePair();
  let count = 0;
  const socket = shared.claim('utp', () => count++);
  const to = { address: node.host.addresses[0]!, port: shared.localPort };
  await shared.close();
  await shared.close();
  socket.send(utp, four.local);
  four.send(utp, to);
  await world.run(100);
  deepEqual([count, heard.length], [0, 0]);
  const again = new SharedUdp({ udp: node.udp });
  await again.start({ address: null, port: to.port });
  equal(again.localPort, to.port);
});

test('a number that is taken for either family is refused when it was asked for', async () => {
  for (const ipv6 of [false, true]) {
    const world = new World({ seed: 1 });
    const { udp } = world.addHost();
    await udp.bind({ address: null, port: 5000, ipv6 }, () => {});
    const shared = new SharedUdp({ udp });
    await rejects(shared.start({ address: null, port: 5000 }), { code: 'NET_LISTEN' });
    await (await udp.bind({ address: null, port: 5000, ipv6: !ipv6 }, () => {})).close();
  }
});

test('any number is one that both families have free', async () => {
  const world = new World({ seed: 1 });
  const { udp } = world.addHost();
  await udp.bind({ address: null, port: 49_152, ipv6: true }, () => {});
  const shared = new SharedUdp({ udp });
  await shared.start({ address: null, port: 0 });
  equal(shared.localPort, 49_153);
  equal(shared.hasFamily(4) && shared.hasFamily(6), true);
});

test('a host with one family has that one; one with neither says why', async () => {
  const lacking = (missing: readonly boolean[]): UdpPort => {
    const { udp } = new World({ seed: 1 }).addHost();
    return {
      bind: async (at, onDatagram) => {
        if (missing.includes(at.ipv6 === true)) {
          throw new NodeError('NET_LISTEN', 'Cannot listen: this kind of address is not supported here.');
        }
        return udp.bind(at, onDatagram);
      },
    };
  };
  for (const ipv6 of [false, true]) {
    const shared = new SharedUdp({ udp: lacking([ipv6]) });
    await shared.start({ address: null, port: 7000 });
    deepEqual(
      [shared.hasFamily(ipv6 ? 6 : 4), shared.hasFamily(ipv6 ? 4 : 6), shared.localPort],
      [false, true, 7000],
    );
  }
  const none = new SharedUdp({ udp: lacking([false, true]) });
  await rejects(none.start({ address: null, port: 0 }), { code: 'NET_LISTEN', message: /not supported/ });
});

test('an address is bound alone', async () => {
  const world = new World({ seed: 1 });
  const node = world.addHost({ addresses: ['20.0.0.5', '2001:db8::5'] as IpAddress[] });
  const shared = new SharedUdp({ udp: node.udp });
  await shared.start({ address: '2001:db8::5' as IpAddress, port: 0 });
  deepEqual([shared.hasFamily(4), shared.hasFamily(6)], [false, true]);
  const socket = shared.claim('dht', () => {});
  equal(socket.local.address, '2001:db8::5');
});

test('a claim can be had as a port: one socket a family', async () => {
  const addresses = ['20.0.0.77', '2001:db8::77'] as IpAddress[];
  const { world, shared, four, six } = await makePair(addresses);
  const port = shared.portOf('tracker');
  const got: string[] = [];
  const any = { address: null, port: 0 } as const;
  const first = await port.bind(any, (_, from) => got.push(`4 ${from.address}`));
  await rejects(
    port.bind(any, () => {}),
    { code: 'NET_LISTEN' },
  );
  const second = await port.bind({ ...any, ipv6: true }, (_, from) => got.push(`6 ${from.address}`));
  deepEqual([first.local.port, second.local.port], [shared.localPort, shared.localPort]);
  const send = (): void => {
    four.send(tracker, { address: addresses[0]!, port: shared.localPort });
    six.send(tracker, { address: addresses[1]!, port: shared.localPort });
  };
  send();
  await world.run(100);
  deepEqual(got, ['4 20.9.9.9', '6 2001:db8::9']);
  await first.close();
  await first.close();
  send();
  await world.run(100);
  deepEqual(got.slice(2), ['6 2001:db8::9']);
  await second.close();
  await shared.claim('tracker', () => {}).close();
});
