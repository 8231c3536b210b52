import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import type { X25519, X25519Pair } from '@tequio/kernel';
import { plainBytes } from './plain-bytes.ts';

/** What stands before the raw bytes of a key in its DER form (RFC 8410, section 7 and 4). */
const secretKeyHead = Buffer.from('302e020100300506032b656e04220420', 'hex');
const publicKeyHead = Buffer.from('302a300506032b656e032100', 'hex');
const keyBytes = 32;

/** Diffie-Hellman over Curve25519 by OpenSSL. */
export function createX25519(): X25519 {
  return {
    createPair: (secretKey) => {
      if (secretKey === undefined) return pairOf(generateKeyPairSync('x25519').privateKey);
      const der = Buffer.concat([secretKeyHead, secretKey]);
      return pairOf(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
    },
  };
}

function pairOf(privateKey: KeyObject): X25519Pair {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    publicKey: plainBytes(der.subarray(publicKeyHead.length)),
    trySecretWith: (theirs) => {
      if (theirs.length !== keyBytes) return null;
      try {
        const key = Buffer.concat([publicKeyHead, theirs]);
        const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
        return plainBytes(diffieHellman({ privateKey, publicKey }));
      } catch {
        // OpenSSL refuses points of low order.
        return null;
      }
    },
  };
}
