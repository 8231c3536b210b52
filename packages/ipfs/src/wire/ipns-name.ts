/**
 * IPNS names (specs.ipfs.tech/ipns): the multihash of a public key, short keys being their own hash. Written as a CID
 * of codec libp2p-key in base 36 (`k51…`), in older text as a bare multihash in base 58 (`12D3KooW…`, `Qm…`).
 */
import { bytesEqual, concatBytes, encodeUtf8, type Hashes } from '@tequio/kernel';
import { base36 } from 'multiformats/bases/base36';
import { base58btc } from 'multiformats/bases/base58';
import { base64url } from 'multiformats/bases/base64';
import { CID } from 'multiformats/cid';
import { create as createDigest, decode as decodeDigest } from 'multiformats/hashes/digest';
import { codecs, tryParseCid } from './cid.ts';
import { ProtobufReader, ProtobufWriter } from './protobuf.ts';

export const keyTypes = { rsa: 0, ed25519: 1, secp256k1: 2, ecdsa: 3 } as const;

export type IpfsKeyType = keyof typeof keyTypes;

/** A public key as libp2p writes it; `data`: raw for Ed25519 and secp256k1, DER (SPKI) for the others. */
export type IpfsPublicKey = { readonly type: IpfsKeyType; readonly data: Uint8Array };

/** Keys whose message is longer than this are named by a hash. */
const inlineKeyBytesMax = 42;
const identityCode = 0x00;
const sha256Code = 0x12;
const nameTextMax = 128;

const namesOfTypes: readonly IpfsKeyType[] = ['rsa', 'ed25519', 'secp256k1', 'ecdsa'];

export function encodePublicKey(key: IpfsPublicKey): Uint8Array {
  return new ProtobufWriter(64).uint(1, keyTypes[key.type]).bytes(2, key.data).finish();
}

/** Null when the bytes are no key. */
export function tryDecodePublicKey(bytes: Uint8Array): IpfsPublicKey | null {
  const reader = new ProtobufReader(bytes);
  let type: IpfsKeyType | null = null;
  let data: Uint8Array | null = null;
  while (reader.next()) {
    if (reader.isVarint(1)) type = namesOfTypes[reader.uint32()] ?? null;
    else if (reader.isBytes(2)) data = reader.bytes();
  }
  return reader.ok && type !== null && data !== null ? { type, data } : null;
}

/** A secret key as libp2p and kubo's key store write it; `data` as libp2p's specs for peer ids have it. */
export function encodePrivateKey(key: IpfsPublicKey): Uint8Array {
  return encodePublicKey(key);
}

/** Null when the bytes are none. */
export function tryDecodePrivateKey(bytes: Uint8Array): IpfsPublicKey | null {
  return tryDecodePublicKey(bytes);
}

/** The multihash that a key is named by. */
export function ipnsNameOf(key: IpfsPublicKey, hashes: Hashes): Uint8Array {
  const bytes = encodePublicKey(key);
  return bytes.length <= inlineKeyBytesMax
    ? createDigest(identityCode, bytes).bytes
    : createDigest(sha256Code, hashes.sha256(bytes)).bytes;
}

/** The key that stands in the name itself; null: the name is a hash, or no name. */
export function tryKeyInName(name: Uint8Array): IpfsPublicKey | null {
  try {
    const { code, digest } = decodeDigest(name);
    return code === identityCode ? tryDecodePublicKey(digest) : null;
  } catch {
    return null;
  }
}

/** Whether the name is of this key. */
export function isNameOf(name: Uint8Array, key: IpfsPublicKey, hashes: Hashes): boolean {
  return bytesEqual(name, ipnsNameOf(key, hashes));
}

/** Of text in any of its forms, also with `/ipns/` in front; null: it is no name of a key (a domain, say). */
export function tryParseIpnsName(text: string): Uint8Array | null {
  const bare = text.startsWith('/ipns/') ? text.slice(6) : text;
  if (bare.length > nameTextMax) return null;
  const cid = tryParseCid(bare);
  if (cid !== null) return isKeyHash(cid.multihash.code) ? cid.multihash.bytes : null;
  if (!/^(?:12D3|1|Qm)[1-9A-HJ-NP-Za-km-z]+$/.test(bare)) return null;
  try {
    const name = base58btc.baseDecode(bare);
    return isKeyHash(decodeDigest(name).code) ? name : null;
  } catch {
    return null;
  }
}

function isKeyHash(code: number): boolean {
  return code === identityCode || code === sha256Code;
}

/** As it is written today: a CID in base 36, which fits a DNS label for Ed25519 keys. */
export function ipnsNameText(name: Uint8Array): string {
  return CID.createV1(codecs['libp2p-key'], decodeDigest(name)).toString(base36);
}

/** As a peer id is written. */
export function ipnsPeerText(name: Uint8Array): string {
  return base58btc.baseEncode(name);
}

/** What the record is kept under in the DHT. */
export function ipnsRoutingKey(name: Uint8Array): Uint8Array {
  return concatBytes([encodeUtf8('/ipns/'), name]);
}

/** The name in such a key. */
export function nameInRoutingKey(key: Uint8Array): Uint8Array {
  return key.subarray('/ipns/'.length);
}

/** The topic on which its newest record is told (IPNS over pubsub). */
export function ipnsTopic(name: Uint8Array): string {
  return `/record/${base64url.baseEncode(ipnsRoutingKey(name))}`;
}
