import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Allowance } from './allowance.ts';

test('so many at once, then so many a minute', () => {
  const allowance = new Allowance({ burst: 3, perMinute: 6 });
  const taken = [0, 0, 0, 0, 9_999, 10_000, 10_000, 100_000].map((atMs) => allowance.tryTake(atMs));
  assert.deepEqual(taken, [true, true, true, false, false, true, false, true]);
});

test('what is not used is saved up to the burst, and time does not run back', () => {
  const allowance = new Allowance({ burst: 2, perMinute: 60 });
  const takenOf = (atMs: number): number => {
    let count = 0;
    while (allowance.tryTake(atMs)) count++;
    return count;
  };
  assert.equal(takenOf(5000), 2);
  assert.equal(takenOf(3_600_000), 2);
  assert.equal(takenOf(1000), 0);
  assert.equal(takenOf(3_601_000), 1);
});

test('over a long time exactly the rate passes', () => {
  const allowance = new Allowance({ burst: 1, perMinute: 7 });
  let count = 0;
  for (let atMs = 0; atMs < 6_000_000; atMs += 37) if (allowance.tryTake(atMs)) count++;
  assert.ok(Math.abs(count - 700) <= 5, `${count}`);
});
