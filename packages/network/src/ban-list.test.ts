import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { addressFromBytes, type Fault, type IpAddress } from '@tequio/kernel';
import { BanList } from './ban-list.ts';
import { limits } from './limits.ts';

const peer = '20.0.0.1' as IpAddress;
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
    key: peer,
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
  list.handleFault('2001:db8:1:2::1' as IpAddress, fault(50), 0);
  list.handleFault('2001:db8:1:2:a:b:c:d' as IpAddress, fault(50), 0);
  ok(list.find('2001:db8:1:2::9' as IpAddress, 0));
  equal(list.find('2001:db8:1:3::9' as IpAddress, 0), null);
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
  const nth = (n: number): IpAddress => addressFromBytes(Uint8Array.of(30, n >> 16, n >> 8, n));
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
