/**
 * CIDs as bytes, for paths where an object for each would cost more than the block. Source: CID specification,
 * multihash specification (multiformats).
 *
 *   CIDv0 = 0x12 0x20, 32 bytes (sha2-256 of a dag-pb node)
 *   CIDv1 = 0x01, varint codec, multihash;   multihash = varint code, varint length, digest
 */
import { concatBytes, toLatin1 } from '@tequio/kernel';
import { varintBytes, writeVarint } from './protobuf.ts';

export const multicodec = {
  raw: 0x55,
  dagPb: 0x70,
  dagCbor: 0x71,
  libp2pKey: 0x72,
  cbor: 0x51,
  json: 0x0200,
  dagJson: 0x0129,
} as const;

export const hashCode = { identity: 0x00, sha1: 0x11, sha256: 0x12, sha512: 0x13 } as const;

/** What says how a block's name is made of its bytes: a CID without the digest. */
export type CidPrefix = {
  readonly version: 0 | 1;
  readonly codec: number;
  readonly hashCode: number;
  readonly digestBytes: number;
};

/** CIDs by their bytes, one character a byte: what sets and maps are keyed by. */
export type CidKey = string;

/** Multihashes longer than this are no hash's (identity CIDs carry their data; kubo takes no more than this). */
export const cidBytesMax = 168;

/** @param value a safe integer of 0 or more */
export function encodeVarint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintBytes(value));
  writeVarint(bytes, 0, value);
  return bytes;
}

/** A varint of at most 32 bits at `at`: its value and the place after it; null when there is none. */
function varintAt(bytes: Uint8Array, at: number): readonly [number, number] | null {
  let value = 0;
  for (let i = 0; i < 5 && at + i < bytes.length; i++) {
    const byte = bytes[at + i]!;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return value <= 0xffff_ffff && (byte !== 0 || i === 0) ? [value, at + i + 1] : null;
  }
  return null;
}

/** The four numbers of a block's prefix (bitswap 1.1); null when they are none, or more than that. */
export function tryDecodeCidPrefix(bytes: Uint8Array): CidPrefix | null {
  const values: number[] = [];
  let at = 0;
  while (values.length < 4) {
    const found = varintAt(bytes, at);
    if (found === null) return null;
    values.push(found[0]);
    at = found[1];
  }
  const [version, codec, code, digestBytes] = values as [number, number, number, number];
  if (at !== bytes.length || version > 1 || digestBytes > cidBytesMax) return null;
  if (version === 0 && (codec !== multicodec.dagPb || code !== hashCode.sha256 || digestBytes !== 32))
    return null;
  return { version: version as 0 | 1, codec, hashCode: code, digestBytes };
}

export function encodeCidPrefix(prefix: CidPrefix): Uint8Array {
  return concatBytes([
    encodeVarint(prefix.version),
    encodeVarint(prefix.codec),
    encodeVarint(prefix.hashCode),
    encodeVarint(prefix.digestBytes),
  ]);
}

/** The prefix of a CID; null when the bytes are no CID, whole and without anything after it. */
export function tryReadCid(bytes: Uint8Array): CidPrefix | null {
  if (bytes.length === 34 && bytes[0] === 0x12 && bytes[1] === 0x20) return cidV0Prefix;
  if (bytes.length > cidBytesMax || bytes[0] !== 1) return null;
  const codec = varintAt(bytes, 1);
  const code = codec === null ? null : varintAt(bytes, codec[1]);
  const length = code === null ? null : varintAt(bytes, code[1]);
  if (codec === null || code === null || length === null) return null;
  if (length[0] !== bytes.length - length[1]) return null;
  return { version: 1, codec: codec[0], hashCode: code[0], digestBytes: length[0] };
}

/** The CID of a digest under a prefix. */
export function cidOf(prefix: CidPrefix, digest: Uint8Array): Uint8Array {
  const hash = [encodeVarint(prefix.hashCode), encodeVarint(digest.length), digest];
  if (prefix.version === 0) return concatBytes(hash);
  return concatBytes([encodeVarint(1), encodeVarint(prefix.codec), ...hash]);
}

/** What blocks of bitswap 1.0, which have no prefix, are named by. */
export const cidV0Prefix: CidPrefix = {
  version: 0,
  codec: multicodec.dagPb,
  hashCode: hashCode.sha256,
  digestBytes: 32,
};

export function cidKeyOf(cid: Uint8Array): CidKey {
  return toLatin1(cid);
}
