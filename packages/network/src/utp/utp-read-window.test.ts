import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../limits.ts';
import { UtpReadWindow } from './utp-read-window.ts';

const { receiveBytesMax, readWindowBytesMin } = limits.utp;

/** The reader takes `bytes` by kibibytes, and leaves so much each time. */
function read(window: UtpReadWindow, bytes: number, leftBytes: number): void {
  for (let taken = 0; taken < bytes; taken += 1024) {
    window.markTaken(1024);
    window.markLeft(leftBytes);
  }
}

test('who takes all there is has all of the room soon', () => {
  const window = new UtpReadWindow();
  equal(window.bytes, readWindowBytesMin);
  read(window, readWindowBytesMin / 2, 0);
  equal(window.bytes, 2 * readWindowBytesMin);
  read(window, receiveBytesMax, 0);
  equal(window.bytes, receiveBytesMax);
});

test('who leaves something each time is offered less and less, and the least at all times', () => {
  const window = new UtpReadWindow();
  read(window, 2 * receiveBytesMax, 0);
  read(window, 2 * receiveBytesMax, 300_000);
  ok(window.bytes <= receiveBytesMax - 150_000, `${window.bytes}`);
  read(window, 20 * receiveBytesMax, 300_000);
  equal(window.bytes, readWindowBytesMin);
});

test('who takes all again is offered more again, by a quarter', () => {
  const window = new UtpReadWindow();
  read(window, 20 * receiveBytesMax, 10_000);
  read(window, readWindowBytesMin / 2, 0);
  equal(window.bytes, 1.25 * readWindowBytesMin);
  read(window, 4 * receiveBytesMax, 0);
  equal(window.bytes, receiveBytesMax);
});

test('one moment of leaving something costs nothing', () => {
  const window = new UtpReadWindow();
  read(window, 2 * receiveBytesMax, 0);
  window.markTaken(1024);
  window.markLeft(500_000);
  read(window, receiveBytesMax, 0);
  ok(window.bytes === receiveBytesMax);
});
