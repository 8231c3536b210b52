import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blockBytes } from '../wire/torrent-info.ts';
import { depthMax, RequestWindow, snubMs } from './request-window.ts';

/** A peer that sends `rate` bytes a second after `delayMs`, kept as full as the window says; returns the last depth. */
function download(
  window: RequestWindow,
  rate: number,
  delayMs: number,
  fromMs: number,
  forMs: number,
): number {
  const asked: number[] = [];
  const stepMs = (blockBytes / rate) * 1000;
  let wireFreeMs = fromMs;
  let nowMs = fromMs;
  while (nowMs < fromMs + forMs) {
    while (asked.length < window.depth) {
      asked.push(nowMs);
      window.markAsked(nowMs);
    }
    const askedMs = asked.shift()!;
    wireFreeMs = Math.max(wireFreeMs, askedMs + delayMs) + stepMs;
    nowMs = wireFreeMs;
    window.markBlock(blockBytes, askedMs, asked.length, nowMs, true);
  }
  return window.depth;
}

describe('request window', () => {
  it('starts with 4 and grows to the limit with a fast peer', () => {
    const window = new RequestWindow();
    assert.equal(window.depth, 4);
    assert.equal(download(window, 200e6, 1, 0, 2000), depthMax);
  });

  it('does not ask further ahead while our own limit holds the peer back', () => {
    const window = new RequestWindow();
    const hold = (fromMs: number): void => {
      for (let ms = fromMs; ms < fromMs + 5000; ms += 16) {
        window.markBytes(true, ms);
        window.markBlock(blockBytes, ms, window.depth - 1, ms + 10, true);
      }
    };
    hold(0);
    assert.equal(window.depth, 4);
    window.markBytes(false, 5000);
    assert.ok(download(window, 1_024_000, 50, 5000, 20_000) >= 180, 'three seconds without it');
    hold(30_000);
    const ms = (window.depth * blockBytes) / 1024;
    assert.ok(ms >= 100 && ms <= 520, `half a second of the limit at most: ${ms} ms`);
  });

  it('settles at three seconds of a steady rate', () => {
    const window = new RequestWindow();
    const depth = download(window, 400_000, 50, 0, 30_000);
    assert.equal(window.isSlowStart, false);
    const ideal = (400_000 * 3) / blockBytes;
    assert.ok(Math.abs(depth - ideal) < 0.1 * ideal, `${depth}, ideal ${ideal}`);
  });

  it('is enough to fill a long line: 20 MB/s at 200 ms', () => {
    const window = new RequestWindow();
    const depth = download(window, 20e6, 200, 0, 20_000);
    assert.ok(depth * blockBytes >= 20e6 * 0.2, `${depth} blocks`);
  });

  it('shrinks with the rate, never below 4', () => {
    const window = new RequestWindow();
    download(window, 10e6, 10, 0, 5000);
    assert.equal(download(window, 1000, 10, 5000, 120_000), 4);
  });

  it('does not grow while it is not full, and respects what the peer accepts', () => {
    const window = new RequestWindow();
    for (let i = 0; i < 50; i++) window.markBlock(blockBytes, i, 0, i + 1, false);
    assert.equal(window.depth, 4);
    window.setPeerLimit(3);
    assert.equal(window.depth, 3);
    window.setPeerLimit(0);
    assert.equal(window.depth, 1);
  });

  it('waits as long as answers have taken, between 10 and 60 seconds', () => {
    const window = new RequestWindow();
    assert.equal(window.timeoutMs, 30_000);
    for (let i = 0; i < 50; i++) window.markBlock(blockBytes, i * 100, 1, i * 100 + 50, true);
    assert.equal(window.timeoutMs, 10_000);
    const slow = new RequestWindow();
    for (let i = 0; i < 50; i++) slow.markBlock(blockBytes, i * 20_000, 1, i * 20_000 + 20_000, true);
    assert.ok(slow.timeoutMs >= 20_000 && slow.timeoutMs <= 60_000, `${slow.timeoutMs}`);
  });

  it('keeps two requests of a late peer, none of a snubbing one, and forgives at the first block', () => {
    const window = new RequestWindow();
    window.markAsked(1000);
    assert.equal(window.nextTimeoutMs(), 31_000);
    assert.equal(window.tryTimeout(30_999), 'none');
    assert.equal(window.tryTimeout(31_000), 'late');
    assert.deepEqual([window.keptCount, window.depth], [2, 2]);
    assert.equal(window.tryTimeout(31_001), 'none', 'told once');
    assert.equal(window.nextTimeoutMs(), 1000 + snubMs);
    assert.equal(window.tryTimeout(1000 + snubMs), 'snubbed');
    assert.deepEqual([window.keptCount, window.depth, window.isSnubbed], [0, 1, true]);
    assert.equal(window.nextTimeoutMs(), null, 'nothing is outstanding');
    window.markAsked(70_000);
    assert.equal(window.tryTimeout(130_000), 'snubbed', 'one block a minute');
    window.markAsked(131_000);
    window.markBlock(blockBytes, 131_000, 0, 132_000, true);
    assert.equal(window.isSnubbed, false);
    assert.ok(window.depth >= 4);
  });

  it('tells no time-out while nothing is owed', () => {
    const window = new RequestWindow();
    assert.equal(window.nextTimeoutMs(), null);
    window.markAsked(0);
    window.markIdle();
    assert.equal(window.tryTimeout(1e9), 'none');
    window.markAsked(0);
    window.markBlock(blockBytes, 0, 0, 10, true);
    assert.equal(window.nextTimeoutMs(), null);
  });

  it('tells a request that was lost among answered ones', () => {
    const window = new RequestWindow();
    for (let i = 0; i < 50; i++) window.markBlock(blockBytes, i * 100, 1, i * 100 + 50, true);
    assert.equal(window.isOverdue(0, 20_000), false);
    assert.equal(window.isOverdue(0, 20_001), true);
  });
});
