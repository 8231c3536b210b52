import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import type { IpAddress } from '@tequio/kernel';
import { limits } from './limits.ts';
import type { WayStatus } from './port-mapping/router-way.ts';
import { type Reachability, ReachabilityJudge } from './reachability.ts';

const ip = (text: string): IpAddress => text as IpAddress;
const [mine, home] = [ip('5.1.0.2'), ip('192.168.1.2')];
const later = limits.reachability.patienceMs;

function way(changes: Partial<WayStatus>): WayStatus {
  return {
    family: 4,
    local: home,
    prefixBits: 24,
    gateway: ip('192.168.1.1'),
    isGuess: false,
    protocol: 'pcp',
    protocols: [],
    externalAddress: mine,
    isDoubleNat: false,
    mappings: (['tcp', 'udp'] as const).map((transport) => ({
      transport,
      port: 27272,
      state: 'mapped',
      externalPort: 27272,
      reason: '',
    })),
    ...changes,
  };
}

/** What is said of one family and transport: state, basis, advice. */
function said(judge: ReachabilityJudge, nowMs: number, family: 4 | 6, transport: 'tcp' | 'udp'): string {
  const found = judge.report(nowMs).find((one) => one.family === family && one.transport === transport)!;
  return wordsOf(found);
}

function wordsOf({ state, basis, advice, isSeen }: Reachability): string {
  return [state, basis, advice, ...(isSeen ? ['seen'] : [])].join(' ');
}

function judgeAt(...own: readonly IpAddress[]): ReachabilityJudge {
  const judge = new ReachabilityJudge(0);
  judge.handleOwnAddresses(own);
  return judge;
}

test('at first nothing is known but which addresses there are', () => {
  deepEqual(judgeAt(home).report(0).map(wordsOf), [
    'unknown nothing wait',
    'unknown nothing wait',
    'closed no-address none',
    'closed no-address none',
  ]);
  equal(said(judgeAt(home, ip('fe80::1'), ip('fd00::1')), 0, 6, 'tcp'), 'closed no-address none');
  equal(said(judgeAt(ip('2001:db8::1')), 0, 6, 'tcp'), 'unknown nothing wait');
});

test('one strange TCP connection is proof, a local one is none, and proof gets old', () => {
  const judge = judgeAt(home);
  judge.handleIncoming('tcp', ip('192.168.1.9'), 0);
  judge.handleIncoming('tcp', ip('127.0.0.1'), 0);
  equal(said(judge, 0, 4, 'tcp'), 'unknown nothing wait');
  judge.handleIncoming('tcp', ip('20.0.0.1'), 1000);
  equal(said(judge, 1000, 4, 'tcp'), 'open incoming none seen');
  equal(said(judge, 1000, 4, 'udp'), 'unknown nothing wait', 'the other transport has proof of its own');
  equal(said(judge, 1001 + limits.reachability.memoryMs, 4, 'tcp'), 'unknown nothing wait');
});

test('UDP: one comer is proof on an address of our own, behind a NAT it takes four that we did not dial', () => {
  const open = judgeAt(mine);
  open.handleIncoming('udp', ip('20.0.0.1'), 0);
  equal(said(open, 0, 4, 'udp'), 'open incoming none seen');
  const behind = judgeAt(home);
  for (let i = 1; i <= 3; i++) behind.handleIncoming('udp', ip(`20.0.${i}.1`), 0);
  behind.handleDial('udp', ip('20.0.4.1'), 0);
  behind.handleIncoming('udp', ip('20.0.4.1'), 1);
  equal(said(behind, 1, 4, 'udp'), 'unknown nothing wait');
  behind.handleIncoming('udp', ip('20.0.5.1'), 1);
  equal(said(behind, 1, 4, 'udp'), 'open incoming none seen');
});

test('an own address that others do not see is behind a NAT', () => {
  const judge = judgeAt(ip('20.9.9.9'));
  judge.handleExternalAddress(mine);
  judge.handleIncoming('udp', ip('20.0.0.1'), 0);
  equal(said(judge, 0, 4, 'udp'), 'unknown nothing wait');
});

test('a mapping is the router’s word, until somebody comes; behind double NAT it is no word', () => {
  const judge = judgeAt(home);
  judge.handleWays([way({})]);
  equal(said(judge, 0, 4, 'tcp'), 'mapped mapping none');
  judge.handleIncoming('tcp', ip('20.0.0.1'), 0);
  equal(said(judge, 0, 4, 'tcp'), 'mapped incoming none seen');
  const double = judgeAt(home);
  double.handleWays([way({ externalAddress: ip('100.64.1.2'), isDoubleNat: true })]);
  equal(said(double, 0, 4, 'tcp'), 'unknown nothing wait');
  for (let i = 1; i <= 3; i++) double.handleOpened('tcp', ip(`20.0.${i}.1`));
  equal(said(double, later, 4, 'tcp'), 'closed nobody-came ask-provider');
});

test('UDP whose port all see as the same can be punched, as different ones it is closed', () => {
  const judge = judgeAt(home);
  judge.handlePortsSeen(4, [27272, 27272]);
  equal(said(judge, 0, 4, 'udp'), 'unknown nothing wait', 'two are too few');
  judge.handlePortsSeen(4, [27272, 27272, 27272]);
  equal(said(judge, 0, 4, 'udp'), 'punchable same-port forward-port');
  equal(said(judge, 0, 4, 'tcp'), 'unknown nothing wait');
  judge.handlePortsSeen(4, [27272, 27272, 40_000]);
  equal(said(judge, 0, 4, 'udp'), 'closed different-ports forward-port');
});

test('closed is said after ten minutes in which our own connections opened', () => {
  const judge = judgeAt(mine);
  equal(said(judge, later, 4, 'tcp'), 'unknown nothing wait', 'perhaps we are offline');
  for (let i = 1; i <= 3; i++) judge.handleOpened('tcp', ip(`20.0.${i}.1`));
  equal(said(judge, later - 1, 4, 'tcp'), 'unknown nothing wait');
  equal(said(judge, later, 4, 'tcp'), 'closed nobody-came open-firewall');
});

test('a flood of comers keeps memory bounded and the answer right', () => {
  const judge = judgeAt(home);
  for (let i = 0; i < 100_000; i++)
    judge.handleIncoming('udp', ip(`20.${i >> 16}.${(i >> 8) & 255}.${i & 255}`), i);
  equal(said(judge, 100_000, 4, 'udp'), 'open incoming none seen');
});
