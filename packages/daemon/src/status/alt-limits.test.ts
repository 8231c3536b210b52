import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideAltLimits, isScheduled } from './alt-limits.ts';

/** A Thursday. */
const midnightMs = Date.UTC(2026, 0, 1);
const hourMs = 3_600_000;

test('the schedule is of the user’s clock, and goes on past midnight', () => {
  const night = [{ days: [4], fromMinute: 22 * 60, toMinute: 6 * 60 }];
  assert.equal(isScheduled(night, midnightMs + 21 * hourMs), false);
  assert.equal(isScheduled(night, midnightMs + 23 * hourMs), true);
  assert.equal(isScheduled(night, midnightMs + 29 * hourMs), true, 'Friday, five in the morning');
  assert.equal(isScheduled(night, midnightMs + 47 * hourMs), false, 'Friday night');
  assert.equal(isScheduled([], midnightMs), false);
});

test('a wish holds until the schedule changes its mind', () => {
  const wish = { on: true, scheduled: false };
  assert.deepEqual(decideAltLimits(wish, false), { wish, on: true });
  assert.deepEqual(decideAltLimits(wish, true), { wish: null, on: true });
  assert.deepEqual(decideAltLimits({ on: false, scheduled: true }, true).on, false);
  assert.deepEqual(decideAltLimits({ on: false, scheduled: true }, false), { wish: null, on: false });
});
