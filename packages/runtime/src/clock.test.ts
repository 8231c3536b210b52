import { deepEqual, ok } from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { testClock } from '@tequio/kernel/compliance/clock';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { createClock } from './clock.ts';

testClock('runtime clock', () => ({ clock: createClock(), until: untilReal }));

test('a process that stands still between two lines asks the system for no time in the past', async (context) => {
  const asked: number[] = [];
  const system = globalThis.setTimeout;
  context.mock.method(globalThis, 'setTimeout', (callback: () => void, delayMs: number) => {
    asked.push(delayMs);
    return system(callback, delayMs);
  });
  const now = performance.now.bind(performance);
  let lostMs = 0;
  context.mock.method(performance, 'now', () => now() + (lostMs += 200));
  let isFired = false;
  createClock().setTimer(10, () => {
    isFired = true;
  });
  deepEqual(asked, [1]);
  context.mock.reset();
  await untilReal(() => isFired);
  ok(isFired);
});
