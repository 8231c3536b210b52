import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, formatEndpoint, type IpAddress, Prng, toHex } from '@tequio/kernel';
import {
  decodeUdpTrackerResponse,
  encodeUdpAnnounce,
  encodeUdpConnect,
  encodeUdpScrape,
  type UdpAnnounceRequest,
  type UdpTrackerResponse,
} from '../wire/tracker-udp.ts';
import { UdpTrackerServer } from './tracker-server-udp.ts';
import { connectionTokenLimits, SipHash } from './tracker-server-udp-token.ts';
import { type TrackerAccess, TrackerStore } from './tracker-store.ts';

const hash = new Uint8Array(20).fill(9);

function endpoint(address: string, port = 5000): Endpoint {
  return { address: address as IpAddress, port };
}

class World {
  readonly store: TrackerStore;
  readonly server: UdpTrackerServer;
  nowMs = 1_000_000;

  constructor(access: TrackerAccess = { mode: 'all' }) {
    const prng = new Prng(4);
    this.store = new TrackerStore({ prng, access });
    this.server = new UdpTrackerServer({ store: this.store, secret: prng.bytes(16), intervalS: 1800, prng });
  }

  ask(bytes: Uint8Array, from: Endpoint): UdpTrackerResponse | null {
    const reply = this.server.handle(bytes, from, this.nowMs);
    if (reply === null) return null;
    const decoded = decodeUdpTrackerResponse(reply, from.address.includes(':') ? 6 : 4);
    assert.ok(decoded.ok);
    return decoded.value;
  }

  connect(from: Endpoint): Uint8Array {
    const reply = this.ask(encodeUdpConnect(77), from);
    assert.ok(reply?.type === 'connect' && reply.transaction === 77);
    return reply.connectionId;
  }

  announce(from: Endpoint, more: Partial<UdpAnnounceRequest> = {}): UdpTrackerResponse | null {
    const connectionId = more.connectionId ?? this.connect(from);
    const bytes = encodeUdpAnnounce({
      connectionId,
      transaction: 5,
      infoHash: hash,
      peerId: new Uint8Array(20),
      downloadedBytes: 0,
      leftBytes: 1,
      uploadedBytes: 0,
      event: 'started',
      key: 0,
      numWant: -1,
      port: 6881,
      urlData: '',
      ...more,
    });
    return this.ask(bytes, from);
  }
}

test('SipHash-2-4 gives the values of its paper and reference vectors', () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i);
  const out = new Uint8Array(8);
  const message = Uint8Array.from({ length: 64 }, (_, i) => i);
  const hash = new SipHash(key);
  const expected: [number, string][] = [
    [0, '310e0edd47db6f72'],
    [8, '6224939a79f5f593'],
    [16, 'db9bc2577fcc2a3f'],
  ];
  for (const [length, hex] of expected) {
    hash.hash(message, length, out);
    assert.equal(toHex(out), hex, `length ${length}`);
  }
});

test('peers find each other, each family its own', () => {
  const world = new World();
  assert.deepEqual(world.announce(endpoint('192.0.2.1'), { leftBytes: 0, port: 1 })?.type, 'announce');
  world.announce(endpoint('2001:db8::1'), { port: 2 });
  const reply = world.announce(endpoint('192.0.2.2'), { port: 3 });
  assert.ok(reply?.type === 'announce');
  assert.deepEqual(reply.peers.map(formatEndpoint), ['192.0.2.1:1']);
  assert.deepEqual([reply.seedCount, reply.leechCount], [1, 2]);
  assert.ok(reply.intervalS >= 1800 && reply.intervalS <= 1980);
  const six = world.announce(endpoint('2001:db8::2'), { port: 4 });
  assert.deepEqual(six?.type === 'announce' && six.peers.map(formatEndpoint), ['[2001:db8::1]:2']);
  const seed = world.announce(endpoint('192.0.2.9'), { leftBytes: 0 });
  assert.deepEqual(seed?.type === 'announce' && seed.peers.map(formatEndpoint), ['192.0.2.2:3']);
});

test('ids are good at their address for at least two minutes and for four at most', () => {
  const world = new World();
  const id = world.connect(endpoint('192.0.2.1'));
  assert.equal(world.announce(endpoint('192.0.2.1', 99), { connectionId: id })?.type, 'announce');
  for (const other of ['192.0.2.2', '2001:db8::1', '::1'])
    assert.equal(world.announce(endpoint(other), { connectionId: id })?.type, 'error');
  assert.equal(world.announce(endpoint('192.0.2.1'), { connectionId: new Uint8Array(8) })?.type, 'error');
  world.nowMs += connectionTokenLimits.periodMs;
  assert.equal(world.announce(endpoint('192.0.2.1'), { connectionId: id })?.type, 'announce');
  world.nowMs += connectionTokenLimits.periodMs;
  assert.equal(world.announce(endpoint('192.0.2.1'), { connectionId: id })?.type, 'error');
});

test('nobody gets more bytes than he sent before he has shown his address', () => {
  const world = new World();
  const prng = new Prng(8);
  for (let n = 0; n < 100; n++) world.announce(endpoint(`192.0.2.${n + 1}`));
  for (let round = 0; round < 20_000; round++) {
    const bytes = prng.bytes(prng.below(200));
    if (bytes.length >= 12) bytes.set([0, 0, 0, prng.below(5)], 8);
    if (bytes.length >= 8 && prng.chance(0.3)) bytes.set(encodeUdpConnect(1).subarray(0, 8));
    const reply = world.server.handle(
      bytes,
      endpoint(prng.chance(0.5) ? '198.51.100.1' : '2001:db8::5'),
      world.nowMs,
    );
    assert.ok((reply?.length ?? 0) <= bytes.length);
  }
  assert.ok(world.server.stats.droppedCount > 0 && world.server.stats.refusedCount > 0);
});

test('scrape, stopped, numwant and the access list', () => {
  const world = new World();
  for (let n = 0; n < 250; n++) world.announce(endpoint(`192.0.2.${n + 1}`), { leftBytes: n < 3 ? 0 : 1 });
  const from = endpoint('192.0.2.1');
  const scrape = world.ask(encodeUdpScrape(world.connect(from), 3, [hash, new Uint8Array(20)]), from);
  assert.deepEqual(scrape?.type === 'scrape' && scrape.swarms, [
    { seedCount: 3, completedCount: 0, leechCount: 247 },
    { seedCount: 0, completedCount: 0, leechCount: 0 },
  ]);
  const withoutId = world.ask(encodeUdpScrape(new Uint8Array(8), 3, [hash]), from);
  assert.equal(withoutId?.type === 'error' && withoutId.message, 'connection id expired');
  const peerCount = (numWant: number): number => {
    const reply = world.announce(endpoint('192.0.2.20'), { numWant, event: 'none' });
    return reply?.type === 'announce' ? reply.peers.length : -1;
  };
  assert.deepEqual([peerCount(-1), peerCount(0), peerCount(7), peerCount(100_000)], [50, 0, 7, 200]);
  const stopped = world.announce(endpoint('192.0.2.20'), { event: 'stopped' });
  assert.deepEqual(stopped?.type === 'announce' && [stopped.peers.length, stopped.leechCount], [0, 246]);
  const closed = new World({ mode: 'allow', infoHashes: [new Uint8Array(20)] });
  const refused = closed.announce(endpoint('192.0.2.1'));
  assert.deepEqual(refused?.type === 'error' && refused.message, 'torrent not served here');
  assert.equal(closed.announce(endpoint('192.0.2.1'), { infoHash: new Uint8Array(20) })?.type, 'announce');
});
