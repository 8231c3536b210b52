import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, encodeUtf8, formatEndpoint, type IpAddress, NodeError, toHex } from '@tequio/kernel';
import { type HostPorts, World } from '@tequio/simulator';
import { decodeLocalAnnounce, localDiscoveryGroups, localDiscoveryPort } from '../wire/local-discovery.ts';
import { LocalDiscovery } from './local-discovery.ts';

const infoHash = new Uint8Array(20).fill(7);
const other = new Uint8Array(20).fill(8);

class Neighbour {
  readonly ports: HostPorts;
  readonly discovery: LocalDiscovery;
  readonly found: string[] = [];
  port = 6881;

  constructor(world: World, lan: string | null = 'home') {
    this.ports = world.addHost(lan === null ? {} : { lan });
    this.discovery = new LocalDiscovery({
      ...this.ports,
      bind: null,
      listenPort: () => this.port,
      found: (hash: string, endpoint: Endpoint) =>
        this.found.push(`${hash.slice(0, 2)} ${formatEndpoint(endpoint)}`),
    });
  }

  get name(): string {
    return `07 ${this.ports.host.addresses[0]}:${this.port}`;
  }
}

/** Everything that is said in the group of a network, decoded. */
async function listen(world: World, lan: string): Promise<{ heard: string[]; from: HostPorts }> {
  const from = world.addHost({ lan });
  const heard: string[] = [];
  const multicast = { group: localDiscoveryGroups[4], interface: null };
  await from.udp.bind({ address: null, port: localDiscoveryPort, multicast }, (bytes) => {
    const announce = decodeLocalAnnounce(bytes);
    assert.ok(announce.ok);
    heard.push(announce.value.infoHashes.map((hash) => toHex(hash).slice(0, 2)).join());
  });
  return { heard, from };
}

test('neighbours find each other, strangers do not, and nobody finds itself', async () => {
  const world = new World({ seed: 1 });
  const [a, b, far] = [new Neighbour(world), new Neighbour(world), new Neighbour(world, null)];
  b.port = 7000;
  for (const { discovery } of [a, b, far]) await discovery.start();
  for (const { discovery } of [a, b, far]) discovery.add(infoHash);
  await world.run(1000);
  assert.deepEqual(new Set(a.found), new Set([b.name]));
  assert.deepEqual(new Set(b.found), new Set([a.name]));
  assert.deepEqual(far.found, []);
  for (const { discovery } of [a, b, far]) await discovery.close();
});

test('announced at the start and every five minutes, until it stops', async () => {
  const world = new World({ seed: 1 });
  const { heard } = await listen(world, 'home');
  const { discovery } = new Neighbour(world);
  discovery.add(infoHash);
  await discovery.start();
  await world.run(900_000);
  assert.deepEqual(heard, ['07', '07', '07']);
  discovery.remove(infoHash);
  discovery.add(other);
  await world.run(1000);
  assert.deepEqual(heard.splice(0).at(-1), '08');
  await discovery.close();
  await world.run(900_000);
  assert.deepEqual(heard, []);
});

test('while we do not listen nothing is announced', async () => {
  const world = new World({ seed: 1 });
  const { heard } = await listen(world, 'home');
  const neighbour = new Neighbour(world);
  neighbour.port = 0;
  await neighbour.discovery.start();
  neighbour.discovery.add(infoHash);
  await world.run(1000);
  assert.deepEqual(heard, []);
  await neighbour.discovery.close();
});

test('rubbish and floods in the group do no harm', async () => {
  const world = new World({ seed: 1 });
  const neighbour = new Neighbour(world);
  await neighbour.discovery.start();
  const from = world.addHost({ lan: 'home' });
  const multicast = { group: localDiscoveryGroups[4], interface: null };
  const socket = await from.udp.bind({ address: null, port: localDiscoveryPort, multicast }, () => {});
  const to = { address: localDiscoveryGroups[4], port: localDiscoveryPort };
  for (let i = 0; i < 500; i++) {
    socket.send(encodeUtf8('NOTIFY * HTTP/1.1\r\n\r\n'), to);
    const text = `BT-SEARCH * HTTP/1.1\r\nPort: ${i + 1}\r\nInfohash: ${toHex(infoHash)}\r\n\r\n\r\n`;
    socket.send(encodeUtf8(text), to);
  }
  await world.run(1000);
  assert.ok(neighbour.found.length >= 20 && neighbour.found.length <= 22, `${neighbour.found.length}`);
  await neighbour.discovery.close();
});

test('where no group can be joined it rests', async () => {
  const world = new World({ seed: 1 });
  const ports = world.addHost();
  const udp = { bind: () => Promise.reject(new NodeError('NET_LISTEN', 'There is no such network.')) };
  const found = (): void => assert.fail('nobody is there');
  const discovery = new LocalDiscovery({
    ...ports,
    udp,
    bind: '10.0.0.1' as IpAddress,
    listenPort: () => 1,
    found,
  });
  await discovery.start();
  discovery.add(infoHash);
  await world.run(1000);
  await discovery.close();
});
