import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../limits.ts';
import { UtpReadWindow } from './utp-read-window.ts';

const { receiveBytesMax, readWindowBytesMin } = limits.utp;
const kibibyte = 1024;

/** A reader that takes a kibibyte at a time, `rate` bytes a second, and leaves so much each time. */
class Reader {
  readonly window = new UtpReadWindow();
  #nowMs = 5000;

  take(bytes: number, rate: number, leftBytes: number, roundTripMs = 20): void {
    for (let taken = 0; taken < bytes; taken += kibibyte) {
      this.#nowMs += (kibibyte * 1000) / rate;
      this.window.markTaken(kibibyte, this.#nowMs);
      this.window.markLeft(leftBytes, roundTripMs, this.#nowMs);
    }
  }
}

test('who takes all there is has all of the room soon', () => {
  const reader = new Reader();
  equal(reader.window.bytes, readWindowBytesMin);
  reader.take(readWindowBytesMin / 2, 50e6, 0);
  equal(reader.window.bytes, 2 * readWindowBytesMin);
  reader.take(receiveBytesMax, 50e6, 0);
  equal(reader.window.bytes, receiveBytesMax);
});

test('who leaves something is offered what it takes in two round trips, and a little', () => {
  const reader = new Reader();
  reader.take(2 * receiveBytesMax, 50e6, 0);
  reader.take(1e6, 1e6, 300_000, 20);
  ok(Math.abs(reader.window.bytes - (readWindowBytesMin + 40_000)) < 4000, `${reader.window.bytes}`);
  reader.take(2e6, 1e6, 300_000, 300);
  ok(Math.abs(reader.window.bytes - (readWindowBytesMin + 600_000)) < 10_000, `${reader.window.bytes}`);
  reader.take(10e6, 10e6, 300_000, 300);
  equal(reader.window.bytes, receiveBytesMax, 'never more than there is room for');
});

test('one moment without anything left changes nothing', () => {
  const reader = new Reader();
  reader.take(1e6, 1e6, 10_000);
  const before = reader.window.bytes;
  reader.take(8 * kibibyte, 1e6, 0);
  equal(reader.window.bytes, before);
  reader.take(kibibyte, 1e6, 10_000);
  reader.take(8 * kibibyte, 1e6, 0);
  equal(reader.window.bytes, before);
});

test('who was slow and takes all again is offered more again', () => {
  const reader = new Reader();
  reader.take(1e6, 1e6, 10_000);
  reader.take(4 * receiveBytesMax, 50e6, 0);
  equal(reader.window.bytes, receiveBytesMax);
});
