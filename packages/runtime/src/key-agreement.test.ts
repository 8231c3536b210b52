import { deepEqual, equal, notDeepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyAgreement } from './key-agreement.ts';

/** Oakley group 1 (RFC 2409, section 6.1). */
const prime = Buffer.from(
  'FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD' +
    'EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A3620FFFFFFFFFFFFFFFF',
  'hex',
);

test('both sides come to one secret, whatever was calculated between, and other pairs to another', () => {
  const agreement = createKeyAgreement();
  const mine = agreement.createPair(prime, 2);
  const yours = agreement.createPair(prime, 2);
  const stranger = agreement.createPair(prime, 2);
  const secret = mine.trySecretWith(yours.publicKey);
  equal(secret?.length, 96);
  deepEqual(yours.trySecretWith(mine.publicKey), secret);
  notDeepEqual(stranger.trySecretWith(mine.publicKey), secret);
  notDeepEqual(mine.publicKey, yours.publicKey);
});

test('numbers that would make the secret known are refused', () => {
  const pair = createKeyAgreement().createPair(prime, 2);
  const number = (last: number): Uint8Array => {
    const bytes = new Uint8Array(96);
    bytes[95] = last;
    return bytes;
  };
  const lessOne = prime.slice();
  lessOne[95] = 0xfe;
  for (const bad of [number(0), number(1), lessOne, prime, new Uint8Array(96).fill(255), new Uint8Array(0)]) {
    equal(pair.trySecretWith(bad), null);
  }
});
