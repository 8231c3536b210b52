import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Endpoint, formatEndpoint, isLocalAddress, Prng, tryParseEndpoint } from '@tequio/kernel';
import { type HolepunchMessage, holepunchError } from '../wire/holepunch.ts';
import { pexFlag } from '../wire/pex.ts';
import { HolePunch, type HolePunchEffect, holePunchLimits, type PunchPeer } from './hole-punch.ts';

function at(text: string): Endpoint {
  return tryParseEndpoint(text)!;
}

const [alice, bob, carol, dave] = ['203.0.113.1:1', '198.51.100.2:2', '192.0.2.3:3', '9.9.9.9:4'] as const;
const own = at('7.7.7.7:7');
const isOwn = (endpoint: Endpoint): boolean => formatEndpoint(endpoint) === formatEndpoint(own);
const punchable = { key: 1, flags: pexFlag.holepunch };

function peerAt(text: string, more: Partial<PunchPeer> = {}): PunchPeer {
  const remote = at(text);
  return { remote, contact: null, punchable: remote, speaks: true, ...more };
}

/** Peers 1, 2, … at these endpoints. */
function punchWith(...peers: readonly (string | PunchPeer)[]): HolePunch {
  const punch = new HolePunch();
  peers.forEach((peer, i) => {
    punch.setPeer(i + 1, typeof peer === 'string' ? peerAt(peer) : peer);
  });
  return punch;
}

function drained(punch: HolePunch): HolePunchEffect[] {
  const effects: HolePunchEffect[] = [];
  punch.drain(effects);
  return effects;
}

/** `1 rendezvous 192.0.2.3:3`, `punch 192.0.2.3:3`. */
function textsOf(punch: HolePunch): string[] {
  return drained(punch).map((effect) => {
    if (effect.type === 'punch') return `punch ${formatEndpoint(effect.endpoint)}`;
    const { peer, message } = effect;
    const error = message.type === 'error' ? ` ${message.error}` : '';
    return `${peer} ${message.type}${error} ${formatEndpoint(message.endpoint)}`;
  });
}

function say(punch: HolePunch, key: number, message: HolepunchMessage, nowMs = 0): string[] {
  punch.handleMessage(key, message, isOwn, nowMs);
  return textsOf(punch);
}

test('relaying: both are told of each other, the one that was asked for first', () => {
  const punch = punchWith(alice, bob);
  assert.deepEqual(say(punch, 1, { type: 'rendezvous', endpoint: at(bob) }), [
    `2 connect ${alice}`,
    `1 connect ${bob}`,
  ]);
});

test('relaying: found by its listening port too, and named by where its router lets answers in', () => {
  const behindRouter = peerAt('198.51.100.2:61234', {
    contact: at(bob),
    punchable: at('198.51.100.2:61234'),
  });
  const overTcp = peerAt('203.0.113.1:50000', { contact: at(alice), punchable: at(alice) });
  const punch = punchWith(overTcp, behindRouter);
  assert.deepEqual(say(punch, 1, { type: 'rendezvous', endpoint: at(bob) }), [
    `2 connect ${alice}`,
    '1 connect 198.51.100.2:61234',
  ]);
});

test('relaying: why not', () => {
  const punch = punchWith(
    alice,
    peerAt(bob, { speaks: false }),
    peerAt(carol, { punchable: null }),
    '10.0.0.5:5',
    '[2001:db8::1]:6',
  );
  const errorFor = (endpoint: Endpoint): string[] => say(punch, 1, { type: 'rendezvous', endpoint });
  const { noSuchPeer, notConnected, noSupport, noSelf } = holepunchError;
  assert.deepEqual(errorFor(at(dave)), [`1 error ${notConnected} ${dave}`]);
  assert.deepEqual(errorFor(at(bob)), [`1 error ${noSupport} ${bob}`]);
  assert.deepEqual(errorFor(at(carol)), [`1 error ${noSupport} ${carol}`]);
  assert.deepEqual(errorFor(own), [`1 error ${noSelf} 7.7.7.7:7`]);
  assert.deepEqual(errorFor(at(alice)), [`1 error ${noSuchPeer} ${alice}`]);
  assert.deepEqual(errorFor({ ...at(dave), port: 0 }), [`1 error ${notConnected} 9.9.9.9:0`]);
  assert.deepEqual(errorFor(at('10.0.0.5:5')), [`1 error ${notConnected} 10.0.0.5:5`], 'not our network');
  assert.deepEqual(errorFor(at('[2001:db8::1]:6')), [`1 error ${notConnected} [2001:db8::1]:6`]);
  assert.deepEqual(say(punch, 2, { type: 'rendezvous', endpoint: at(alice) }), [], 'who does not speak it');
  assert.deepEqual(say(punch, 99, { type: 'rendezvous', endpoint: at(alice) }), [], 'nobody');
  assert.deepEqual(say(punch, 1, { type: 'unknown' }), []);
});

test('relaying: so many from one peer, so many to one', () => {
  const names = Array.from({ length: 30 }, (_, i) => `11.0.0.${i + 1}:1`);
  const punch = punchWith(alice, ...names);
  let count = 0;
  for (let i = 0; i < 30; i++) count += say(punch, 1, { type: 'rendezvous', endpoint: at(names[i]!) }).length;
  assert.equal(count, 2 * holePunchLimits.rendezvousFrom.burst);
  count = 0;
  for (let key = 2; key <= 31; key++)
    count += say(punch, key, { type: 'rendezvous', endpoint: at(alice) }).length;
  assert.equal(count, 2 * holePunchLimits.connectsTo.burst);
});

test('asking: a peer that knows it, and the next one when that refuses or is silent', () => {
  const punch = punchWith(alice, bob, carol);
  const introducers = [1, 2, 3].map((key) => ({ ...punchable, key }));
  assert.equal(punch.handleDialFailed(at(dave), introducers, 0), true);
  assert.deepEqual(textsOf(punch), [`1 rendezvous ${dave}`]);
  assert.equal(punch.handleDialFailed(at(dave), introducers, 10), false, 'one question at a time');
  const refusal = { type: 'error', endpoint: at(dave), error: holepunchError.notConnected } as const;
  assert.deepEqual(say(punch, 2, refusal, 20), [], 'it was not asked');
  assert.deepEqual(say(punch, 1, refusal, 20), [`2 rendezvous ${dave}`]);
  punch.handleTimeout(20 + holePunchLimits.answerTimeoutMs - 1);
  assert.deepEqual(textsOf(punch), []);
  punch.handleTimeout(20 + holePunchLimits.answerTimeoutMs);
  assert.deepEqual(textsOf(punch), [`3 rendezvous ${dave}`]);
  assert.deepEqual(say(punch, 3, { type: 'connect', endpoint: at(dave) }, 6000), [`punch ${dave}`]);
  assert.equal(punch.handleDialFailed(at(dave), introducers, 10_000), false, 'not again so soon');
  const laterMs = 6000 + holePunchLimits.retryMs;
  assert.equal(punch.handleDialFailed(at(dave), introducers, laterMs), true);
});

test('asking: not when nobody can help', () => {
  const punch = punchWith(alice, peerAt(bob, { speaks: false }));
  assert.equal(punch.handleDialFailed(at(dave), [], 0), false);
  assert.equal(punch.handleDialFailed(at(dave), [{ ...punchable, key: 2 }], 0), false);
  assert.equal(
    punch.handleDialFailed(at(dave), [{ key: 1, flags: pexFlag.seed }], 0),
    false,
    'it speaks not',
  );
  assert.equal(punch.handleDialFailed(at(dave), [{ key: 1, flags: 0 }], 0), true, 'nothing is known of it');
  punch.removePeer(1);
  punch.handleTimeout(holePunchLimits.answerTimeoutMs);
  assert.deepEqual(textsOf(punch), [`1 rendezvous ${dave}`], 'and nobody is left to be asked');
});

test('dialling: what we asked for always, also at another port; the rest within limits', () => {
  const punch = punchWith(alice, bob, carol);
  let count = 0;
  for (let i = 0; i < 50; i++)
    count += say(punch, 1, { type: 'connect', endpoint: at(`11.0.0.${i}:1`) }).length;
  assert.equal(count, holePunchLimits.connectsFrom.burst);
  punch.handleDialFailed(at(dave), [punchable], 0);
  drained(punch);
  assert.deepEqual(say(punch, 1, { type: 'connect', endpoint: at('9.9.9.9:777') }), ['punch 9.9.9.9:777']);
  assert.deepEqual(say(punch, 1, { type: 'connect', endpoint: at('9.9.9.9:778') }), [], 'once');
});

test('dialling: so many for all relays together', () => {
  const names = Array.from({ length: 20 }, (_, i) => `11.0.0.${i + 1}:1`);
  const punch = punchWith(...names);
  let count = 0;
  for (let key = 1; key <= 20; key++)
    for (let i = 0; i < 5; i++)
      count += say(punch, key, { type: 'connect', endpoint: at(`12.0.${key}.${i}:1`) }).length;
  assert.equal(count, holePunchLimits.connectsOfAll.burst);
});

test('dialling: no stranger sends us to our own network or to ourselves; a neighbour may name neighbours', () => {
  const punch = punchWith(alice, '192.168.0.9:9');
  for (const name of ['127.0.0.1:1', '10.0.0.1:1', '[fe80::1]:1', '[::1]:1'])
    assert.deepEqual(say(punch, 1, { type: 'connect', endpoint: at(name) }), [], name);
  assert.deepEqual(say(punch, 1, { type: 'connect', endpoint: own }), []);
  assert.deepEqual(say(punch, 1, { type: 'connect', endpoint: { ...own, port: 0 } }), []);
  punch.handleMessage(2, { type: 'connect', endpoint: at('192.168.0.7:1') }, isOwn, 0);
  assert.deepEqual(drained(punch), [{ type: 'punch', endpoint: at('192.168.0.7:1'), isFromLocal: true }]);
});

test('whatever peers say, nothing goes past the limits, and nobody is sent to a local address by a stranger', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const prng = new Prng(seed);
    const addresses = [alice, bob, carol, dave, '10.0.0.1:1', '127.0.0.1:1', '192.168.0.9:9', '7.7.7.7:7'];
    const punch = new HolePunch();
    const peers = new Map<number, PunchPeer>();
    let nowMs = 0;
    let askedCount = 0;
    const sentTo = new Map<number, number>();
    let punchCount = 0;
    for (let i = 0; i < 400; i++) {
      nowMs += prng.below(300);
      const key = prng.between(1, 8);
      const endpoint = at(prng.pick(addresses));
      const doing = prng.below(12);
      if (doing === 0) {
        const peer = peerAt(prng.pick(addresses), { speaks: prng.chance(0.8) });
        peers.set(key, peer);
        punch.setPeer(key, peer);
      } else if (doing === 1 && prng.chance(0.2)) {
        peers.delete(key);
        punch.removePeer(key);
      } else if (doing < 4) {
        if (punch.handleDialFailed(endpoint, [{ key, flags: prng.pick([0, 8]) }], nowMs)) askedCount++;
      } else if (doing < 5) punch.handleTimeout(nowMs);
      else {
        const type = prng.pick(['rendezvous', 'connect', 'error'] as const);
        const message = type === 'error' ? { type, endpoint, error: prng.below(9) } : { type, endpoint };
        punch.handleMessage(key, message, isOwn, nowMs);
      }
      for (const effect of drained(punch)) {
        if (effect.type === 'punch') {
          punchCount++;
          assert.ok(!isOwn(effect.endpoint), `seed ${seed}`);
          assert.ok(effect.isFromLocal || !isLocalAddress(effect.endpoint.address), `seed ${seed}`);
          continue;
        }
        const peer = peers.get(effect.peer);
        assert.ok(peer?.speaks, `seed ${seed}: only who speaks it is spoken to`);
        sentTo.set(effect.peer, (sentTo.get(effect.peer) ?? 0) + 1);
        if (effect.message.type !== 'connect') continue;
        const isLocal = isLocalAddress(effect.message.endpoint.address);
        assert.equal(isLocal, isLocalAddress(peer.remote.address), `seed ${seed}: strangers stay strangers`);
      }
    }
    const minutes = nowMs / 60_000;
    const { connectsOfAll } = holePunchLimits;
    const punchMax = askedCount + connectsOfAll.burst + minutes * connectsOfAll.perMinute;
    assert.ok(punchCount <= punchMax, `seed ${seed}: ${punchCount} dials`);
    assert.ok(askedCount <= 8 * (2 + nowMs / holePunchLimits.answerTimeoutMs), `seed ${seed}`);
  }
});
