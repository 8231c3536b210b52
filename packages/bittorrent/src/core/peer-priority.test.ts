import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, Prng, tryParseEndpoint } from '@tequio/kernel';
import { tryCanonicalPriority } from '../wire/canonical-priority.ts';
import { Peer, type PeerHost } from './peer.ts';
import { peerPriorityLimits, pickToReplace } from './peer-priority.ts';

const own = tryParseEndpoint('198.51.100.7:6881')!;
const ownEndpoint = (family: 4 | 6): Endpoint | null => (family === 4 ? own : null);
const laterMs: number = peerPriorityLimits.ageMsMin;
const host = {} as PeerHost;

function peersAt(names: readonly string[]): Peer[] {
  return names.map((name, key) => new Peer(key, tryParseEndpoint(name)!, true, false, host, 0));
}

/** `count` strangers, lowest priority first. */
function strangers(count: number, seed = 1): string[] {
  const prng = new Prng(seed);
  const priorityOf = (name: string): number => tryCanonicalPriority(own, tryParseEndpoint(name)!)!;
  return Array.from({ length: count }, () => `${prng.between(11, 90)}.${prng.below(256)}.9.9:1`).toSorted(
    (a, b) => priorityOf(a) - priorityOf(b),
  );
}

test('the lowest goes, if it is lower than the newcomer', () => {
  const names = strangers(10);
  for (let at = 0; at < names.length; at++) {
    const newcomer = tryParseEndpoint(names[at]!)!;
    const peers = peersAt(names.filter((_, i) => i !== at));
    const chosen = pickToReplace(peers, newcomer, ownEndpoint, laterMs);
    assert.equal(chosen, at === 0 ? null : peers[0]);
  }
});

test('the young, the useful and neighbours stay; without an own address nobody goes', () => {
  const names = strangers(4);
  const newcomer = tryParseEndpoint(names[3]!)!;
  const peers = peersAt([names[0]!, names[1]!, names[2]!, '10.0.0.1:1', '[2001:db8::1]:1']);
  const pick = (nowMs = laterMs): Peer | null => pickToReplace(peers, newcomer, ownEndpoint, nowMs);
  assert.equal(pick(laterMs - 1), null);
  peers[0]!.lastBlockMs = laterMs - 1;
  assert.equal(pick(), peers[1]);
  peers[1]!.amChoking = false;
  assert.equal(pick(), peers[1], 'who is not interested is not served');
  peers[1]!.interested = true;
  assert.equal(pick(), peers[2]);
  assert.equal(pick(laterMs + peerPriorityLimits.usefulMs), peers[0], 'its last block was long ago');
  assert.equal(
    pickToReplace(peers, newcomer, () => null, laterMs),
    null,
  );
  assert.equal(pickToReplace(peers, tryParseEndpoint('10.0.0.2:1')!, ownEndpoint, laterMs), null);
});

test('whoever comes in whichever order, the same ones have the places in the end', () => {
  const names = strangers(60);
  for (let seed = 1; seed <= 20; seed++) {
    const order = new Prng(seed).shuffle([...names]);
    let places = peersAt(order.slice(0, 10));
    // Two rounds: who was refused comes again.
    for (const name of [...order, ...order]) {
      if (places.some((peer) => peer.endpoint.address === name.split(':')[0])) continue;
      const [newcomer] = peersAt([name]);
      const chosen = pickToReplace(places, newcomer!.endpoint, ownEndpoint, laterMs);
      if (chosen !== null) places = [...places.filter((peer) => peer !== chosen), newcomer!];
    }
    const held = places.map((peer) => `${peer.endpoint.address}:1`).toSorted();
    assert.deepEqual(held, names.slice(-10).toSorted(), `seed ${seed}`);
  }
});
