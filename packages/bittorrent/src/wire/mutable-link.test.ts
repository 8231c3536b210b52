import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeUtf8, Prng, toHex } from '@tequio/kernel';
import {
  encodeMutableLink,
  encodeMutableTorrent,
  tryDecodeMutableLink,
  tryDecodeMutableTorrent,
} from './mutable-link.ts';

const vectors = JSON.parse(readFileSync(new URL('../../vectors/dht.json', import.meta.url), 'utf8'));

test('links of BEP 46 go there and back', () => {
  for (const { publicKey, salt } of vectors.mutableTargets) {
    const link = tryDecodeMutableLink(`magnet:?xs=urn:btpk:${publicKey}${salt === '' ? '' : `&s=${salt}`}`);
    assert.ok(link !== null);
    assert.deepEqual([toHex(link.publicKey), toHex(link.salt)], [publicKey, salt]);
    assert.deepEqual(tryDecodeMutableLink(encodeMutableLink(link)), link);
  }
});

test('what is no such link, or has a salt that cannot be, is none', () => {
  const key = 'a'.repeat(64);
  for (const text of [
    '',
    'magnet:?xt=urn:btih:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    `magnet:?xs=urn:btpk:${key}0`,
    `magnet:?xs=urn:btpk:${'g'.repeat(64)}`,
    `magnet:?xs=urn:btpk:${key}&s=abc`,
    `magnet:?xs=urn:btpk:${key}&s=${'ab'.repeat(65)}`,
    `magnet:?xs=urn:btpk:${key}&x=${'y'.repeat(5000)}`,
    `http://x/?xs=urn:btpk:${key}`,
  ])
    assert.equal(tryDecodeMutableLink(text), null, text.slice(0, 60));
  assert.ok(tryDecodeMutableLink(`magnet:?dn=x&amp;xs=urn%3Abtpk%3A${key}`) !== null);
});

test('whatever a link or a value holds, it is one or none', () => {
  const prng = new Prng(1);
  const infoHash = prng.bytes(20);
  assert.deepEqual(tryDecodeMutableTorrent(encodeMutableTorrent(infoHash)), infoHash);
  for (const text of ['de', 'd2:ih19:aaaaaaaaaaaaaaaaaaae', 'i1e', '', 'd2:ihi1ee'])
    assert.equal(tryDecodeMutableTorrent(encodeUtf8(text)), null);
  const characters = [...'magnet:?xs=urn:btpk:&%0af'];
  for (let i = 0; i < 2000; i++) {
    const text = `magnet:?xs=urn:btpk:${Array.from({ length: prng.below(90) }, () => prng.pick(characters)).join('')}`;
    const link = tryDecodeMutableLink(text);
    if (link !== null) assert.equal(link.publicKey.length, 32);
  }
});
