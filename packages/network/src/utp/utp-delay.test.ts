import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { UtpDelay } from './utp-delay.ts';

test('the base is the least, and what is above it queues: by the least of four', () => {
  const delay = new UtpDelay();
  for (const sample of [5000, 4000, 9000, 8000, 7000, 12_000]) delay.handleSample(sample, 0);
  equal(delay.baseUs, 4000);
  equal(delay.queueingUs, 3000);
});

test('clocks that differ by anything, and wrap, change nothing', () => {
  for (const offset of [0, 123_456_789, 0xffff_ffff - 4500, 0x7fff_ffff]) {
    const delay = new UtpDelay();
    for (const sample of [5000, 4000, 9000, 8000, 7000, 12_000])
      delay.handleSample((sample + offset) >>> 0, 0);
    equal(delay.queueingUs, 3000, `offset ${offset}`);
  }
});

test('a base is forgotten after ten minutes, when the path has become longer', () => {
  const delay = new UtpDelay();
  delay.handleSample(1000, 0);
  for (let minute = 0; minute < 9; minute++) {
    for (let i = 0; i < 5; i++) delay.handleSample(50_000, minute * 60_000 + 1000 * i + 1);
  }
  equal(delay.queueingUs, 49_000);
  for (let minute = 9; minute < 12; minute++) {
    for (let i = 0; i < 5; i++) delay.handleSample(50_000, minute * 60_000 + 1000 * i + 1);
  }
  equal(delay.queueingUs, 0);
});

test('a lower base and a shift move the samples with them', () => {
  const delay = new UtpDelay();
  for (let i = 0; i < 4; i++) delay.handleSample(10_000 + i, 0);
  delay.handleSample(2000, 1);
  equal(delay.baseUs, 2000);
  for (let i = 0; i < 4; i++) delay.handleSample(10_000, 2);
  equal(delay.queueingUs, 8000);
  delay.shiftBase(3000);
  equal(delay.queueingUs, 5000);
  ok(delay.hasSamples);
});
