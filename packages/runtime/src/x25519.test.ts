import { deepEqual, equal, notDeepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { toHex, tryFromHex } from '@tequio/kernel';
import { createX25519 } from './x25519.ts';

const fromHex = (text: string): Uint8Array => tryFromHex(text)!;

test('X25519: the first example of RFC 7748, section 5.2, and the key of its section 6.1', () => {
  const x25519 = createX25519();
  const pair = x25519.createPair(fromHex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4'));
  const theirs = fromHex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c');
  const secret = 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552';
  equal(toHex(pair.trySecretWith(theirs)!), secret);
  const bob = x25519.createPair(fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'));
  equal(toHex(bob.publicKey), 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
});

test('fresh pairs agree, and differ from each other', () => {
  const x25519 = createX25519();
  const [one, other] = [x25519.createPair(), x25519.createPair()];
  deepEqual(one.trySecretWith(other.publicKey), other.trySecretWith(one.publicKey));
  notDeepEqual(one.publicKey, other.publicKey);
});

test('keys that are none, or make the same secret with everybody’s, are refused', () => {
  const pair = createX25519().createPair();
  equal(pair.trySecretWith(new Uint8Array(31)), null);
  equal(pair.trySecretWith(new Uint8Array(33)), null);
  equal(pair.trySecretWith(new Uint8Array(32)), null);
  const one = new Uint8Array(32);
  one[0] = 1;
  equal(pair.trySecretWith(one), null);
});
