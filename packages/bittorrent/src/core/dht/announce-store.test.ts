import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Prng, writeUint32 } from '@tequio/kernel';
import { compactEndpoint } from '../../wire/dht-node-info.ts';
import { type Announced, AnnounceStore } from './announce-store.ts';
import { addressOf, testHashes } from './dht.fixture.ts';
import { dhtLimits } from './dht-limits.ts';
import { ownerBlockOf } from './place.ts';

const { storedHashCountMax, storedPeersPerHashMax, storedPeerCountMax, storedHashesPerBlockMax } = dhtLimits;

function peerAt(address: string): Announced {
  const endpoint = { address: addressOf(address), port: 6881 };
  const compact = compactEndpoint(endpoint);
  return { endpoint, compact, seed: false, owner: ownerBlockOf(compact.subarray(0, -2)) };
}

function hashOf(number: number): Uint8Array {
  const hash = new Uint8Array(20);
  writeUint32(hash, 0, number);
  return hash;
}

const newStore = (): AnnounceStore => new AnnounceStore(new Prng(1), testHashes);
/** One address in each of many networks. */
const apart = (n: number): string => `${20 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}.9`;

test('one info-hash has so many peers; who is known may come again', () => {
  const store = newStore();
  for (let i = 0; i < storedPeersPerHashMax; i++) ok(store.announce(hashOf(1), peerAt(apart(i)), 0));
  equal(store.announce(hashOf(1), peerAt(apart(storedPeersPerHashMax)), 0), false);
  ok(store.announce(hashOf(1), peerAt(apart(0)), 0));
  const want = { family: 4, noSeed: false, askerIsLocal: false, countMax: 50 } as const;
  const { peers, accepts } = store.peersAndRoom(hashOf(1), want, 0);
  equal(accepts, false, 'no token is given then');
  equal(peers.length, 50);
});

test('one owner of addresses has so many info-hashes, and takes nothing from others', () => {
  const store = newStore();
  for (let i = 0; i < storedHashesPerBlockMax; i++) ok(store.announce(hashOf(i), peerAt('20.1.1.7'), 0));
  equal(store.announce(hashOf(storedHashesPerBlockMax), peerAt('20.1.1.7'), 0), false);
  ok(store.announce(hashOf(storedHashesPerBlockMax), peerAt('21.1.1.7'), 0));
  store.expire(dhtLimits.storedPeerMs);
  equal(store.peerCount, 0);
  ok(store.announce(hashOf(9), peerAt('20.1.1.7'), dhtLimits.storedPeerMs), 'and again when those are old');
});

test('a flood of info-hashes drives out what was announced least recently', () => {
  const store = newStore();
  ok(store.announce(hashOf(0), peerAt(apart(0)), 0));
  for (let i = 1; i <= storedHashCountMax; i++) {
    ok(store.announce(hashOf(i), peerAt(apart(i)), i));
    // Alive: announced again and again by its peers.
    if (i % 1000 === 0) ok(store.announce(hashOf(0), peerAt(apart(0)), i));
  }
  equal(store.hashCount, storedHashCountMax);
  const want = { family: 4, noSeed: false, askerIsLocal: false, countMax: 50 } as const;
  equal(store.peers(hashOf(0), want, storedHashCountMax).length, 1);
  equal(store.peers(hashOf(1), want, storedHashCountMax).length, 0);
});

test('all info-hashes together have so many peers', () => {
  const store = newStore();
  const hashCount = storedPeerCountMax / storedPeersPerHashMax + 5;
  for (let hash = 0; hash < hashCount; hash++)
    for (let i = 0; i < storedPeersPerHashMax; i++)
      store.announce(hashOf(hash), peerAt(apart(hash * storedPeersPerHashMax + i)), hash);
  ok(store.peerCount <= storedPeerCountMax, `${store.peerCount}`);
  ok(store.peerCount >= storedPeerCountMax - storedPeersPerHashMax);
});
