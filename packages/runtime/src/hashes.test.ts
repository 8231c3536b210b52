import { equal, notDeepEqual } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { encodeUtf8, toHex } from '@tequio/kernel';
import { createEntropy } from './entropy.ts';
import { createHashes } from './hashes.ts';

test('SHA-1 and SHA-256 of "abc" (FIPS 180-2, appendices A.1 and B.1), from plain and shared memory', () => {
  const hashes = createHashes();
  const shared = new Uint8Array(new SharedArrayBuffer(3));
  shared.set(encodeUtf8('abc'));
  for (const bytes of [encodeUtf8('abc'), shared]) {
    equal(toHex(hashes.sha1(bytes)), 'a9993e364706816aba3e25717850c26c9cd0d89d');
    equal(toHex(hashes.sha256(bytes)), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  }
});

test('entropy gives as many bytes as asked for, other ones each time', () => {
  const entropy = createEntropy();
  equal(entropy.bytes(20).length, 20);
  equal(entropy.bytes(0).length, 0);
  notDeepEqual(entropy.bytes(20), entropy.bytes(20));
});

test('a digest is what node:crypto says, byte for byte, and memory of its own', () => {
  const hashes = createHashes();
  const entropy = createEntropy();
  for (let length = 0; length < 300; length++) {
    const bytes = entropy.bytes(length);
    equal(toHex(hashes.sha1(bytes)), createHash('sha1').update(bytes).digest('hex'));
    equal(toHex(hashes.sha256(bytes)), createHash('sha256').update(bytes).digest('hex'));
  }
  equal(hashes.sha256(encodeUtf8('abc')).buffer.byteLength, 32);
});
