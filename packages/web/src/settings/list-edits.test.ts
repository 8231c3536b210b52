import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add, isItem, itemsIn, remove, replace } from './list-edits.ts';

test('items are added, changed and taken away', () => {
  assert.deepEqual(add(['c', 'd'])(['a']), ['a', 'c', 'd']);
  assert.deepEqual(replace(1, 'b', 'x')(['a', 'b', 'c']), ['a', 'x', 'c']);
  assert.deepEqual(replace(1, 'b', '')(['a', 'b', 'c']), ['a', 'c']);
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

test('a text is checked before it is sent', () => {
  const rules = { pattern: /^https?:\/\//, lengthMax: 20, countMax: 3 };
  assert.ok(isItem('https://example.org', rules));
  assert.ok(!isItem('example.org', rules));
  assert.ok(!isItem('', { ...rules, pattern: null }));
  assert.ok(!isItem('https://example.org/a', rules));
  assert.deepEqual(itemsIn(' a \r\n\n b'), ['a', 'b']);
});
