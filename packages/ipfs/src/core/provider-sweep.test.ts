import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { createHashes } from '@tequio/runtime';
import { ProviderSweep } from './provider-sweep.ts';

const hourMs = 3_600_000;
const hashes = createHashes();
const options = { intervalMs: 22 * hourMs, regionCount: 64 };

function keysOf(seed: number, count: number): Uint8Array[] {
  const prng = new Prng(seed);
  return Array.from({ length: count }, () => prng.bytes(34));
}

test('new keys are told at once, then once an interval, evenly over it', () => {
  const sweep = new ProviderSweep(options, 0);
  const keys = keysOf(1, 2000);
  let nowMs = 5 * hourMs;
  for (const key of keys) sweep.add(key, hashes.sha256(key), null);
  assert.deepEqual(sweep.state(nowMs).neverToldCount, 2000);
  const toldIn = (untilMs: number): number => {
    let count = 0;
    for (;;) {
      const due = sweep.pickDue(nowMs, 100);
      for (const entry of due) sweep.markTold(entry, 20, nowMs);
      count += due.length;
      if (due.length > 0) continue;
      const nextMs = sweep.nextDueMs(nowMs);
      assert.ok(nextMs !== null && nextMs > nowMs);
      if (nextMs > untilMs) return count;
      nowMs = nextMs;
    }
  };
  assert.equal(toldIn(nowMs), 2000, 'all at once');
  assert.equal(sweep.state(nowMs).findableCount, 2000);
  const startMs = nowMs;
  const perHour: number[] = [];
  for (let hour = 1; hour <= 44; hour++) {
    perHour.push(toldIn(startMs + hour * hourMs));
    nowMs = startMs + hour * hourMs;
  }
  const total = perHour.reduce((sum, count) => sum + count, 0);
  assert.equal(total, 4000, 'each twice in two intervals');
  // 2000 keys in 22 hours: 91 an hour.
  assert.ok(Math.max(...perHour) < 160 && Math.min(...perHour) > 40, perHour.join(' '));
});

test('keys that lie together are told together, in their order', () => {
  const sweep = new ProviderSweep(options, 0);
  for (const key of keysOf(2, 1000)) sweep.add(key, hashes.sha256(key), 1);
  const due = sweep.pickDue(40 * hourMs, 1000);
  assert.ok(due.length > 4 && due.length < 40, `${due.length}`);
  const places = due.map(({ place }) => place);
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.ok((places.at(-1)! - places[0]!) / 2 ** 48 <= 1 / 64);
});

test('what was told before a restart is not told again, what failed is tried again, rarer each time', () => {
  const sweep = new ProviderSweep(options, 0);
  const [kept, failing] = keysOf(3, 2) as [Uint8Array, Uint8Array];
  const nowMs = 100 * hourMs;
  sweep.add(kept, hashes.sha256(kept), nowMs);
  sweep.add(failing, hashes.sha256(failing), null);
  const times: number[] = [];
  let atMs = nowMs;
  for (let i = 0; i < 6; i++) {
    const due = sweep.pickDue(atMs, 10);
    assert.deepEqual(
      due.map(({ key }) => key),
      [failing],
    );
    sweep.markTold(due[0]!, 0, atMs);
    const nextMs = sweep.nextDueMs(atMs)!;
    times.push((nextMs - atMs) / 60_000);
    atMs = nextMs;
  }
  assert.deepEqual(times, [1, 2, 4, 8, 16, 32]);
  assert.equal(sweep.state(atMs).neverToldCount, 1);
  sweep.remove(failing, hashes.sha256(failing));
  assert.equal(sweep.keyCount, 1);
  assert.deepEqual(sweep.pickDue(atMs, 10), []);
});

test('a machine that was off: all is overdue, and told the longest overdue first', () => {
  const sweep = new ProviderSweep(options, 0);
  const keys = keysOf(4, 500);
  for (const [index, key] of keys.entries()) sweep.add(key, hashes.sha256(key), index + 1);
  const nowMs = 400 * hourMs;
  assert.equal(sweep.state(nowMs).overdueCount, 500);
  let count = 0;
  for (let due = sweep.pickDue(nowMs, 1000); due.length > 0; due = sweep.pickDue(nowMs, 1000)) {
    for (const entry of due) sweep.markTold(entry, 20, nowMs);
    count += due.length;
  }
  assert.equal(count, 500);
  assert.equal(sweep.state(nowMs).overdueCount, 0);
});
