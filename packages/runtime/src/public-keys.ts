import { createPublicKey, type KeyObject, verify } from 'node:crypto';

/** Kinds of keys that other programs of these networks sign with. */
export type ForeignKeyType = 'ed25519' | 'rsa' | 'secp256k1' | 'ecdsa';

/** SubjectPublicKeyInfo (RFC 8410) of an Ed25519 key, without its 32 bytes. */
const ed25519Spki = Uint8Array.from([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]);
/** And of a compressed secp256k1 point (RFC 5480), without its 33 bytes. */
const secp256k1Spki = Uint8Array.from([
  0x30, 0x36, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04,
  0x00, 0x0a, 0x03, 0x22, 0x00,
]);

/** Shorter RSA keys can be broken; longer ones cost too much to check. */
const rsaBits = { min: 2048, max: 8192 } as const;

/**
 * Whether `signature` is the key's over `message`; total.
 * @param key raw for Ed25519 (32 bytes) and secp256k1 (33 bytes), DER (SPKI) for RSA and ECDSA. RSA is PKCS #1 v1.5
 * over SHA-256; the curves' signatures are DER over SHA-256, Ed25519's its 64 bytes.
 */
export function verifyForeignSignature(
  type: ForeignKeyType,
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    const publicKey = importKey(type, key);
    if (publicKey === null) return false;
    return verify(type === 'ed25519' ? null : 'sha256', message, publicKey, signature);
  } catch {
    // Not a key, or not a signature, of its kind.
    return false;
  }
}

function importKey(type: ForeignKeyType, key: Uint8Array): KeyObject | null {
  if (type === 'ed25519' && key.length !== 32) return null;
  if (type === 'secp256k1' && key.length !== 33) return null;
  const head = type === 'ed25519' ? ed25519Spki : type === 'secp256k1' ? secp256k1Spki : new Uint8Array(0);
  const der = Buffer.concat([head, key]);
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' });
  const { asymmetricKeyType, asymmetricKeyDetails } = publicKey;
  if (asymmetricKeyType !== (type === 'ecdsa' || type === 'secp256k1' ? 'ec' : type)) return null;
  const bits = asymmetricKeyDetails?.modulusLength ?? rsaBits.min;
  return bits >= rsaBits.min && bits <= rsaBits.max ? publicKey : null;
}
