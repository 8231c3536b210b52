/**
 * CIDs as bytes and as text. `multiformats` throws on what is none; here it is null.
 */
import { toLatin1 } from '@tequio/kernel';
import { base2 } from 'multiformats/bases/base2';
import { base8 } from 'multiformats/bases/base8';
import { base10 } from 'multiformats/bases/base10';
import { base16, base16upper } from 'multiformats/bases/base16';
import {
  base32,
  base32hex,
  base32hexpad,
  base32hexpadupper,
  base32hexupper,
  base32pad,
  base32padupper,
  base32upper,
  base32z,
} from 'multiformats/bases/base32';
import { base36, base36upper } from 'multiformats/bases/base36';
import { base58btc, base58flickr } from 'multiformats/bases/base58';
import { base64, base64pad, base64url, base64urlpad } from 'multiformats/bases/base64';
import { base256emoji } from 'multiformats/bases/base256emoji';
import type { MultibaseCodec } from 'multiformats/bases/interface';
import { CID } from 'multiformats/cid';
import { create as createDigest, Digest } from 'multiformats/hashes/digest';
import { ipfsLimits } from '../limits.ts';

export { CID };

/** Numbers of the multicodec table for what a block is. */
export const codecs = {
  raw: 0x55,
  cbor: 0x51,
  'dag-pb': 0x70,
  'dag-cbor': 0x71,
  'libp2p-key': 0x72,
  'git-raw': 0x78,
  'dag-jose': 0x85,
  'dag-cose': 0x86,
  'dag-json': 0x0129,
  json: 0x0200,
  protobuf: 0x50,
} as const;

export type CodecName = keyof typeof codecs;

/** Every base that a CID may be written in, by its name in the multibase table. */
export const multibases: ReadonlyMap<string, MultibaseCodec<string>> = new Map(
  [
    base2,
    base8,
    base10,
    base16,
    base16upper,
    base32,
    base32upper,
    base32pad,
    base32padupper,
    base32hex,
    base32hexupper,
    base32hexpad,
    base32hexpadupper,
    base32z,
    base36,
    base36upper,
    base58btc,
    base58flickr,
    base64,
    base64pad,
    base64url,
    base64urlpad,
    base256emoji,
  ].map((base) => [base.name, base as MultibaseCodec<string>]),
);

const basesByPrefix = new Map([...multibases.values()].map((base) => [base.prefix, base]));

/** A CID written in base 2 has eight characters a byte. */
const cidTextMax = 9 * ipfsLimits.cidBytesMax;

/** Of bytes that hold a CID and nothing else. It keeps no part of `bytes`, which may be a whole block's. */
export function tryDecodeCid(bytes: Uint8Array): CID | null {
  const common = tryDecodeCommon(bytes);
  if (common !== null) return common;
  const prefix = tryDecodeCidPrefix(bytes);
  return prefix !== null && prefix.byteCount === bytes.length ? prefix.cid : null;
}

/** What nearly all CIDs are, SHA-256 in version 0 or 1: a folder's block has thousands of them. */
function tryDecodeCommon(bytes: Uint8Array): CID | null {
  if (bytes.length === 36 && bytes[0] === 1 && bytes[1]! < 0x80 && bytes[2] === 0x12 && bytes[3] === 32) {
    const own = bytes.slice();
    const multihash = new Digest(0x12, 32, own.subarray(4), own.subarray(2));
    return new CID(1, own[1]!, multihash, own);
  }
  if (bytes.length !== 34 || bytes[0] !== 0x12 || bytes[1] !== 32) return null;
  const own = bytes.slice();
  return new CID(0, codecs['dag-pb'], new Digest(0x12, 32, own.subarray(2), own), own);
}

/** Of the CID that `bytes` begin with, and how many bytes it takes. */
export function tryDecodeCidPrefix(bytes: Uint8Array): { cid: CID; byteCount: number } | null {
  try {
    const { size, version, digestSize } = CID.inspectBytes(bytes);
    if (size > ipfsLimits.cidBytesMax || size > bytes.length) return null;
    if (version === 0 && digestSize !== 32) return null;
    return { cid: CID.decode(bytes.slice(0, size)), byteCount: size };
  } catch {
    return null;
  }
}

/** In any base; the old form of 46 characters that begins with `Qm` too. */
export function tryParseCid(text: string): CID | null {
  if (text.length < 2 || text.length > cidTextMax) return null;
  try {
    if (text.length === 46 && text.startsWith('Qm')) return CID.parse(text);
    const base = basesByPrefix.get(String.fromCodePoint(text.codePointAt(0)!));
    const cid = base === undefined ? null : tryDecodeCid(base.decoder.decode(text));
    // The old form has no base in front of it.
    return cid === null || cid.version === 0 ? null : cid;
  } catch {
    return null;
  }
}

/** As text; by default version 0 in base58 and version 1 in base32. Version 0 in another base becomes version 1. */
export function cidText(cid: CID, baseName?: string): string {
  if (baseName === undefined || (cid.version === 0 && baseName === 'base58btc')) return cid.toString();
  const base = multibases.get(baseName);
  return base === undefined ? cid.toString() : cid.toV1().toString(base.encoder);
}

/** Of version 1. @param hashCode as in the multicodec table */
export function makeCid(codec: number, hashCode: number, digest: Uint8Array): CID {
  return CID.createV1(codec, createDigest(hashCode, digest));
}

/** A string that two CIDs share exactly when they are the same, for the keys of maps. */
export function cidKey(cid: CID): string {
  return toLatin1(cid.bytes);
}
