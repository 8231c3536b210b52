import { createDiffieHellman, type DiffieHellman, randomBytes } from 'node:crypto';
import { type KeyAgreement, type KeyPair, toHex } from '@tequio/kernel';
import { plainBytes } from './plain-bytes.ts';

/** Enough for primes of up to 1024 bits, whose own strength is below that of such an exponent. */
const secretKeyBytes = 20;

/**
 * Diffie-Hellman by OpenSSL. To make its object takes 24 ms, for it proves the prime; so there is one for a prime and
 * each calculation, 0.12 ms, sets its secret key first.
 */
export function createKeyAgreement(): KeyAgreement {
  const groups = new Map<string, DiffieHellman>();
  return {
    createPair: (prime, generator) => {
      const name = `${toHex(prime)}:${generator}`;
      let group = groups.get(name);
      if (group === undefined) {
        group = createDiffieHellman(Buffer.from(prime), Buffer.from([generator]));
        groups.set(name, group);
      }
      return createPair(group, prime.length);
    },
  };
}

function createPair(group: DiffieHellman, primeBytes: number): KeyPair {
  const secretKey = randomBytes(secretKeyBytes);
  group.setPrivateKey(secretKey);
  const publicKey = padded(group.generateKeys(), primeBytes);
  return {
    publicKey,
    trySecretWith: (theirPublicKey) => {
      group.setPrivateKey(secretKey);
      try {
        return padded(group.computeSecret(theirPublicKey), primeBytes);
      } catch {
        // OpenSSL refuses 0, 1, the prime less one, and whatever is not below the prime.
        return null;
      }
    },
  };
}

function padded(bytes: Uint8Array, length: number): Uint8Array {
  const number = new Uint8Array(length);
  number.set(bytes, length - bytes.length);
  return plainBytes(number);
}
