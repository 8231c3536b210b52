import { equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Ledbat } from './ledbat.ts';

const packetBytes = 1000;

/** Acknowledges a whole window in a round trip of `roundTripMs`, as often as told; the windows before each. */
function roundTrips(
  ledbat: Ledbat,
  count: number,
  queueingMs: number | null,
  startMs = 0,
  roundTripMs = 100,
) {
  const windows: number[] = [];
  for (let i = 0; i < count; i++) {
    const flightBytes = Math.floor(ledbat.windowBytes / packetBytes) * packetBytes;
    windows.push(flightBytes / packetBytes);
    for (let acked = 0; acked < flightBytes; acked += packetBytes) {
      // What has become free is sent at once, so the window is always in use.
      const inUseBytes = Math.floor(ledbat.windowBytes / packetBytes) * packetBytes;
      ledbat.handleAck(packetBytes, inUseBytes, queueingMs, roundTripMs, startMs + i * roundTripMs);
    }
  }
  return windows;
}

test('it starts with two packets and doubles in a round trip', () => {
  const windows = roundTrips(new Ledbat(packetBytes), 6, 0);
  equal(windows.join(), '2,4,8,16,32,64');
});

test('queueing of half the target ends the start; below the target it grows slower than Reno', () => {
  const ledbat = new Ledbat(packetBytes);
  roundTrips(ledbat, 5, 0);
  ledbat.handleAck(packetBytes, 64_000, 51, 100, 500);
  equal(ledbat.phase, 'steady');
  const before = ledbat.windowBytes;
  for (let i = 0; i < 10; i++) roundTrips(ledbat, 1, 50, 510);
  const grown = (ledbat.windowBytes - before) / packetBytes;
  ok(grown > 4 && grown < 5.5, `half a packet in a round trip: ${grown}`);
});

test('at the target it stays, above it shrinks by shares, and never below two packets', () => {
  const ledbat = new Ledbat(packetBytes);
  roundTrips(ledbat, 6, 0);
  ledbat.handleLoss(100, 600);
  const before = ledbat.windowBytes;
  roundTrips(ledbat, 1, 100, 610);
  equal(ledbat.windowBytes, before);
  roundTrips(ledbat, 1, 110, 620);
  ok(Math.abs(ledbat.windowBytes / before - 0.9) < 0.02, 'a tenth above: a tenth less');
  roundTrips(ledbat, 30, 400, 630);
  equal(ledbat.windowBytes, 2 * packetBytes);
});

test('loss halves, a time-out leaves one packet and starts anew up to half', () => {
  const ledbat = new Ledbat(packetBytes);
  roundTrips(ledbat, 6, 0);
  const before = ledbat.windowBytes;
  ledbat.handleLoss(100, 600);
  equal(ledbat.windowBytes, before / 2);
  equal(ledbat.phase, 'steady');
  ledbat.handleTimeout();
  equal(ledbat.windowBytes, packetBytes);
  const windows = roundTrips(ledbat, 8, 0, 700);
  equal(windows.slice(0, 5).join(), '1,2,4,8,16');
  ok(windows[7]! < before / packetBytes / 2 + 4, 'then a packet in a round trip');
});

test('a window that is not used does not grow', () => {
  const ledbat = new Ledbat(packetBytes);
  roundTrips(ledbat, 4, 0);
  const before = ledbat.windowBytes;
  for (let i = 0; i < 100; i++) ledbat.handleAck(packetBytes, packetBytes, 0, 100, i);
  equal(ledbat.windowBytes, before);
});

test('after queueing it pauses for two round trips, comes back, and pauses for a tenth of the time at most', () => {
  const ledbat = new Ledbat(packetBytes);
  roundTrips(ledbat, 5, 0);
  let pausedMs = 0;
  let leastBytes = Number.POSITIVE_INFINITY;
  for (let nowMs = 500; nowMs < 100_000; nowMs += 100) {
    const flightBytes = ledbat.windowBytes;
    // Alone on its way: the queue is its own, and gone while it pauses.
    const queueingMs = flightBytes <= 20_000 ? 0 : Math.min(100, flightBytes / 400);
    for (let acked = 0; acked < flightBytes; acked += packetBytes) {
      ledbat.handleAck(packetBytes, flightBytes, queueingMs, 100, nowMs);
    }
    if (ledbat.phase !== 'steady') pausedMs += 100;
    leastBytes = Math.min(leastBytes, ledbat.windowBytes);
  }
  equal(leastBytes, 2 * packetBytes);
  ok(pausedMs > 1000, `${pausedMs} ms of pauses`);
  ok(pausedMs <= 12_000, `${pausedMs} ms of pauses`);
});

test('without queueing there is no pause', () => {
  const ledbat = new Ledbat(packetBytes);
  roundTrips(ledbat, 6, 0);
  ledbat.handleLoss(100, 600);
  const before = ledbat.windowBytes;
  for (let i = 0; i < 20; i++) {
    roundTrips(ledbat, 1, 1, 700 + i * 100);
    equal(ledbat.phase, 'steady');
  }
  ok(ledbat.windowBytes > before);
});

test('after idleness it starts anew, quickly up to where it was', () => {
  const ledbat = new Ledbat(packetBytes);
  roundTrips(ledbat, 6, 0);
  ledbat.handleIdle();
  equal(ledbat.windowBytes, 2 * packetBytes);
  equal(roundTrips(ledbat, 5, 0, 10_000).join(), '2,4,8,16,32');
});
