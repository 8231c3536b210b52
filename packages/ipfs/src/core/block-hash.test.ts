import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createRuntimePorts } from '@tequio/runtime';
import { codecs, makeCid } from '../wire/cid.ts';
import { hashCodes, matchesCid, tryDigest } from './block-hash.ts';

const { hashes } = createRuntimePorts();
const block = new TextEncoder().encode('a block');

test('every hash is what OpenSSL says it is, where OpenSSL has it', () => {
  const names = new Map([
    ['sha1', 'sha1'],
    ['sha2-256', 'sha256'],
    ['sha2-384', 'sha384'],
    ['sha2-512', 'sha512'],
    ['sha3-224', 'sha3-224'],
    ['sha3-256', 'sha3-256'],
    ['sha3-384', 'sha3-384'],
    ['sha3-512', 'sha3-512'],
    ['blake2b-512', 'blake2b512'],
    ['blake2s-256', 'blake2s256'],
  ]);
  for (const [name, openssl] of names) {
    const expected = new Uint8Array(createHash(openssl).update(block).digest());
    const digest = tryDigest(hashes, hashCodes.get(name)!, block, expected.length);
    assert.deepEqual(digest && new Uint8Array(digest), expected, name);
  }
});

test('a block matches its CID by every hash that is known, and no other block does', () => {
  for (const [name, code] of hashCodes) {
    const digest = tryDigest(hashes, code, block, 32)!;
    const cid = makeCid(codecs.raw, code, digest);
    assert.ok(matchesCid(hashes, cid, block), name);
    assert.ok(!matchesCid(hashes, cid, block.slice(1)), name);
    const wrong = digest.slice();
    wrong[digest.length - 1]! ^= 1;
    assert.ok(!matchesCid(hashes, makeCid(codecs.raw, code, wrong), block), name);
  }
});

test('a hash that says little is not believed', () => {
  const sha256 = hashes.sha256(block);
  assert.ok(matchesCid(hashes, makeCid(codecs.raw, 0x12, sha256.slice(0, 20)), block));
  assert.ok(!matchesCid(hashes, makeCid(codecs.raw, 0x12, sha256.slice(0, 19)), block));
  assert.ok(!matchesCid(hashes, makeCid(codecs.raw, 0x12, new Uint8Array(0)), block));
  // BLAKE2b of 8 bytes, MurmurHash3, and a number that nobody has.
  for (const code of [0xb208, 0x22, 0x7fff])
    assert.ok(!matchesCid(hashes, makeCid(codecs.raw, code, new Uint8Array(8)), block));
  const long = new Uint8Array(129);
  assert.ok(!matchesCid(hashes, makeCid(codecs.raw, 0, long), long));
});
