import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatBytes,
  formatRate,
  formatSeconds,
  percentOf,
  tryParseBytes,
  tryParseRate,
} from './size-text.ts';

test('sizes as people write them', () => {
  const cases: readonly (readonly [string, number | null])[] = [
    ['0', 0],
    ['16384', 16384],
    ['500K', 512000],
    ['1M', 1048576],
    ['1.5MiB', 1572864],
    ['2 MB', 2_000_000],
    ['1kB', 1000],
    ['1g', 1073741824],
    ['.5k', 512],
    ['10b', 10],
    ['3M/s', 3145728],
    ['1T', 1099511627776],
    ['', null],
    ['M', null],
    ['1X', null],
    ['-1', null],
    ['1e9', null],
    ['1.2.3', null],
    ['99999999T', null],
    ['0x10', null],
  ];
  for (const [text, bytes] of cases) assert.equal(tryParseBytes(text), bytes, text);
});

test('rates: none is no limit, nonsense is nothing', () => {
  assert.equal(tryParseRate('1M'), 1048576);
  for (const text of ['0', 'none', 'OFF', '0K']) assert.equal(tryParseRate(text), null, text);
  assert.equal(tryParseRate('fast'), undefined);
});

test('sizes as we write them', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1.00 KiB'],
    [10239, '10.0 KiB'],
    [102400, '100 KiB'],
    [1048575, '1.00 MiB'],
    [1536 * 1024, '1.50 MiB'],
    [5e15, '4.44 PiB'],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text);
  assert.equal(formatRate(2048), '2.00 KiB/s');
});

test('what we write reads back to within half a percent, and is short', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 49 }), (bytes) => {
      const text = formatBytes(bytes);
      assert.ok(text.length <= 8, text);
      const back = tryParseBytes(text);
      assert.ok(back !== null && Math.abs(back - bytes) <= bytes * 0.006 + 1, `${bytes} ${text} ${back}`);
    }),
  );
});

test('times', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0:00'],
    [7.4, '0:07'],
    [59.6, '1:00'],
    [754, '12:34'],
    [3723, '1:02:03'],
    [273_600, '3d 04h'],
  ];
  for (const [seconds, text] of cases) assert.equal(formatSeconds(seconds), text);
});

test('percent: 100 only when it is all there', () => {
  assert.equal(percentOf(0, 0), 100);
  assert.equal(percentOf(999_999, 1_000_000), 99);
  assert.equal(percentOf(1_000_000, 1_000_000), 100);
  assert.equal(percentOf(7, 5), 100);
});
