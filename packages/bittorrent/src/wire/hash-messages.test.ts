import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng, writeUint32 } from '@tequio/kernel';
import {
  ceilLog2,
  decodeHashes,
  decodeHashRequest,
  encodeHashes,
  encodeHashRequest,
  hashMessageLimits,
  isSameHashRequest,
  uncleCountOf,
} from './hash-messages.ts';

const root = new Prng(1).bytes(32);
const base = { root, baseLayer: 3, index: 512, length: 512, proofLayers: 10 };

test('messages go there and back', () => {
  const payload = encodeHashRequest(base);
  assert.equal(payload.length, 48);
  assert.deepEqual(decodeHashRequest(payload), { ok: true, value: base });
  const range = { request: base, hashes: new Prng(2).bytes(512 * 32), uncles: new Prng(3).bytes(2 * 32) };
  assert.deepEqual(decodeHashes(encodeHashes(range)), { ok: true, value: range });
  assert.ok(isSameHashRequest(base, { ...base, root: root.slice() }));
  assert.ok(!isSameHashRequest(base, { ...base, proofLayers: 9 }));
  assert.ok(!isSameHashRequest(base, { ...base, root: new Uint8Array(32) }));
});

test('uncles: one a proof layer, less those inside the range', () => {
  assert.deepEqual(
    [2, 4, 8, 512].map((length) => uncleCountOf(length, 10)),
    [10, 9, 8, 2],
  );
  assert.equal(uncleCountOf(512, 8), 0);
  assert.equal(uncleCountOf(512, 0), 0);
  assert.equal(uncleCountOf(3, 5), uncleCountOf(4, 5));
  assert.equal(uncleCountOf(1, 9), 10, 'a single hash needs its own sibling too');
  for (let count = 1; count < 5000; count++) assert.equal(2 ** ceilLog2(count) < count, false);
  assert.deepEqual([1, 2, 3, 4, 5, 8192].map(ceilLog2), [0, 1, 2, 2, 3, 13]);
});

test('ranges that no file can have are refused', () => {
  const cases: Partial<typeof base>[] = [
    { length: 0 },
    { length: 16384, index: 0 },
    { index: 256 },
    { index: 3, length: 2 },
    { index: 2, length: 3 },
    { baseLayer: 31, proofLayers: 10 },
    { baseLayer: 0xffffffff },
    { proofLayers: 0xffffffff },
  ];
  for (const change of cases) {
    const result = decodeHashRequest(encodeHashRequest({ ...base, ...change }));
    assert.ok(!result.ok && result.fault.code === 'BITTORRENT_HASH_MESSAGE_RANGE', JSON.stringify(change));
  }
  for (const length of [0, 32, 47, 49]) {
    const result = decodeHashRequest(new Uint8Array(length));
    assert.ok(!result.ok && result.fault.code === 'BITTORRENT_HASH_MESSAGE_SIZE');
  }
  const cut = { ...base, index: 512, length: 100, proofLayers: 9 };
  assert.ok(decodeHashRequest(encodeHashRequest(cut)).ok, 'the end of a layer may cut the length');
});

test('hashes whose number does not fit the request are refused', () => {
  const good = encodeHashes({ request: base, hashes: new Uint8Array(512 * 32), uncles: new Uint8Array(64) });
  assert.ok(decodeHashes(good).ok);
  for (const cut of [1, 31, 32, 64, good.length - 48, good.length - 47])
    assert.equal(decodeHashes(good.subarray(0, good.length - cut)).ok, false, `${cut}`);
  assert.equal(decodeHashes(new Uint8Array(good.length + 32)).ok, false);
});

test('random payloads never throw, and what is decoded lies inside them', () => {
  const prng = new Prng(4);
  for (let run = 0; run < 20_000; run++) {
    const payload = prng.bytes(48 + 32 * prng.below(12));
    writeUint32(payload, 32, prng.below(42));
    writeUint32(payload, 36, prng.chance(0.5) ? 0 : 2 ** prng.below(32));
    writeUint32(payload, 40, prng.chance(0.9) ? prng.below(12) : prng.nextUint32());
    writeUint32(payload, 44, prng.below(14));
    const result = decodeHashes(payload);
    if (!result.ok) continue;
    const { request, hashes, uncles } = result.value;
    assert.equal(48 + hashes.length + uncles.length, payload.length);
    assert.ok(request.length <= hashMessageLimits.lengthMax && request.index + request.length <= 2 ** 32);
    assert.deepEqual(encodeHashes(result.value), payload);
  }
});
