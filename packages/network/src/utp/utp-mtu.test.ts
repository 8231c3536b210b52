import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../limits.ts';
import { UtpMtu } from './utp-mtu.ts';

const { mtuFloorBytes, mtuStepBytes, mtuCoarseStepShare, mtuRaiseMs } = limits.utp;

/** Tries until there is nothing more to try; how many probes it took. */
function search(mtu: UtpMtu, pathBytes: number, nowMs = 0): number {
  for (let count = 0; ; count++) {
    const bytes = mtu.tryProbeBytes(nowMs);
    if (bytes === null) return count;
    mtu.markProbeSent(bytes);
    equal(mtu.tryProbeBytes(nowMs), null, 'one at a time');
    if (bytes <= pathBytes) mtu.handleProbeAcked();
    else mtu.handleProbeLost();
    ok(count < 60, 'it ends');
  }
}

test('what most paths carry is found with one probe', () => {
  const mtu = new UtpMtu(1472);
  equal(mtu.packetBytes, mtuFloorBytes);
  equal(search(mtu, 1472), 1);
  equal(mtu.packetBytes, 1472);
});

/** How far below the truth may be stayed. */
const slackOf = (usual: number, path: number): number =>
  path < usual + mtuStepBytes ? mtuStepBytes : Math.max(mtuStepBytes, path * mtuCoarseStepShare);

test('any other length is found as finely as the step, and never passed', () => {
  for (const most of [1452, 1472, 9000, 16_384, 65_000]) {
    for (const path of [1200, 1201, 1300, 1400, 1451, 1472, 1700, 4096, 8868, 12_345, 64_000]) {
      const usual = Math.min(most, 1472);
      const mtu = new UtpMtu(usual);
      mtu.raise(most);
      const count = search(mtu, path);
      ok(mtu.packetBytes <= Math.max(path, mtuFloorBytes));
      ok(
        mtu.packetBytes >= Math.min(path, most) - slackOf(usual, Math.min(path, most)),
        `${mtu.packetBytes} of ${path}, at most ${most}`,
      );
      ok(count < 40, `${count} probes`);
    }
  }
});

test('after ten minutes it is tried again', () => {
  const mtu = new UtpMtu(1472);
  search(mtu, 1300);
  const found = mtu.packetBytes;
  equal(search(mtu, 1472, mtuRaiseMs - 1), 0);
  search(mtu, 1472, mtuRaiseMs + 1);
  ok(mtu.packetBytes > found);
});

test('a time-out says nothing about a probe; a black hole goes back to the floor', () => {
  const mtu = new UtpMtu(1472);
  mtu.markProbeSent(mtu.tryProbeBytes(0)!);
  mtu.handleTimeout();
  equal(search(mtu, 1472), 1);
  mtu.handleBlackHole();
  equal(mtu.packetBytes, mtuFloorBytes);
  search(mtu, 1300);
  ok(mtu.packetBytes > 1280 && mtu.packetBytes <= 1300);
});

test('longer ones are tried when the other side takes them', () => {
  const mtu = new UtpMtu(1472);
  search(mtu, 65_000);
  equal(mtu.packetBytes, 1472);
  mtu.raise(1000);
  equal(mtu.tryProbeBytes(0), null);
  mtu.raise(16_384);
  search(mtu, 65_000);
  ok(mtu.packetBytes > 16_384 - mtuStepBytes);
});

test('where only Ethernet’s packets pass, little is lost on finding that out', () => {
  const mtu = new UtpMtu(1472);
  mtu.raise(8972);
  ok(search(mtu, 1472) <= 9);
  equal(mtu.packetBytes, 1472);
});
