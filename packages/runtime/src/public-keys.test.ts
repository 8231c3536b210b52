import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import { type ForeignKeyType, verifyForeignSignature } from './public-keys.ts';

const message = new TextEncoder().encode('what is signed');

function spki(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }));
}

/** The point as libp2p writes it: its x, and whether y is odd. */
function compressed(key: KeyObject): Uint8Array {
  const { x, y } = key.export({ format: 'jwk' });
  const odd = Buffer.from(y!, 'base64url').at(-1)! & 1;
  return Uint8Array.of(2 + odd, ...Buffer.from(x!, 'base64url'));
}

function check(type: ForeignKeyType, key: Uint8Array, secret: KeyObject): void {
  const signature = sign(type === 'ed25519' ? null : 'sha256', message, secret);
  assert.equal(verifyForeignSignature(type, key, message, signature), true, type);
  assert.equal(verifyForeignSignature(type, key, message.subarray(1), signature), false, type);
  assert.equal(verifyForeignSignature(type, key, message, signature.subarray(1)), false, type);
  assert.equal(verifyForeignSignature(type, key.subarray(1), message, signature), false, type);
  for (const other of ['ed25519', 'rsa', 'secp256k1', 'ecdsa'] as const)
    if (other !== type)
      assert.equal(verifyForeignSignature(other, key, message, signature), false, `${type} ${other}`);
}

test('signatures of every kind of key, and none for another', () => {
  const ed25519 = generateKeyPairSync('ed25519');
  check('ed25519', spki(ed25519.publicKey).slice(-32), ed25519.privateKey);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  check('rsa', spki(rsa.publicKey), rsa.privateKey);
  const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  check('secp256k1', compressed(secp256k1.publicKey), secp256k1.privateKey);
  const ecdsa = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  check('ecdsa', spki(ecdsa.publicKey), ecdsa.privateKey);
});

test('RSA keys that can be broken are not believed', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  assert.equal(
    verifyForeignSignature('rsa', spki(publicKey), message, sign('sha256', message, privateKey)),
    false,
  );
});
