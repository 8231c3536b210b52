/** Dialer and acceptor against each other in the simulated world, under every pair of policies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  concatBytes,
  encodeUtf8,
  type IpAddress,
  Prng,
  type StreamConnection,
  type StreamHandler,
  type StreamPort,
  toHex,
} from '@tequio/kernel';
import { Admission, defaultConnectionLimits } from '@tequio/network';
import { type HostPorts, World } from '@tequio/simulator';
import type { EncryptionPolicy } from '../contract.ts';
import { mseAllowanceLimits } from '../core/encryption/mse-allowance.ts';
import { encodeHandshake } from '../wire/peer-message.ts';
import { encryptedDialLimits } from './encrypted-dial.ts';
import { acceptorLimits, PeerAcceptor } from './peer-acceptor.ts';
import { createPeerDialer, type PeerDialer } from './peer-dialer.ts';
import { PeerEncryption } from './peer-encryption.ts';

const infoHash = new Uint8Array(20).fill(0xab);
const prng = new Prng(7);
/** More than one portion of the decrypting memory. */
const longWord = prng.bytes(200_000);
const policies: readonly EncryptionPolicy[] = ['allow', 'prefer', 'require', 'off'];
const port = 7000;

function shakeOf(hash: Uint8Array): Uint8Array {
  return encodeHandshake({
    infoHash: hash,
    peerId: new Uint8Array(20),
    extended: true,
    fast: true,
    dht: false,
    v2: false,
  });
}

/** Answers the handshake, then echoes everything. */
class Listener {
  readonly admission: Admission;
  readonly encryption: PeerEncryption;
  /** All that passed over the wire, as it was there. */
  readonly wire: Uint8Array[] = [];
  readonly acceptor: PeerAcceptor;
  /** Connections that were handed over. */
  readonly handed: StreamConnection[] = [];
  readonly raw: StreamConnection[] = [];

  constructor(host: HostPorts, policy: EncryptionPolicy) {
    this.encryption = new PeerEncryption(policy, host);
    this.encryption.addTorrent(infoHash);
    this.admission = new Admission({ limits: defaultConnectionLimits, clock: host.clock });
    this.acceptor = new PeerAcceptor({
      ports: { tcp: this.#tap(host.tcp), clock: host.clock },
      admission: this.admission,
      encryption: this.encryption,
      route: (hash, connection, prefix, slot) => {
        if (hash !== toHex(infoHash) || !slot.tryJoin(hash)) return null;
        this.handed.push(connection);
        connection.write([prefix]);
        return {
          onBytes: (bytes) => connection.write([bytes.slice()]),
          onClose: () => slot.release(),
        };
      },
    });
  }

  get wasPlain(): boolean {
    return toHex(concatBytes(this.wire)).includes(toHex(encodeUtf8('BitTorrent protocol')));
  }

  get wasReadable(): boolean {
    return toHex(concatBytes(this.wire)).includes(toHex(longWord.subarray(1000, 1020)));
  }

  #tap(tcp: StreamPort): StreamPort {
    return {
      ...tcp,
      listen: (at, accept) =>
        tcp.listen(at, (connection) => {
          this.raw.push(connection);
          const handler = accept(connection);
          if (handler === null) return null;
          return {
            onBytes: (bytes) => {
              this.wire.push(bytes.slice());
              handler.onBytes(bytes);
            },
            onClose: (error) => handler.onClose(error),
          };
        }),
    };
  }
}

/** Says the handshake and `word` at once, as an engine does. */
class Caller {
  heard: Uint8Array[] = [];
  closed: string | null | undefined;
  sentCount = 0;
  connection!: StreamConnection;

  dial(dialer: PeerDialer, address: IpAddress, word = longWord, hash = infoHash): void {
    const handler: StreamHandler = {
      onOpen: () => {
        const sent = (): void => void this.sentCount++;
        this.connection.write([shakeOf(hash)], sent);
        this.connection.write([word.subarray(0, 10), word.subarray(10)], sent);
      },
      onBytes: (bytes) => void this.heard.push(bytes.slice()),
      onClose: (error) => void (this.closed = error),
    };
    this.connection = dialer.dial(
      { address, port },
      { timeoutMs: 10_000, from: null, infoHash: hash },
      handler,
    );
  }

  get heardBytes(): number {
    return this.heard.reduce((sum, bytes) => sum + bytes.length, 0);
  }
}

async function setUp(ours: EncryptionPolicy, theirs: EncryptionPolicy) {
  const world = new World({ seed: 5 });
  const [here, there] = [world.addHost(), world.addHost()];
  const listener = new Listener(there, theirs);
  await listener.acceptor.start({ address: null, port });
  const encryption = new PeerEncryption(ours, here);
  const dialer = createPeerDialer({ tcp: here.tcp, clock: here.clock, encryption });
  return { world, here, listener, dialer, address: there.host.addresses[0]! };
}

test('every pair of policies that can agree does, as said, and nothing of it shows that should not', async () => {
  for (const ours of policies) {
    for (const theirs of policies) {
      const { world, listener, dialer, address } = await setUp(ours, theirs);
      let caller = new Caller();
      caller.dial(dialer, address);
      await world.run(() => caller.closed !== undefined || caller.heardBytes >= 68 + longWord.length);
      if (caller.heardBytes === 0 && dialer.handleSilentEnd({ address, port })) {
        caller = new Caller();
        caller.dial(dialer, address);
        await world.run(() => caller.closed !== undefined || caller.heardBytes >= 68 + longWord.length);
      }
      const both = [ours, theirs];
      const pair = `${ours} dials ${theirs}`;
      const canAgree = !(both.includes('require') && both.includes('off'));
      if (!canAgree) {
        assert.notEqual(caller.closed, undefined, pair);
        assert.equal(listener.handed.length, 0, pair);
        assert.equal(listener.admission.budget.totalCount, 0, pair);
        continue;
      }
      const [shake, word] = [shakeOf(infoHash), longWord];
      assert.deepEqual(concatBytes(caller.heard), concatBytes([shake, word]), pair);
      assert.equal(caller.sentCount, 2, pair);
      const isSecret = both.includes('require') || (ours === 'prefer' && theirs !== 'off');
      assert.equal(listener.wasReadable, !isSecret, pair);
      if (isSecret && ours !== 'allow') assert.ok(!listener.wasPlain, pair);
      assert.equal(caller.connection.isEncrypted ?? false, isSecret, pair);
      assert.equal(listener.handed[0]?.isEncrypted ?? false, isSecret, pair);
      // Nothing is wrapped around a connection whose bytes are plain.
      assert.equal(listener.handed[0] === listener.raw.at(-1), !isSecret, pair);
      caller.connection.destroy();
      await world.run(100);
      assert.equal(listener.admission.budget.totalCount, 0, pair);
    }
  }
});

test('what worked with an endpoint is remembered', async () => {
  const { world, listener, dialer, address } = await setUp('allow', 'require');
  const endpoint = { address, port };
  const first = new Caller();
  first.dial(dialer, address);
  await world.run(() => first.closed !== undefined);
  assert.ok(dialer.handleSilentEnd(endpoint));
  for (let dial = 0; dial < 2; dial++) {
    const caller = new Caller();
    caller.dial(dialer, address, new Uint8Array(100));
    await world.run(() => caller.heardBytes === 168);
    dialer.markUnderstood(endpoint);
  }
  assert.equal(listener.raw.length, 3, 'the third was right at once');
});

test('who does not know the torrent, or says nothing, is hung up on, and so do we', async () => {
  const { world, here, listener, dialer, address } = await setUp('require', 'prefer');
  const stranger = new Caller();
  stranger.dial(dialer, address, longWord, new Uint8Array(20));
  await world.run(() => stranger.closed !== undefined);
  assert.equal(listener.handed.length, 0);
  let closed = false;
  const onClose = (): void => void (closed = true);
  const mute = here.tcp.dial({ address, port }, { timeoutMs: 1000 }, { onBytes() {}, onClose });
  await world.run(200);
  mute.write([new Uint8Array(95).fill(9)]);
  const startMs = here.clock.nowMs();
  await world.run(() => closed);
  assert.ok(here.clock.nowMs() - startMs <= acceptorLimits.pendingTimeoutMs);
  assert.equal(listener.admission.budget.totalCount, 0);

  const deaf = await here.tcp.listen({ address: null, port: 1 }, () => ({ onBytes() {}, onClose() {} }));
  const caller = new Caller();
  const dialMs = here.clock.nowMs();
  const us = here.host.addresses[0]!;
  caller.connection = dialer.dial(
    { address: us, port: deaf.local.port },
    { timeoutMs: 10_000, from: null, infoHash },
    { onBytes() {}, onClose: (error) => void (caller.closed = error) },
  );
  await world.run(() => caller.closed !== undefined);
  assert.match(String(caller.closed), /no answer/);
  assert.ok(here.clock.nowMs() - dialMs <= encryptedDialLimits.handshakeMs + 1000);
});

test('a flood of handshakes gets its ration, and plain peers come through meanwhile', async () => {
  const { world, here, listener, address } = await setUp('require', 'prefer');
  let answeredCount = 0;
  for (let i = 0; i < 3 * mseAllowanceLimits.ofAddress.burst; i++) {
    let isOver = false;
    const connection = here.tcp.dial(
      { address, port },
      { timeoutMs: 1000 },
      {
        onOpen: () => connection.write([prng.bytes(96)]),
        onBytes: () => {
          answeredCount++;
          isOver = true;
          connection.destroy();
        },
        onClose: () => void (isOver = true),
      },
    );
    await world.run(() => isOver);
  }
  assert.ok(answeredCount >= mseAllowanceLimits.ofAddress.burst, `${answeredCount}`);
  assert.ok(answeredCount < 2 * mseAllowanceLimits.ofAddress.burst, `${answeredCount}`);
  const encryption = new PeerEncryption('allow', here);
  const caller = new Caller();
  caller.dial(createPeerDialer({ tcp: here.tcp, clock: here.clock, encryption }), address, new Uint8Array(9));
  await world.run(() => caller.heardBytes === 77);
  assert.equal(listener.handed.length, 1);
});
