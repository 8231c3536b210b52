/** A block's name in the store: the multihash of its CID. The same bytes under CIDs of two codecs are one block. */
import { bytesEqual, crc32c, type Hashes } from '@tequio/kernel';
import { CID } from 'multiformats/cid';
import { decode as decodeMultihash } from 'multiformats/hashes/digest';
import { matchesCid, tryDigest } from './block-hash.ts';

const identityCode = 0x00;
const sha256Code = 0x12;
const rawCode = 0x55;

export function keyOf(cid: CID): Uint8Array {
  return cid.multihash.bytes;
}

/** CIDv1 with the raw codec: what the block is a part of is not known from its key. */
export function cidOfKey(key: Uint8Array): CID {
  return CID.createV1(rawCode, decodeMultihash(key));
}

/** The bytes of a block that is its own name; null: it is another one. */
export function inlineBytes(cid: CID): Uint8Array | null {
  return cid.multihash.code === identityCode ? cid.multihash.digest : null;
}

/** For maps. */
export function textOfKey(key: Uint8Array): string {
  return String.fromCharCode(...key);
}

/** What stands beside a payload in its record: zero where its hash can be computed, or its CRC-32C. */
export function checkOf(key: Uint8Array, payload: Uint8Array, hashes: Hashes): number {
  return canHash(key, hashes) ? 0 : crc32c(payload);
}

/**
 * Whether `payload` is what its key says, or at least what was written.
 * @param check as in the record; null: unknown
 * @param sha256 of the payload, where somebody has it already
 */
export function isPayloadOf(
  key: Uint8Array,
  payload: Uint8Array,
  check: number | null,
  hashes: Hashes,
  sha256: Uint8Array | null = null,
): boolean {
  if (sha256 !== null && key[0] === sha256Code && key[1] === 32) return bytesEqual(sha256, key.subarray(2));
  if (!canHash(key, hashes)) return check !== null && crc32c(payload) === check;
  return matchesCid(hashes, cidOfKey(key), payload);
}

function canHash(key: Uint8Array, hashes: Hashes): boolean {
  // Most are SHA-256.
  if (key[0] === sha256Code) return true;
  const { code, size } = decodeMultihash(key);
  return tryDigest(hashes, code, new Uint8Array(0), size) !== null;
}
