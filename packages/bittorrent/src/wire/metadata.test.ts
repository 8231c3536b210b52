import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, encodeUtf8, Prng, toLatin1 } from '@tequio/kernel';
import {
  decodeMetadata,
  encodeMetadataData,
  encodeMetadataReject,
  encodeMetadataRequest,
  metadataPieceBytes,
  metadataPieceBytesOf,
  metadataPieceCountOf,
} from './metadata.ts';

function decoded(bytes: Uint8Array) {
  const result = decodeMetadata(bytes);
  assert.ok(result.ok, result.ok ? '' : result.fault.message);
  return result.value;
}

test('the messages that BEP 9 prints', () => {
  assert.equal(toLatin1(encodeMetadataRequest(0)), 'd8:msg_typei0e5:piecei0ee');
  assert.equal(toLatin1(encodeMetadataReject(0)), 'd8:msg_typei2e5:piecei0ee');
  const data = encodeMetadataData(0, 3425, encodeUtf8('xxxx'));
  assert.equal(toLatin1(data), 'd8:msg_typei1e5:piecei0e10:total_sizei3425eexxxx');
});

test('messages go there and back', () => {
  assert.deepEqual(decoded(encodeMetadataRequest(7)), { type: 'request', piece: 7 });
  assert.deepEqual(decoded(encodeMetadataReject(2047)), { type: 'reject', piece: 2047 });
  const bytes = new Prng(1).bytes(metadataPieceBytes);
  assert.deepEqual(decoded(encodeMetadataData(3, 70_000, bytes)), {
    type: 'data',
    piece: 3,
    totalBytes: 70_000,
    bytes,
  });
});

test('other kinds are ignored, a missing total size is not an error', () => {
  assert.deepEqual(decoded(encodeUtf8('d8:msg_typei9ee')), { type: 'unknown' });
  assert.deepEqual(decoded(encodeUtf8('d8:msg_typei-1ee')), { type: 'unknown' });
  const data = decoded(encodeUtf8('d8:msg_typei1e5:piecei0eeabc'));
  assert.ok(data.type === 'data' && data.totalBytes === null && data.bytes.length === 3);
});

test('what is refused', () => {
  const texts = [
    '',
    'de',
    'i1e',
    'd8:msg_typei0ee',
    'd8:msg_typei0e5:piecei-1ee',
    'd8:msg_typei0e5:piecei2048ee',
    'd8:msg_typei1e5:piecei0e10:total_sizei9ee',
    'd8:msg_typei1e5:piecei0e10:total_sizei0eeabc',
  ];
  for (const text of texts) {
    const result = decodeMetadata(encodeUtf8(text));
    assert.ok(!result.ok && result.fault.code === 'BITTORRENT_METADATA_MESSAGE', text);
  }
  assert.equal(decodeMetadata(encodeMetadataData(0, 99_999, new Uint8Array(16385))).ok, false);
});

test('pieces of a size', () => {
  assert.equal(metadataPieceCountOf(1), 1);
  assert.equal(metadataPieceCountOf(16384), 1);
  assert.equal(metadataPieceCountOf(16385), 2);
  assert.equal(metadataPieceBytesOf(16385, 0), 16384);
  assert.equal(metadataPieceBytesOf(16385, 1), 1);
});

test('damaged messages never throw and stay bounded', () => {
  const prng = new Prng(9);
  const good = [
    encodeMetadataRequest(3),
    encodeMetadataReject(4),
    encodeMetadataData(1, 20_000, prng.bytes(50)),
  ];
  for (let run = 0; run < 20_000; run++) {
    const bytes = concatBytes([prng.pick(good), prng.bytes(prng.below(4))]);
    for (let i = prng.below(4); i > 0; i--) bytes[prng.below(bytes.length)] = prng.below(256);
    const result = decodeMetadata(bytes.subarray(0, prng.between(0, bytes.length)));
    if (!result.ok || result.value.type === 'unknown') continue;
    assert.ok(result.value.piece >= 0 && result.value.piece < 2048);
    if (result.value.type === 'data') assert.ok(result.value.bytes.length <= bytes.length);
  }
});
