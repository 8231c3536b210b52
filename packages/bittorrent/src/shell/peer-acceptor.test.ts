import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress, StreamConnection, StreamHandler, StreamPort } from '@tequio/kernel';
import { Admission, defaultConnectionLimits } from '@tequio/network';
import { World } from '@tequio/simulator';
import { encodeHandshake } from '../wire/peer-message.ts';
import { PeerAcceptor } from './peer-acceptor.ts';
import { PeerEncryption } from './peer-encryption.ts';

const infoHash = new Uint8Array(20).fill(0xab);
const shake = encodeHandshake({
  infoHash,
  peerId: new Uint8Array(20),
  extended: true,
  fast: true,
  dht: false,
  v2: false,
});

type Stranger = { readonly handler: StreamHandler | null; isDestroyed: boolean };

async function setUp(isKnown = true) {
  const timers = new Set<() => void>();
  const routed: { readonly hash: string; readonly prefix: Uint8Array }[] = [];
  const heard: number[] = [];
  let closedCount = 0;
  let accept: (connection: StreamConnection) => StreamHandler | null = () => null;
  const tcp = {
    listen: async (_at: unknown, take: typeof accept) => {
      accept = take;
      return { local: { address: '127.0.0.1' as IpAddress, port: 7 }, close: async () => {} };
    },
  } as unknown as StreamPort;
  const setTimer = (_delayMs: number, callback: () => void) => {
    timers.add(callback);
    return { cancel: () => void timers.delete(callback) };
  };
  const clock = { nowMs: () => 0, wallMs: () => 0, setTimer };
  const admission = new Admission({
    limits: defaultConnectionLimits,
    clock,
    allowAddress: (address) => address !== '10.6.6.6',
  });
  const { hashes, entropy, keyAgreement } = new World({ seed: 1 }).addHost();
  const acceptor = new PeerAcceptor({
    ports: { tcp, clock },
    admission,
    encryption: new PeerEncryption('off', { clock, hashes, entropy, keyAgreement }),
    route: (hash, _connection, prefix, slot) => {
      routed.push({ hash, prefix });
      if (!isKnown || !slot.tryJoin(hash)) return null;
      return { onBytes: (bytes) => void heard.push(bytes.length), onClose: () => void closedCount++ };
    },
  });
  await acceptor.start({ address: null, port: 0 });
  const connect = (address: string): Stranger => {
    const stranger: { handler: StreamHandler | null; isDestroyed: boolean } = {
      handler: null,
      isDestroyed: false,
    };
    const remote = { address: address as IpAddress, port: 1 };
    stranger.handler = accept({
      remote,
      destroy: () => void (stranger.isDestroyed = true),
    } as unknown as StreamConnection);
    return stranger;
  };
  return { acceptor, admission, connect, timers, routed, heard, closedCount: () => closedCount };
}

test('whoever names a torrent is handed over with all that it said, in whatever portions', async () => {
  for (const portion of [1, 20, 47, 48, 68, 200]) {
    const { connect, timers, routed, heard, closedCount } = await setUp();
    const stranger = connect('10.0.0.1');
    const bytes = new Uint8Array(200);
    bytes.set(shake);
    for (let at = 0; at < bytes.length; at += portion)
      stranger.handler!.onBytes(bytes.slice(at, at + portion));
    assert.equal(routed.length, 1);
    assert.equal(routed[0]!.hash, 'ab'.repeat(20));
    const heardBytes = heard.reduce((sum, length) => sum + length, 0);
    assert.equal(routed[0]!.prefix.length + heardBytes, bytes.length, `portions of ${portion}`);
    assert.equal(timers.size, 0);
    stranger.handler!.onClose(null);
    assert.equal(closedCount(), 1);
  }
});

test('whoever names none, or nothing in time, is hung up on', async () => {
  const { connect, timers, routed } = await setUp(false);
  const other = connect('10.0.0.1');
  other.handler!.onBytes(shake);
  assert.ok(other.isDestroyed);
  const babbler = connect('10.0.0.1');
  babbler.handler!.onBytes(new Uint8Array(100));
  assert.ok(babbler.isDestroyed);
  assert.equal(routed.length, 1, 'what is no handshake is not looked up');
  const silent = connect('10.0.0.1');
  silent.handler!.onBytes(shake.subarray(0, 47));
  for (const fire of [...timers]) fire();
  assert.ok(silent.isDestroyed);
  silent.handler!.onBytes(shake);
  assert.equal(routed.length, 1, 'too late');
});

test('places for strangers are few, for one address fewer, and are given back', async () => {
  const { connect, admission } = await setUp();
  assert.equal(connect('10.6.6.6').handler, null, 'filtered');
  const { pendingIncoming, pendingPerAddress } = defaultConnectionLimits;
  const first = Array.from({ length: pendingPerAddress }, () => connect('10.0.0.1'));
  assert.ok(first.every(({ handler }) => handler !== null));
  assert.equal(connect('10.0.0.1').handler, null);
  first[0]!.handler!.onClose('gone');
  first[1]!.handler!.onBytes(shake);
  assert.ok(connect('10.0.0.1').handler !== null);
  assert.ok(connect('10.0.0.1').handler !== null);
  assert.equal(connect('10.0.0.1').handler, null);
  let takenCount = pendingPerAddress;
  while (connect(`10.1.${takenCount >> 8}.${takenCount & 255}`).handler !== null) takenCount++;
  assert.equal(takenCount, pendingIncoming);
  assert.equal(admission.budget.groupCount('ab'.repeat(20)), 1);
});

test('a full torrent, and one that is not there, cost no place', async () => {
  const { connect, admission } = await setUp();
  const { perAddressInGroup } = defaultConnectionLimits;
  for (let n = 0; n < perAddressInGroup + 3; n++) {
    const stranger = connect('10.0.0.1');
    stranger.handler!.onBytes(shake);
    assert.equal(stranger.isDestroyed, n >= perAddressInGroup);
  }
  assert.equal(admission.budget.totalCount, perAddressInGroup);
});
