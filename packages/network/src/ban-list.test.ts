import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { addressFromBytes, type Endpoint, type Fault, type IpAddress } from '@tequio/kernel';
import { BanList } from './ban-list.ts';
import { limits } from './limits.ts';

const at = (address: string, port = 6881): Endpoint => ({ address: address as IpAddress, port });
const peer = at('20.0.0.1');
const fault = (penalty: number, blame: Fault['blame'] = 'peer'): Fault => ({
  code: 'BITTORRENT_TEST',
  message: 'The peer did something wrong.',
  blame,
  penalty,
});
const minuteMs = 60_000;

test('penalties add up to a ban that says why and ends by itself', () => {
  const list = new BanList();
  equal(list.handleFault(peer, fault(60), 0), null);
  equal(list.find(peer, 0), null);
  const ban = list.handleFault(peer, fault(40), 0);
  deepEqual(ban, {
    key: '20.0.0.1',
    code: 'BITTORRENT_TEST',
    message: 'The peer did something wrong.',
    untilMs: limits.bans.banMs,
  });
  deepEqual(list.find(peer, limits.bans.banMs - 1), ban);
  deepEqual(list.list(10), [ban]);
  equal(list.find(peer, limits.bans.banMs), null);
  equal(list.banCount, 0);
  equal(list.handleFault(peer, fault(99), limits.bans.banMs), null, 'it starts from nothing');
});

test('only a peer’s own faults count', () => {
  const list = new BanList();
  for (const blame of ['none', 'tracker', 'file', 'user', 'web-seed'] as const) {
    equal(list.handleFault(peer, fault(100, blame), 0), null);
  }
  equal(list.handleFault(peer, fault(0), 0), null);
  deepEqual([list.score(peer, 0), list.scoreCount], [0, 0]);
});

test('old faults weigh less', () => {
  const list = new BanList();
  for (let i = 0; i < 100; i++) equal(list.handleFault(peer, fault(40), i * 60 * minuteMs), null);
  ok(list.score(peer, 99 * 60 * minuteMs) < 55);
  equal(Math.round(list.score(peer, 99 * 60 * minuteMs + limits.bans.scoreHalfLifeMs)), 27);
});

test('an IPv6 /64 is one subject, its neighbour another', () => {
  const list = new BanList();
  list.handleFault(at('2001:db8:1:2::1'), fault(50), 0);
  list.handleFault(at('2001:db8:1:2:a:b:c:d'), fault(50), 0);
  ok(list.find(at('2001:db8:1:2::9'), 0));
  equal(list.find(at('2001:db8:1:3::9'), 0), null);
});

test('a ban by hand lasts, is not shortened by a fault, and can be taken back', () => {
  const list = new BanList();
  const reason = { code: 'USER', message: 'You banned it.' };
  const ban = list.ban(peer, reason, 0, Number.POSITIVE_INFINITY);
  deepEqual(list.handleFault(peer, fault(100), 0), ban);
  equal(list.find(peer, 1e15)?.code, 'USER');
  list.unban(peer);
  equal(list.find(peer, 0), null);
});

test('memory is bounded, and what was touched longest ago is forgotten first', () => {
  const list = new BanList();
  const nth = (n: number): Endpoint => at(addressFromBytes(Uint8Array.of(30, n >> 16, n >> 8, n)));
  for (let n = 0; n < limits.bans.banCount + 10; n++) list.ban(nth(n), { code: 'X', message: 'x' }, n);
  equal(list.banCount, limits.bans.banCount);
  deepEqual([list.find(nth(9), 0), list.find(nth(10), 0)?.code], [null, 'X']);
  for (let n = 0; n < limits.bans.scoreCount + 10; n++) {
    list.handleFault(nth(n), fault(10), n);
    list.handleFault(nth(0), fault(0.001), n);
  }
  equal(list.scoreCount, limits.bans.scoreCount);
  ok(list.score(nth(0), 0) > 10);
  equal(list.score(nth(1), 0), 0);
});

test('a new port does not help, but on loopback and a local network every program and machine is its own', () => {
  const list = new BanList();
  for (const banned of [peer, at('127.0.0.1', 1), at('fd00::1')]) list.handleFault(banned, fault(100), 0);
  ok(list.find(at('20.0.0.1', 7), 0) !== null);
  deepEqual([list.find(at('127.0.0.1', 2), 0), list.find(at('fd00::2'), 0)], [null, null]);
  ok(list.find(at('127.0.0.1', 1), 0) !== null && list.find(at('fd00::1', 9), 0) !== null);
});

test('bans of an earlier run go on as long as they should', () => {
  const [first, second] = [new BanList(), new BanList()];
  first.handleFault(peer, fault(100), 0);
  first.ban(at('20.0.0.2'), { code: 'USER', message: 'You banned it.' }, 0, 1000);
  second.restore(first.list(0), 5000);
  deepEqual([second.banCount, second.find(peer, 5000)?.code], [1, 'BITTORRENT_TEST']);
  equal(second.find(peer, limits.bans.banMs), null);
});
