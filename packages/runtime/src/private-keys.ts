/** Secret keys of the kinds that libp2p's programs name things with, in the bytes that libp2p writes them in. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { promisify } from 'node:util';

/** Kinds that are made and read here. */
export type OwnKeyType = 'ed25519' | 'rsa' | 'secp256k1';

/**
 * `data`: 64 bytes, seed and public key (Ed25519); PKCS #1 in DER (RSA); the 32 bytes of the number (secp256k1).
 * Source: libp2p specs, peer-ids.
 */
export type OwnKey = { readonly type: OwnKeyType; readonly data: Uint8Array };

/** PKCS #8 (RFC 8410) of an Ed25519 seed, without its 32 bytes. */
const ed25519Pkcs8 = Uint8Array.from([
  0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
]);
/** What stands before and behind a secp256k1 number (RFC 5915). */
const secp256k1Head = Uint8Array.from([0x30, 0x2e, 0x02, 0x01, 0x01, 0x04, 0x20]);
const secp256k1Tail = Uint8Array.from([0xa0, 0x07, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a]);

/** Shorter ones can be broken, longer ones take minutes. */
export const rsaBits = { min: 2048, max: 8192 } as const;

/** @param bits of an RSA key, from `rsaBits.min` to `rsaBits.max` */
export async function createOwnKey(type: OwnKeyType, bits: number = rsaBits.min): Promise<OwnKey> {
  if (type === 'ed25519') return ownKeyOf(generateKeyPairSync('ed25519').privateKey)!;
  if (type === 'secp256k1')
    return ownKeyOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey)!;
  const pair = await promisify(generateKeyPair)('rsa', { modulusLength: bits });
  return ownKeyOf(pair.privateKey)!;
}

/** Raw for Ed25519 (32 bytes) and secp256k1 (33 bytes), DER (SPKI) for RSA; null: the bytes are no such key. */
export function tryPublicKeyOf(key: OwnKey): Uint8Array | null {
  const secret = tryImport(key);
  if (secret === null) return null;
  const spki = new Uint8Array(createPublicKey(secret).export({ format: 'der', type: 'spki' }));
  if (key.type === 'rsa') return spki;
  if (key.type === 'ed25519') return spki.slice(-32);
  const point = spki.slice(-65);
  // Compressed: the sign of y, then x (SEC 1, 2.3.3).
  return Uint8Array.from([(point[64]! & 1) === 0 ? 2 : 3, ...point.subarray(1, 33)]);
}

/** As `verifyForeignSignature` checks it. @throws TypeError when the key is none */
export function signWithOwnKey(key: OwnKey, message: Uint8Array): Uint8Array {
  const secret = tryImport(key);
  if (secret === null) throw new TypeError('no key to sign with');
  return new Uint8Array(sign(key.type === 'ed25519' ? null : 'sha256', message, secret));
}

/** PKCS #8 as text (PEM), for other programs. @throws TypeError when the key is none */
export function ownKeyToPem(key: OwnKey): string {
  const secret = tryImport(key);
  if (secret === null) throw new TypeError('no key to export');
  return secret.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** Null: no key in PEM without a password, or of a kind or size that is not used here. */
export function tryOwnKeyFromPem(text: string): OwnKey | null {
  try {
    return ownKeyOf(createPrivateKey({ key: text, format: 'pem' }));
  } catch {
    return null;
  }
}

function tryImport({ type, data }: OwnKey): KeyObject | null {
  try {
    const secret = createPrivateKey(importable(type, data));
    return ownKeyOf(secret)?.type === type ? secret : null;
  } catch {
    return null;
  }
}

function importable(type: OwnKeyType, data: Uint8Array): Parameters<typeof createPrivateKey>[0] {
  if (type === 'rsa') return { key: Buffer.from(data), format: 'der', type: 'pkcs1' };
  if (type === 'secp256k1')
    return { key: Buffer.concat([secp256k1Head, data, secp256k1Tail]), format: 'der', type: 'sec1' };
  // Seed and public key; in old files the public key a second time.
  if (data.length !== 64 && data.length !== 96) throw new TypeError('not the length of a key');
  return { key: Buffer.concat([ed25519Pkcs8, data.subarray(0, 32)]), format: 'der', type: 'pkcs8' };
}

function ownKeyOf(secret: KeyObject): OwnKey | null {
  const { asymmetricKeyType, asymmetricKeyDetails } = secret;
  if (asymmetricKeyType === 'ed25519') {
    const { d, x } = secret.export({ format: 'jwk' });
    return {
      type: 'ed25519',
      data: Buffer.concat([Buffer.from(d!, 'base64url'), Buffer.from(x!, 'base64url')]),
    };
  }
  if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'secp256k1') {
    const { d } = secret.export({ format: 'jwk' });
    return { type: 'secp256k1', data: new Uint8Array(Buffer.from(d!, 'base64url')) };
  }
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  if (asymmetricKeyType !== 'rsa' || bits < rsaBits.min || bits > rsaBits.max) return null;
  return { type: 'rsa', data: new Uint8Array(secret.export({ format: 'der', type: 'pkcs1' })) };
}
