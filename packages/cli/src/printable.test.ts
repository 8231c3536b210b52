import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable } from './printable.ts';

test('printable text has no control and no invisible turning characters', () => {
  assert.equal(printable('a\x1b[31mb\u202ec\u0085d\n'), 'a\ufffd[31mb\ufffdc\ufffdd\ufffd');
  assert.equal(printable('Ünï ☃ 日本 👩‍🚀'), 'Ünï ☃ 日本 👩‍🚀');
});
