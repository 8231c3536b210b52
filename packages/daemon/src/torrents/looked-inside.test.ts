import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bookLimits } from './limits.ts';
import { LookedInside } from './looked-inside.ts';

test('what was looked at is known for a while, once, and never more than so much of it', () => {
  const looked = new LookedInside();
  const torrent = new Uint8Array(bookLimits.lookedInsideBytes / 2);
  looked.keep('a', torrent, 0);
  assert.equal(looked.get('a', 1), torrent);
  assert.equal(looked.take('a', 1), torrent);
  assert.equal(looked.take('a', 1), null);
  looked.keep('a', torrent, 0);
  assert.equal(looked.take('a', bookLimits.lookedInsideMs + 1), null);
  for (const id of ['a', 'b', 'c']) looked.keep(id, torrent, 0);
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => looked.take(id, 1) !== null),
    [false, true, true],
  );
  looked.keep('d', new Uint8Array(2 * bookLimits.lookedInsideBytes), 0);
  assert.equal(looked.take('d', 1), null);
});
