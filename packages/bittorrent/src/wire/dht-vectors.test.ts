import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  addressToBytes,
  encodeUtf8,
  type Hashes,
  type IpAddress,
  Prng,
  type Signatures,
  toHex,
  tryFromHex,
} from '@tequio/kernel';
import { bloomBytes, estimateBloom, insertIntoBloom, mergeBloom } from './dht-bloom.ts';
import {
  type DhtItem,
  isGenuineItem,
  type MutableItem,
  mutableTargetOf,
  signedBytesOf,
  signItem,
  targetOf,
} from './dht-item.ts';
import { compareDistance, crc32c, isSecureNodeId, secureNodeId, sharedPrefixBits } from './dht-node-id.ts';

const hashes: Hashes = {
  sha1: (bytes) => new Uint8Array(createHash('sha1').update(bytes).digest()),
  sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const signatures: Signatures = {
  publicKeyOf: () => Uint8Array.from(Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url')),
  sign: (_, message) => Uint8Array.from(sign(null, message, privateKey)),
  verify: (key, message, signature) => {
    const x = Buffer.from(key).toString('base64url');
    return verify(
      null,
      message,
      createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
      signature,
    );
  },
};

const vectors = JSON.parse(readFileSync(new URL('../../vectors/dht.json', import.meta.url), 'utf8'));
const hex = (text: string): Uint8Array => tryFromHex(text)!;

test('BEP 33: the filter of 1,256 addresses, and its estimate', () => {
  const bloom = new Uint8Array(bloomBytes);
  for (let i = 0; i < 256; i++) insertIntoBloom(bloom, Uint8Array.of(192, 0, 2, i), hashes);
  const six = new Uint8Array(bloomBytes);
  for (let i = 0; i <= 0x3e7; i++) {
    const address = addressToBytes('2001:db8::' as IpAddress).slice();
    address[14] = i >> 8;
    address[15] = i;
    insertIntoBloom(six, address, hashes);
  }
  mergeBloom(bloom, six);
  assert.equal(toHex(bloom), vectors.bloom.hex);
  assert.ok(Math.abs(estimateBloom(bloom) - vectors.bloom.estimate) < 1e-4);
});

test('an empty filter holds nobody and a full one a number that is finite', () => {
  assert.equal(Math.abs(estimateBloom(new Uint8Array(bloomBytes))) < 1, true);
  const full = estimateBloom(new Uint8Array(bloomBytes).fill(255));
  assert.ok(full > 6000 && full < 9000);
});

test('BEP 42: ids and addresses', () => {
  for (const { address, id, secure } of vectors.nodeIds)
    assert.equal(isSecureNodeId(hex(id), addressToBytes(address)), secure, `${address} ${id}`);
});

test('ids that are made for an address fit it, and only it', () => {
  const prng = new Prng(1);
  for (let i = 0; i < 500; i++) {
    const address = prng.bytes(i % 2 === 0 ? 4 : 16);
    const id = secureNodeId(address, prng.bytes(20));
    assert.ok(isSecureNodeId(id, address));
    const other = address.slice();
    other[3]! ^= 0x01;
    assert.ok(!isSecureNodeId(id, other));
  }
});

test('CRC-32C of the usual check text', () => {
  assert.equal(crc32c(encodeUtf8('123456789')), 0xe3069283);
});

test('distance: the metric of XOR', () => {
  const prng = new Prng(2);
  const bigOf = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`);
  for (let i = 0; i < 500; i++) {
    const [a, b, target] = [prng.bytes(20), prng.bytes(20), prng.bytes(20)];
    if (i % 3 === 0) b.set(a.subarray(0, prng.below(21)));
    const difference = (bigOf(a) ^ bigOf(target)) - (bigOf(b) ^ bigOf(target));
    assert.equal(compareDistance(a, b, target), difference < 0n ? -1 : difference > 0n ? 1 : 0);
    const shared = (bigOf(a) ^ bigOf(b)).toString(2).length;
    assert.equal(sharedPrefixBits(a, b), bigOf(a) === bigOf(b) ? 160 : 160 - shared);
  }
});

test('BEP 44: targets, what is signed, and signatures', () => {
  for (const vector of vectors.items) {
    const value = encodeUtf8(vector.value);
    const item: DhtItem =
      vector.publicKey === undefined
        ? { type: 'immutable', value }
        : {
            type: 'mutable',
            value,
            publicKey: hex(vector.publicKey),
            salt: encodeUtf8(vector.salt),
            sequence: BigInt(vector.sequence),
            signature: hex(vector.signature),
          };
    assert.equal(toHex(targetOf(item, hashes)), vector.target);
    if (item.type === 'mutable') assert.deepEqual(signedBytesOf(item), encodeUtf8(vector.signed));
    assert.ok(isGenuineItem(item, hex(vector.target), hashes, signatures));
    assert.ok(
      !isGenuineItem({ ...item, value: encodeUtf8('3:bad') }, hex(vector.target), hashes, signatures),
    );
    if (item.type === 'mutable')
      assert.ok(!isGenuineItem({ ...item, sequence: 2n }, hex(vector.target), hashes, signatures));
  }
});

test('BEP 46: where the items of torrents that change are', () => {
  for (const { publicKey, salt, target } of vectors.mutableTargets)
    assert.equal(toHex(mutableTargetOf(hex(publicKey), hex(salt), hashes)), target);
});

test('an item that we sign is genuine', () => {
  const draft = { value: encodeUtf8('2:hi'), salt: encodeUtf8('s'), sequence: 7n };
  const item: MutableItem = signItem(new Uint8Array(32), draft, signatures);
  assert.ok(isGenuineItem(item, targetOf(item, hashes), hashes, signatures));
});
