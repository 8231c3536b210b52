import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkIn } from './shared-text.ts';

test('links are found wherever the other program wrote them', () => {
  const hash = '0123456789abcdef0123456789ABCDEF01234567';
  assert.equal(
    linkIn([null, `look: magnet:?xt=urn:btih:${hash}&dn=x y`, 'title']),
    `magnet:?xt=urn:btih:${hash}&dn=x`,
  );
  assert.equal(linkIn([null, null, `the hash is ${hash}.`]), hash);
  assert.equal(linkIn(['https://example.org/a.torrent', 'magnet:?xt=1']), 'https://example.org/a.torrent');
  assert.equal(linkIn(['javascript:alert(1)', null, 'nothing']), null);
});
