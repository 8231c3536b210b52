import { deepEqual, equal, throws } from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { checkSchedule, limitsAt, type ScheduleRule, untilChangeMs } from './limit-schedule.ts';

const usual = { down: null, up: 100 };
const at = (text: string): number => Date.parse(`${text}Z`);
const workDays: ScheduleRule = {
  days: [1, 2, 3, 4, 5],
  fromMinute: 8 * 60,
  toMinute: 18 * 60,
  down: 5,
  up: 1,
};
/** Friday and Saturday night. */
const nights: ScheduleRule = { days: [5, 6], fromMinute: 22 * 60, toMinute: 6 * 60, down: 9, up: null };

test('a rule holds on its days, from its first minute until before its last', () => {
  const limits = (text: string) => limitsAt([workDays], usual, at(text)).down;
  // 2 March 2026 is a Monday.
  deepEqual(
    [
      '2026-03-02T07:59:59',
      '2026-03-02T08:00',
      '2026-03-02T17:59:59',
      '2026-03-02T18:00',
      '2026-03-01T12:00',
    ].map(limits),
    [null, 5, 5, null, null],
  );
  deepEqual(limitsAt([workDays], usual, at('2026-03-02T07:00')), usual);
});

test('past midnight a rule belongs to the day on which it began; the first that covers wins', () => {
  const limits = (text: string) => limitsAt([nights, workDays], usual, at(text));
  deepEqual(limits('2026-03-06T23:00'), { down: 9, up: null });
  deepEqual(limits('2026-03-07T05:59'), { down: 9, up: null });
  deepEqual(limits('2026-03-07T06:00'), usual);
  deepEqual(limits('2026-03-06T05:00'), usual, 'Thursday night is not covered');
  deepEqual(limits('2026-03-08T01:00'), { down: 9, up: null }, 'Saturday night, on Sunday');
  const always: ScheduleRule = { days: [0, 1, 2, 3, 4, 5, 6], fromMinute: 60, toMinute: 60, down: 7, up: 7 };
  equal(limitsAt([always, workDays], usual, at('2026-03-02T12:00')).down, 7);
  equal(limitsAt([always], usual, at('2026-03-02T00:59')).down, 7);
});

test('between two changes the limits are the same, found minute by minute', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const prng = new Prng(seed);
    const rules = Array.from({ length: prng.between(0, 4) }, (_, index) => ({
      days: [0, 1, 2, 3, 4, 5, 6].filter(() => prng.chance(0.5)),
      fromMinute: prng.below(1440),
      toMinute: prng.below(1440),
      down: index + 1,
      up: null,
    }));
    checkSchedule(rules);
    let nowMs = at('2026-03-02T00:00') + prng.below(7 * 86_400_000);
    for (let step = 0; step < 20; step++) {
      const waitMs = untilChangeMs(rules, nowMs);
      equal(waitMs > 0 && waitMs <= 86_400_000, true);
      const before = limitsAt(rules, usual, nowMs);
      for (let ms = nowMs; ms < nowMs + waitMs; ms += 60_000)
        deepEqual(limitsAt(rules, usual, ms), before, `seed ${seed}`);
      nowMs += waitMs;
    }
  }
});

test('a schedule that cannot be is refused', () => {
  for (const wrong of [{ days: [7] }, { fromMinute: 1440 }, { toMinute: 0.5 }, { down: 0 }, { up: -1 }])
    throws(() => checkSchedule([{ ...workDays, ...wrong }]), /broken promise/);
});
