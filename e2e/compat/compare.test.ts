import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareAnswers } from './compare.ts';

test('fields are the same, of another type or value, missing, or more', () => {
  const theirs = { a: 1, b: 'x', c: true, d: [{ e: 1 }, { e: 2 }], f: { g: null }, h: 5 };
  const ours = { a: 1, b: 7, d: [{ e: 3, i: 0 }], f: { g: null }, h: 6 };
  const verdicts = compareAnswers(theirs, ours, (field) => field === 'h' || field === 'a');
  assert.deepEqual(
    verdicts.map(({ field, type, verdict }) => [field, type, verdict]),
    [
      ['a', 'number', 'same'],
      ['b', 'string', 'other-type'],
      ['c', 'boolean', 'missing'],
      ['d[].e', 'number', 'type'],
      ['d[].i', 'number', 'more'],
      ['f.g', 'null', 'type'],
      ['h', 'number', 'other-value'],
    ],
  );
});

test('of the elements of an empty list nothing is said', () => {
  const [empty, full] = [
    { peers: [], map: {} },
    { peers: [{ ip: 'x' }], map: { a: 1 } },
  ];
  assert.deepEqual(
    compareAnswers(empty, full, () => false),
    [],
  );
  assert.deepEqual(
    compareAnswers(full, empty, () => false),
    [],
  );
});
