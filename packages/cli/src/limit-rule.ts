import type { LimitRule, RateLimitPair } from '@tequio/api';
import { tryParseRate } from './size-text.ts';

/** A rule as the user gives it: a direction that is not named (undefined) keeps its usual limit. */
export type LimitRuleText = Pick<LimitRule, 'days' | 'fromMinute' | 'toMinute'> & {
  readonly down: number | null | undefined;
  readonly up: number | null | undefined;
};

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const everyDay = [0, 1, 2, 3, 4, 5, 6] as const;

/**
 * Reads `mon-fri 8:00-18:00 down=500K up=100K`, `sat,sun 0:00-24:00 up=none`, `22:00-6:00 down=2M`. Days may be left
 * out: every day; of the two limits one. Null: it is no such rule.
 */
export function tryParseLimitRule(text: string): LimitRuleText | null {
  const words = text.trim().toLowerCase().split(/\s+/);
  const days = /^[a-z]/.test(words[0] ?? '') ? tryParseDays(words.shift()!) : everyDay;
  const [from, to, more] = (words.shift() ?? '').split('-').map(tryParseMinute);
  if (days === null || from == null || from === dayMinutes || to == null || more !== undefined) return null;
  const limits: { down?: number | null; up?: number | null } = {};
  for (const word of words) {
    const [, direction, rateText] = /^(down|up)=(.+)$/.exec(word) ?? [];
    const rate = tryParseRate(rateText ?? '');
    if (direction === undefined || rate === undefined || direction in limits) return null;
    limits[direction as 'down' | 'up'] = rate;
  }
  if (words.length === 0) return null;
  return { days, fromMinute: from, toMinute: to % dayMinutes, down: limits.down, up: limits.up };
}

/** With the usual limit where the rule does not say one. */
export function completeLimitRule(rule: LimitRuleText, usual: RateLimitPair): LimitRule {
  const { down = usual.down, up = usual.up } = rule;
  return { ...rule, down, up };
}

const dayMinutes = 24 * 60;

/** `mon`, `mon-fri`, `fri-mon`, `sat,sun` into numbers, 0 for Sunday. */
function tryParseDays(text: string): readonly number[] | null {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const ends = part.split('-').map((name) => dayNames.indexOf(name as (typeof dayNames)[number]));
    const [first = -1, last = first] = ends;
    if (ends.length > 2 || ends.includes(-1)) return null;
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return [...days].sort();
}

/** Minutes since midnight of `8`, `08:00`, `24:00`. */
function tryParseMinute(text: string): number | null {
  const match = /^(\d{1,2})(?::([0-5]\d))?$/.exec(text);
  const minute = match === null ? Number.NaN : Number(match[1]) * 60 + Number(match[2] ?? 0);
  return minute <= dayMinutes ? minute : null;
}
