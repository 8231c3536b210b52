/**
 * Limits by day and time: "on working days from 8 to 18 o'clock 500 kB/s".
 *
 * The first rule that covers a moment holds; where none does, the usual limits. A rule whose end is not after its start
 * goes on past midnight, and belongs to the day on which it starts; one whose start and end are the same covers 24
 * hours. Times are those of the user's clock: the caller says how far that is from UTC at a moment, so a day on which
 * clocks change has an hour twice, or not at all, as the user sees it. Cost: O(rules).
 */
import { assert } from '@tequio/kernel';

/** Bytes a second; null: no limit. */
export type RateLimitPair = { readonly down: number | null; readonly up: number | null };

export type ScheduleRule = RateLimitPair & {
  /** 0 is Sunday. */
  readonly days: readonly number[];
  /** Minutes since midnight, 0 to 1439. */
  readonly fromMinute: number;
  readonly toMinute: number;
};

const dayMinutes = 24 * 60;
const minuteMs = 60_000;

/** @throws when a rule is not what its type says */
export function checkSchedule(rules: readonly ScheduleRule[]): void {
  const isWhole = (value: number, below: number): boolean =>
    Number.isInteger(value) && value >= 0 && value < below;
  for (const { days, fromMinute, toMinute, down, up } of rules) {
    assert(
      days.every((day) => isWhole(day, 7)),
      'days are numbers from 0, Sunday, to 6',
    );
    assert(isWhole(fromMinute, dayMinutes) && isWhole(toMinute, dayMinutes), 'times are minutes of a day');
    assert((down === null || down > 0) && (up === null || up > 0), 'a limit is null or above zero');
  }
}

/** The limits at a moment. `localMs`: milliseconds since 1970 on the user's clock (UTC plus the time zone). */
export function limitsAt(
  rules: readonly ScheduleRule[],
  usual: RateLimitPair,
  localMs: number,
): RateLimitPair {
  const minutes = Math.floor(localMs / minuteMs);
  const minute = minutes % dayMinutes;
  // 1970 began on a Thursday.
  const day = (Math.floor(minutes / dayMinutes) + 4) % 7;
  const { down, up } = rules.find((rule) => covers(rule, day, minute)) ?? usual;
  return { down, up };
}

/** How long the limits of now last at least: until the next minute at which a rule begins or ends, a day at most. */
export function untilChangeMs(rules: readonly ScheduleRule[], localMs: number): number {
  const sinceMidnightMs = localMs % (dayMinutes * minuteMs);
  let nextMs = dayMinutes * minuteMs;
  for (const { fromMinute, toMinute } of rules) {
    for (const minute of [fromMinute, toMinute, 0]) {
      const inMs = minute * minuteMs - sinceMidnightMs;
      nextMs = Math.min(nextMs, inMs > 0 ? inMs : inMs + dayMinutes * minuteMs);
    }
  }
  return nextMs;
}

function covers(rule: ScheduleRule, day: number, minute: number): boolean {
  const { days, fromMinute, toMinute } = rule;
  if (fromMinute < toMinute) return days.includes(day) && minute >= fromMinute && minute < toMinute;
  return minute >= fromMinute ? days.includes(day) : minute < toMinute && days.includes((day + 6) % 7);
}
