import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { AnnounceSchedule, announceTimes } from './announce-schedule.ts';

function walk(schedule: AnnounceSchedule, wasHeard: boolean, nowMs: number): void {
  schedule.markStarted();
  assert.equal(schedule.nextMs(true), null);
  schedule.handleDone(wasHeard, nowMs);
}

function isAbout(actual: number | null, expected: number): void {
  assert.ok(
    actual !== null && actual >= expected * 0.75 && actual <= expected * 1.25,
    `${actual} ${expected}`,
  );
}

test('at once, then ever more rarely while peers are missing', () => {
  const schedule = new AnnounceSchedule(new Prng(1));
  assert.ok((schedule.nextMs(true) ?? 0) < 0);
  for (const waitMs of [1000, 3000, 9000, 27_000, 81_000, 243_000, 300_000, 300_000]) {
    walk(schedule, true, 0);
    isAbout(schedule.nextMs(true), waitMs);
    isAbout(schedule.nextMs(false), announceTimes.usualMs);
  }
});

test('a walk that nobody answered is made again soon, whether peers are missing or not', () => {
  const schedule = new AnnounceSchedule(new Prng(1));
  walk(schedule, false, 1000);
  assert.equal(schedule.nextMs(false), 1000 + announceTimes.starvedMinMs);
  assert.equal(schedule.nextMs(true), 1000 + announceTimes.starvedMinMs);
  schedule.hurry();
  assert.ok(schedule.nextMs(false)! < 0);
});

test('contacts that come while a walk is under way are not forgotten', () => {
  const schedule = new AnnounceSchedule(new Prng(1));
  schedule.markStarted();
  schedule.hurry();
  schedule.handleDone(false, 1000);
  assert.ok(schedule.nextMs(false)! < 0);
});
