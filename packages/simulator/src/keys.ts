import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { type KeyAgreement, type Prng, type Signatures, toHex } from '@tequio/kernel';

/** Ed25519 is the same for everybody: keys come from the caller, nothing in it is by chance. */
export const signatures: Signatures = {
  publicKeyOf: (secretKey) => {
    const { x } = createPublicKey(secretKeyOf(secretKey)).export({ format: 'jwk' });
    return Uint8Array.from(Buffer.from(x!, 'base64url'));
  },
  sign: (secretKey, message) => Uint8Array.from(sign(null, message, secretKeyOf(secretKey))),
  verify: (publicKey, message, signature) => {
    if (publicKey.length !== 32 || signature.length !== 64) return false;
    const x = Buffer.from(publicKey).toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verify(null, message, key, signature);
  },
};

function secretKeyOf(seed: Uint8Array): ReturnType<typeof createPrivateKey> {
  const key = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

/** Diffie-Hellman with secrets from the world's chance, so that a run repeats. */
export function createSimulatedKeyAgreement(prng: Prng): KeyAgreement {
  return {
    createPair: (primeBytes, generator) => {
      const prime = numberOf(primeBytes);
      const secret = numberOf(prng.bytes(20));
      return {
        publicKey: bytesOf(power(BigInt(generator), secret, prime), primeBytes.length),
        trySecretWith: (theirPublicKey) => {
          const theirs = theirPublicKey.length === 0 ? 0n : numberOf(theirPublicKey);
          if (theirs < 2n || theirs > prime - 2n) return null;
          return bytesOf(power(theirs, secret, prime), primeBytes.length);
        },
      };
    },
  };
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

function bytesOf(number: bigint, length: number): Uint8Array {
  return Uint8Array.from(Buffer.from(number.toString(16).padStart(length * 2, '0'), 'hex'));
}
