import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { addressFromBytes, encodeUtf8, type IpAddress, Prng } from '@tequio/kernel';
import { type AddressFilterFile, decodeAddressFilter } from './address-filter.ts';
import { limits } from './limits.ts';

function read(text: string): AddressFilterFile {
  const decoded = decodeAddressFilter(encodeUtf8(text));
  ok(decoded.ok);
  return decoded.value;
}

const blocked = (file: AddressFilterFile, ...addresses: string[]): boolean[] =>
  addresses.map((address) => file.filter.blocks(address as IpAddress));

test('lines of PeerGuardian: what follows the last colon', () => {
  const file = read('# list\nSome: Company, Inc.:1.2.3.4-1.2.3.6\n3Com:1.2.4.0 - 1.2.4.0\r\n');
  deepEqual(blocked(file, '1.2.3.3', '1.2.3.4', '1.2.3.6', '1.2.3.7', '1.2.4.0'), [
    false,
    true,
    true,
    false,
    true,
  ]);
  equal(file.badLineCount, 0);
});

test('lines of eMule: padded with zeros, and let through from level 128 on', () => {
  const file = read(
    '001.009.096.105 - 001.009.096.107 , 000 , A: 1.1.1.1\n2.0.0.0 - 2.0.0.9 , 128 , B\n3.0.0.1 - 3.0.0.2 , 127 , C',
  );
  deepEqual(blocked(file, '1.9.96.105', '1.9.96.108', '1.1.1.1', '2.0.0.1', '3.0.0.2'), [
    true,
    false,
    false,
    false,
    true,
  ]);
});

test('networks, single addresses, comments, IPv6', () => {
  const file = read(
    '﻿10.0.0.77/8 ; why\n// no\n192.0.2.1 # one\n2001:db8::/32\n2001:db9::1\nName:fd00::1-fd00::2\n',
  );
  deepEqual(blocked(file, '10.255.255.255', '11.0.0.0', '192.0.2.1', '192.0.2.2'), [
    true,
    false,
    true,
    false,
  ]);
  deepEqual(blocked(file, '2001:db8:ffff::', '2001:db9::1', '2001:db9::2', 'fd00::2', 'fd00::3'), [
    true,
    true,
    false,
    true,
    false,
  ]);
  equal(file.filter.rangeCount, 5);
  deepEqual(blocked(read('0.0.0.0/0\n::/0'), '255.255.255.255', '0.0.0.0', '::', 'ffff::'), [
    true,
    true,
    true,
    true,
  ]);
});

test('ranges that overlap or touch become one', () => {
  const { filter } = read('1.0.0.5-1.0.0.9\n1.0.0.0-1.0.0.4\n1.0.0.7-1.0.0.20\n255.255.255.255\n1.0.0.22');
  deepEqual([filter.rangeCount, filter.byteCount], [3, 24]);
});

test('what cannot be read is named by its line, and does not spoil the rest', () => {
  const file = read('1.2.3.4\n1.2.3.256\n\n9.9.9.9-1.1.1.1\nhello\n1.2.3.4/33\n5.6.7.8 hello');
  equal(file.badLineCount, 5);
  deepEqual(
    file.badLines.map(({ line }) => line),
    [2, 4, 5, 6, 7],
  );
  equal(file.badLines[1]!.message, 'The range ends before it begins.');
  equal(read(`1.2.3.4\n${'nonsense\n'.repeat(100)}`).badLines.length, limits.filter.badLinesShown);
});

test('a file that is something else is refused; an empty list blocks nothing', () => {
  const decoded = decodeAddressFilter(encodeUtf8('\n<html>\n'));
  ok(!decoded.ok);
  equal(decoded.fault.code, 'FILTER_UNREADABLE');
  ok(decoded.fault.message.includes('line 2'));
  equal(read('# nothing\n').filter.rangeCount, 0);
});

test('half a million ranges are loaded in little time and memory, and found', () => {
  const prng = new Prng(1);
  const lines: string[] = [];
  for (let i = 0; i < 500_000; i++) {
    const at = i * 8000;
    const text = (value: number): string =>
      addressFromBytes(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
    lines.push(`Company number ${i}:${text(at)}-${text(at + prng.below(4000))}`);
  }
  const bytes = encodeUtf8(prng.shuffle(lines).join('\n'));
  const startMs = performance.now();
  const decoded = decodeAddressFilter(bytes);
  const loadMs = performance.now() - startMs;
  ok(decoded.ok);
  const { filter } = decoded.value;
  deepEqual([filter.rangeCount, filter.byteCount], [500_000, 4_000_000]);
  // A tenth of a second on a free core; the bound is for busy ones.
  ok(loadMs < 3000, `${loadMs} ms`);
  const addresses = Array.from({ length: 1000 }, () => addressFromBytes(prng.bytes(4)));
  const lookMs = performance.now();
  let hits = 0;
  for (let round = 0; round < 100; round++)
    for (const address of addresses) if (filter.blocks(address)) hits++;
  const each = ((performance.now() - lookMs) / 100_000) * 1000;
  ok(hits > 10_000 && each < 20, `${each} us`);
  if (process.env['SHOW_FIGURES'] !== undefined)
    console.log(`${loadMs.toFixed(0)} ms, ${each.toFixed(2)} us each`);
});
