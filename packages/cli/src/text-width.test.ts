import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fitText, spreadText, widthOf } from './text-width.ts';

test('widths: wide and combining characters', () => {
  assert.equal(widthOf('日本'), 4);
  assert.equal(fitText('日本語の名前', 7), '日本語…');
  assert.equal(fitText('abcdef', 4), 'abc…');
  assert.equal(fitText('abc', 0), '');
  assert.equal(spreadText('name', '5 %', 12), 'name     5 %');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, columns) => {
      assert.ok(widthOf(fitText(text, columns)) <= columns);
    }),
  );
});
