import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { tryFromHex, tryParseAddress } from '@tequio/kernel';
import { allowedFastLimits, createAllowedFastSet } from './allowed-fast.ts';

const hashes = { sha1: (bytes: Uint8Array) => new Uint8Array(createHash('sha1').update(bytes).digest()) };
const vectors: {
  vectors: { address: string; infoHash: string; torrentPieceCount: number; pieces: number[] }[];
} = JSON.parse(readFileSync(new URL('../../vectors/allowed-fast.json', import.meta.url), 'utf8'));

function setOf(address: string, infoHash: string, pieceCount: number, wanted?: number): number[] {
  return createAllowedFastSet(hashes, tryFromHex(infoHash)!, tryParseAddress(address)!, pieceCount, wanted);
}

test('the sets that BEP 6 prints', () => {
  assert.equal(vectors.vectors.length, 2);
  for (const { address, infoHash, torrentPieceCount, pieces } of vectors.vectors)
    assert.deepEqual(setOf(address, infoHash, torrentPieceCount, pieces.length), pieces);
});

test('a set is the beginning of any longer one, and neighbours in a /24 share it', () => {
  const infoHash = 'ab'.repeat(20);
  const ten = setOf('198.51.100.7', infoHash, 1000, 10);
  assert.equal(new Set(ten).size, 10);
  assert.deepEqual(setOf('198.51.100.7', infoHash, 1000), ten.slice(0, allowedFastLimits.pieceCountMax));
  assert.deepEqual(setOf('198.51.100.250', infoHash, 1000, 10), ten);
  assert.notDeepEqual(setOf('198.51.101.7', infoHash, 1000, 10), ten);
});

test('small torrents end, and IPv6 has no set', () => {
  const infoHash = '00'.repeat(20);
  for (let pieceCount = 0; pieceCount <= 12; pieceCount++) {
    const pieces = setOf('192.0.2.1', infoHash, pieceCount, 10);
    assert.equal(new Set(pieces).size, pieces.length);
    assert.ok(pieces.every((piece) => piece >= 0 && piece < pieceCount));
    assert.equal(pieces.length, Math.min(10, pieceCount));
  }
  assert.deepEqual(setOf('2001:db8::1', infoHash, 100), []);
});
