import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add, change, isItem, itemsIn, remove, replace } from './list-edits.ts';

type Thing = { readonly path: string; readonly tags: readonly string[] };

test('items are added, changed and taken away', () => {
  assert.deepEqual(add(['c', 'd'])(['a']), ['a', 'c', 'd']);
  assert.deepEqual(replace(1, 'b', 'x')(['a', 'b', 'c']), ['a', 'x', 'c']);
  assert.deepEqual(remove(0, 'a')(['a', 'b']), ['b']);
});

test('one of two that are the same is the one that was meant', () => {
  assert.deepEqual(remove(2, '-v')(['-v', 'run', '-v']), ['-v', 'run']);
  assert.deepEqual(replace(2, '-v', '-q')(['-v', 'run', '-v']), ['-v', 'run', '-q']);
});

test('what has changed meanwhile stays', () => {
  assert.deepEqual(remove(2, 'c')(['b', 'c', 'd']), ['b', 'd']);
  assert.deepEqual(remove(0, 'a')(['b', 'c']), ['b', 'c']);
  assert.deepEqual(replace(0, 'a', 'x')(['b', 'a']), ['b', 'x']);
  assert.deepEqual(replace(0, 'a', 'x')(['b']), ['b', 'x']);
});

test('a thing with parts is the one that was meant when all its parts are the same', () => {
  const a: Thing = { path: '/a', tags: ['x'] };
  const b: Thing = { path: '/b', tags: [] };
  const c: Thing = { path: '/c', tags: [] };
  assert.deepEqual(replace(1, { ...b }, c)([b, a]), [c, a]);
  assert.deepEqual(remove(0, structuredClone(a))([a, b]), [b]);
  assert.deepEqual(remove<Thing>(0, { ...a, tags: [] })([a, b]), [a, b]);
});

test('two changes of one thing, the second before the first is seen, both hold', () => {
  const before = { path: '/a', paused: false };
  const moved = change(0, before, (thing) => ({ ...thing, path: '/b' }));
  const paused = change(0, before, (thing) => ({ ...thing, paused: true }));
  assert.deepEqual(paused(moved([before])), [{ path: '/b', paused: true }]);
  assert.deepEqual(moved([{ path: '/z', paused: false }, before])[1], { path: '/b', paused: false });
  assert.deepEqual(moved([]), []);
});

test('a text is checked before it is sent', () => {
  const rules = { pattern: /^https?:\/\//, lengthMax: 20, countMax: 3 };
  assert.ok(isItem('https://example.org', rules));
  assert.ok(!isItem('example.org', rules));
  assert.ok(!isItem('', { ...rules, pattern: null }));
  assert.ok(!isItem('https://example.org/a', rules));
  assert.deepEqual(itemsIn(' a \r\n\n b'), ['a', 'b']);
});
