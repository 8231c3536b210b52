/** Strangers who say anything, plain and encrypted, damaged and cut: nothing is thrown, nothing stays behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  concatBytes,
  type IpAddress,
  Prng,
  type StreamConnection,
  type StreamHandler,
  toHex,
} from '@tequio/kernel';
import { Admission, defaultConnectionLimits } from '@tequio/network';
import { World } from '@tequio/simulator';
import { MseInitiator } from '../core/encryption/mse-initiator.ts';
import { encodeHandshake } from '../wire/peer-message.ts';
import { IncomingPeer, type StrangerDeps } from './incoming-peer.ts';
import { PeerEncryption } from './peer-encryption.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 1500);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);
const infoHash = new Uint8Array(20).fill(0xab);
const { hashes, entropy, keyAgreement } = new World({ seed: 1 }).addHost();
const shake = encodeHandshake({
  infoHash,
  peerId: new Uint8Array(20),
  extended: true,
  fast: true,
  dht: false,
  v2: false,
});

/** Wires a stranger's side of the wire to ours; `damage` may change what he says. */
class Meeting {
  readonly timers = new Set<() => void>();
  readonly admission: Admission;
  readonly peer: IncomingPeer;
  readonly said: Uint8Array[] = [];
  heard: Uint8Array[] = [];
  namedHash: string | null = null;
  isDestroyed = false;

  constructor(policy: 'prefer' | 'require' | 'off') {
    const setTimer = (_delayMs: number, callback: () => void): { cancel: () => void } => {
      this.timers.add(callback);
      return { cancel: () => void this.timers.delete(callback) };
    };
    const clock = { nowMs: () => 0, wallMs: () => 0, setTimer };
    const encryption = new PeerEncryption(policy, { clock, hashes, entropy, keyAgreement });
    encryption.addTorrent(infoHash);
    this.admission = new Admission({ limits: defaultConnectionLimits, clock });
    const connection = {
      remote: { address: '10.0.0.1' as IpAddress, port: 1 },
      write: (parts: readonly Uint8Array[]) => void this.said.push(...parts),
      destroy: () => void (this.isDestroyed = true),
    } as unknown as StreamConnection;
    const slot = this.admission.budget.tryAccept(connection.remote.address)!;
    const route: StrangerDeps['route'] = (hash, _connection, prefix, taken) => {
      if (hash !== toHex(infoHash) || !taken.tryJoin(hash)) return null;
      this.namedHash = hash;
      this.heard.push(prefix);
      const handler: StreamHandler = {
        onBytes: (bytes) => void this.heard.push(bytes.slice()),
        onClose: () => taken.release(),
      };
      return handler;
    };
    const deps: StrangerDeps = {
      ports: { tcp: null as unknown as StrangerDeps['ports']['tcp'], clock },
      route,
      admission: this.admission,
      encryption,
    };
    this.peer = new IncomingPeer(connection, slot, 1000, deps);
  }

  say(bytes: Uint8Array, prng: Prng, portionMax: number): void {
    for (let at = 0; at < bytes.length && !this.isDestroyed; ) {
      const portion = prng.between(1, portionMax);
      this.peer.onBytes(bytes.slice(at, at + portion));
      at += portion;
    }
  }
}

function damaged(bytes: Uint8Array, prng: Prng): Uint8Array {
  if (bytes.length === 0 || prng.chance(0.7)) return bytes;
  const changed = bytes.slice(0, prng.chance(0.3) ? prng.below(bytes.length) : bytes.length);
  if (changed.length > 0) changed[prng.below(changed.length)]! ^= 1 << prng.below(8);
  return changed;
}

function run(seed: number): 'plain' | 'encrypted' | 'refused' {
  const prng = new Prng(seed);
  const policy = prng.pick(['prefer', 'require', 'off'] as const);
  const meeting = new Meeting(policy);
  const portionMax = prng.pick([1, 30, 5000]);
  const words = concatBytes([shake, prng.bytes(prng.below(300))]);
  const isEncrypted = prng.chance(0.6);
  if (isEncrypted) {
    const skey = prng.chance(0.9) ? infoHash : prng.bytes(20);
    const along = prng.below(words.length);
    const initiator = new MseInitiator(
      {
        skey,
        provide: prng.between(1, 3),
        initialPayload: words.slice(0, along),
        pad: prng.bytes(prng.below(513)),
        innerPadBytes: prng.below(513),
      },
      { hashes, keyAgreement },
    );
    for (let round = 0; round < 4; round++) {
      const out: Uint8Array[] = [];
      initiator.drain(out);
      meeting.say(damaged(concatBytes(out), prng), prng, portionMax);
      initiator.handleBytes(concatBytes(meeting.said.splice(0)));
    }
    const rest = words.slice(along);
    initiator.result?.encrypt?.apply(rest);
    if (initiator.result !== null) meeting.say(damaged(rest, prng), prng, portionMax);
  } else meeting.say(prng.chance(0.2) ? prng.bytes(2000) : damaged(words, prng), prng, portionMax);
  const isHanded = meeting.namedHash !== null;
  if (isHanded) {
    if (policy === 'require') assert.ok(isEncrypted, `seed ${seed}: plain in spite of the policy`);
    if (policy === 'off') assert.ok(!isEncrypted, `seed ${seed}: encrypted in spite of the policy`);
    const heard = concatBytes(meeting.heard);
    // What lies between them are bits that may be anything.
    assert.deepEqual(heard.subarray(0, 20), shake.subarray(0, 20), `seed ${seed}`);
    assert.deepEqual(heard.subarray(28, 48), infoHash, `seed ${seed}`);
    assert.equal(meeting.timers.size, 0, `seed ${seed}: still timed`);
  }
  if (!isHanded && !meeting.isDestroyed) for (const fire of [...meeting.timers]) fire();
  assert.ok(isHanded || meeting.isDestroyed, `seed ${seed}: neither in nor out`);
  meeting.peer.onClose(null);
  assert.equal(meeting.admission.budget.totalCount, 0, `seed ${seed}: a place is lost`);
  assert.equal(meeting.timers.size, 0, `seed ${seed}`);
  return !isHanded ? 'refused' : isEncrypted ? 'encrypted' : 'plain';
}

test('strangers: in or out, and every place is given back', () => {
  const counts = { plain: 0, encrypted: 0, refused: 0 };
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) counts[run(seed)]++;
  if (runCount < 1500) return;
  for (const [name, count] of Object.entries(counts)) assert.ok(count > 100, `${name}: ${count}`);
});
