import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { Signatures } from '@tequio/kernel';
import { plainBytes } from './plain-bytes.ts';

/** What stands before the raw bytes of a key in its DER form (RFC 8410, section 7 and 4). */
const secretKeyHead = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicKeyHead = Buffer.from('302a300506032b6570032100', 'hex');
const keyBytes = 32;
const signatureBytes = 64;

/** Ed25519 by OpenSSL. */
export function createSignatures(): Signatures {
  return {
    publicKeyOf: (secretKey) => {
      const der = createPublicKey(secretKeyOf(secretKey)).export({ format: 'der', type: 'spki' });
      return plainBytes(der.subarray(publicKeyHead.length));
    },
    sign: (secretKey, message) => plainBytes(sign(null, message, secretKeyOf(secretKey))),
    verify: (publicKey, message, signature) => {
      if (publicKey.length !== keyBytes || signature.length !== signatureBytes) return false;
      const key = createPublicKey({ key: withHead(publicKeyHead, publicKey), format: 'der', type: 'spki' });
      return verify(null, message, key, signature);
    },
  };
}

function secretKeyOf(secretKey: Uint8Array): KeyObject {
  return createPrivateKey({ key: withHead(secretKeyHead, secretKey), format: 'der', type: 'pkcs8' });
}

function withHead(head: Uint8Array, key: Uint8Array): Buffer {
  return Buffer.concat([head, key]);
}
