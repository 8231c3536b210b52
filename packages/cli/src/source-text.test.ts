import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSourceAddress } from './source-text.ts';

test('what is a source by itself, and what a path', () => {
  for (const text of ['magnet:?xt=urn:btih:x', 'HTTP://a/b', 'https://a', 'a'.repeat(40), 'F'.repeat(64)])
    assert.ok(isSourceAddress(text), text);
  for (const text of ['a.torrent', './magnet:?', 'a'.repeat(41), 'g'.repeat(40), 'ftp://a'])
    assert.ok(!isSourceAddress(text), text);
});
