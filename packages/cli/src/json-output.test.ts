import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeJsonLine } from './json-output.ts';

test('JSON lines: one line each, whatever is in them', () => {
  const line = encodeJsonLine({ name: 'a\nb\u2028c\u0085d' });
  assert.equal(line, '{"name":"a\\nb\\u2028c\\u0085d"}\n');
  assert.deepEqual(JSON.parse(line), { name: 'a\nb\u2028c\u0085d' });
});
