import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, type Log, silentLog } from '@tequio/kernel';
import { ClockWatch } from './clock-watch.ts';

test('a clock that jumps is told of once, and one that is set right by little is not', () => {
  let [nowMs, wallMs] = [0, 1_700_000_000_000];
  const told: unknown[] = [];
  const log: Log = { ...silentLog, warn: (_, fields) => void told.push(fields!['seconds']) };
  const watch = new ClockWatch({ nowMs: () => nowMs, wallMs: () => wallMs } as Clock, log);
  const second = (jumpMs = 0): void => {
    nowMs += 1000;
    wallMs += 1000 + jumpMs;
    watch.tick();
  };
  second();
  second(30_000);
  second();
  assert.deepEqual(told, []);
  second(3600_000);
  second();
  second(-7200_000);
  second();
  assert.deepEqual(told, [3600, -7200]);
});
