import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8, toLatin1 } from '@tequio/kernel';
import { BencodeRaw, decodeBencode, decodeBencodePrefix, encodeBencode } from './bencode.ts';

function decoded(text: string) {
  const result = decodeBencode(encodeUtf8(text));
  assert.ok(result.ok, result.ok ? '' : `${text}: ${result.fault.message}`);
  return result.value;
}

function codeOf(text: string, limits = {}): string {
  const result = decodeBencode(encodeUtf8(text), limits);
  return result.ok ? 'ok' : result.fault.code.replace('BITTORRENT_BENCODE_', '');
}

test('integers: signs, zeros at the front, the edges of 64 bits', () => {
  assert.equal(decoded('i0e').tryInteger(), 0);
  assert.equal(decoded('i-0e').tryInteger(), 0);
  assert.ok(Object.is(decoded('i-0e').tryInteger(), 0));
  assert.equal(decoded('i-42e').tryInteger(), -42);
  assert.equal(decoded('i007e').tryInteger(), 7);
  assert.equal(decoded('i9007199254740991e').tryInteger(), Number.MAX_SAFE_INTEGER);
  assert.equal(decoded('i9007199254740993e').tryInteger(), null);
  assert.equal(decoded('i9007199254740993e').tryBigint(), 9007199254740993n);
  assert.equal(decoded('i-9223372036854775808e').tryBigint(), -(2n ** 63n));
  assert.equal(decoded('i18446744073709551615e').tryBigint(), 2n ** 64n - 1n);
  assert.equal(codeOf('i18446744073709551616e'), 'NUMBER');
  assert.equal(codeOf('i-9223372036854775809e'), 'NUMBER');
  assert.equal(codeOf(`i${'0'.repeat(30)}e`), 'NUMBER');
  assert.equal(decoded('3:abc').tryInteger(), null);
});

test('broken data is refused with a code and a place', () => {
  const table: [string, string][] = [
    ['', 'TRUNCATED'],
    ['ie', 'SYNTAX'],
    ['i-e', 'SYNTAX'],
    ['i--1e', 'SYNTAX'],
    ['i+1e', 'SYNTAX'],
    ['i 1e', 'SYNTAX'],
    ['i1', 'TRUNCATED'],
    ['i1x', 'SYNTAX'],
    ['e', 'SYNTAX'],
    ['x', 'SYNTAX'],
    ['-1:a', 'SYNTAX'],
    ['1', 'TRUNCATED'],
    ['1a', 'SYNTAX'],
    ['2:a', 'TRUNCATED'],
    ['99999999999999999999:a', 'TRUNCATED'],
    [`${'9'.repeat(40)}:a`, 'SYNTAX'],
    ['l', 'TRUNCATED'],
    ['d', 'TRUNCATED'],
    ['d1:a', 'TRUNCATED'],
    ['d1:ae', 'SYNTAX'],
    ['di1ei2ee', 'SYNTAX'],
    ['dlei2ee', 'SYNTAX'],
    ['i1ei2e', 'TRAILING'],
  ];
  for (const [text, code] of table) assert.equal(codeOf(text), code, text);
  const result = decodeBencode(encodeUtf8('li1ex'));
  assert.ok(!result.ok && result.fault.message.includes('byte 4'));
});

test('ceilings on depth, tokens and bytes hold exactly, and cannot be lifted', () => {
  const nested = (depth: number): string => 'l'.repeat(depth) + 'e'.repeat(depth);
  assert.equal(codeOf(nested(100)), 'ok');
  assert.equal(codeOf(nested(101)), 'DEPTH');
  assert.equal(codeOf(nested(101), { depthMax: 1000 }), 'DEPTH');
  assert.equal(codeOf(nested(4), { depthMax: 4 }), 'ok');
  assert.equal(codeOf(nested(5), { depthMax: 4 }), 'DEPTH');
  assert.equal(codeOf('l0:0:e', { tokenCountMax: 3 }), 'ok');
  assert.equal(codeOf('l0:0:0:e', { tokenCountMax: 3 }), 'TOKENS');
  assert.equal(codeOf('3:abc', { bytesMax: 5 }), 'ok');
  assert.equal(codeOf('3:abc', { bytesMax: 4 }), 'BYTES');
});

test('dictionaries: exact keys, the first of two equal ones, order, raw spans', () => {
  const value = decoded('d1:bi1e2:abi2e1:ai3e1:ai4ee');
  assert.equal(value.getInteger('a'), 3);
  assert.equal(value.getInteger('ab'), 2);
  assert.equal(value.getInteger('b'), 1);
  assert.equal(value.get(''), null);
  assert.equal(value.get('c'), null);
  assert.equal(value.isSorted(), false);
  assert.equal(decoded('d1:ai1e2:abi2e1:bi3ee').isSorted(), true);
  assert.equal(decoded('d1:ai1e1:ai2ee').isSorted(), false);
  assert.deepEqual(
    value.tryEntries()!.map((entry) => toLatin1(entry.key)),
    ['b', 'ab', 'a', 'a'],
  );
  const outer = decoded('d4:infod1:xi1ee3:zzz2:hie');
  assert.equal(toLatin1(outer.getDictionary('info')!.raw), 'd1:xi1ee');
  assert.equal(outer.getDictionary('info')!.start, 7);
  assert.equal(outer.getText('zzz'), 'hi');
  assert.equal(outer.getDictionary('zzz'), null);
});

test('a key that ends like another, or holds colons and digits, is not mistaken for it', () => {
  const value = decoded('d3:1:ai1e1:ai2ee');
  assert.equal(value.getInteger('a'), 2);
  assert.equal(value.getInteger('1:a'), 1);
  assert.equal(decoded('d3:1:ai1ee').get('a'), null);
  assert.equal(decoded('d0:i5ee').getInteger(''), 5);
});

test('lists skip over nested values; texts must be UTF-8', () => {
  const value = decoded('lli1ei2eed1:ad1:bleee3:abce');
  const items = value.tryItems()!;
  assert.deepEqual(
    items.map((item) => item.kind),
    ['list', 'dictionary', 'string'],
  );
  assert.deepEqual(
    items[0]!.tryItems()!.map((item) => item.tryInteger()),
    [1, 2],
  );
  const bad = decodeBencode(Uint8Array.of(50, 58, 0xc3, 0x28));
  assert.ok(bad.ok);
  assert.equal(bad.value.tryText(), null);
  assert.deepEqual([...bad.value.tryBytes()!], [0xc3, 0x28]);
  assert.equal(decoded('6:añb€'.replace('6', String(encodeUtf8('añb€').length))).tryText(), 'añb€');
});

test('a prefix is decoded and measured (BEP 9: a payload follows the dictionary)', () => {
  const result = decodeBencodePrefix(encodeUtf8('d8:msg_typei1eePAYLOAD'));
  assert.ok(result.ok);
  assert.equal(result.value.byteCount, 15);
  assert.equal(result.value.value.getInteger('msg_type'), 1);
});

test('encoding sorts keys by bytes, keeps raw spans, leaves undefined out', () => {
  const text = (bytes: Uint8Array): string => toLatin1(bytes);
  assert.equal(text(encodeBencode({ b: 1, a: 'x', c: undefined })), 'd1:a1:x1:bi1ee');
  assert.equal(text(encodeBencode([1, -2, 3n ** 40n, []])), 'li1ei-2ei12157665459056928801elee');
  // U+FF5E sorts before U+1F600 as UTF-8, after it as UTF-16.
  const emoji = decodeBencode(encodeBencode({ '\u{1f600}': 1, '～': 2 }));
  assert.ok(emoji.ok && emoji.value.isSorted());
  const keys = new Map<string | Uint8Array, number>([
    [Uint8Array.of(0xff), 1],
    ['__proto__', 2],
    [Uint8Array.of(0), 3],
  ]);
  assert.equal(text(encodeBencode(keys)), 'd1:\0i3e9:__proto__i2e1:\xffi1ee');
  const kept = decoded('d1:zi1e1:ai2ee');
  assert.equal(
    text(encodeBencode({ info: kept, more: new BencodeRaw(encodeUtf8('i007e')) })),
    'd4:infod1:zi1e1:ai2ee4:morei007ee',
  );
  assert.equal(text(encodeBencode(-0)), 'i0e');
  assert.throws(() => encodeBencode(1.5));
  assert.throws(() =>
    encodeBencode(
      new Map<string | Uint8Array, number>([
        ['a', 1],
        [Uint8Array.of(97), 2],
      ]),
    ),
  );
});
