import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { testClock } from '@tequio/kernel/compliance/clock';
import { VirtualClock } from './clock.ts';
import { World } from './world.ts';

testClock('simulated clock', () => {
  const world = new World({ seed: 1 });
  return { clock: world.clock, until: (condition) => world.run(condition) };
});

test('events happen by time, then in the order in which they were set, with any cancelled', () => {
  const prng = new Prng(7);
  const clock = new VirtualClock();
  const wanted: { atMs: number; id: number }[] = [];
  const happened: number[] = [];
  for (let id = 0; id < 2000; id++) {
    const atMs = prng.below(300);
    const timer = clock.setTimer(atMs, () => {
      equal(clock.nowMs(), atMs);
      happened.push(id);
    });
    if (prng.chance(0.3)) timer.cancel();
    else wanted.push({ atMs, id });
  }
  while (clock.fireNext());
  wanted.sort((a, b) => a.atMs - b.atMs || a.id - b.id);
  deepEqual(
    happened,
    wanted.map(({ id }) => id),
  );
  equal(clock.nextMs(), null);
});
