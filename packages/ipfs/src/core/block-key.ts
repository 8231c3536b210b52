/** A block's name in the store: the multihash of its CID. The same bytes under CIDs of two codecs are one block. */
import { bytesEqual, crc32c, type Hashes } from '@tequio/kernel';
import { CID } from 'multiformats/cid';
import { decode as decodeMultihash } from 'multiformats/hashes/digest';

const identityCode = 0x00;
const sha1Code = 0x11;
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
export function checkOf(key: Uint8Array, payload: Uint8Array): number {
  return canHash(key[0]!) ? 0 : crc32c(payload);
}

/** Whether `payload` is what its key says, or at least what was written. @param check as in the record; null: unknown */
export function isPayloadOf(
  key: Uint8Array,
  payload: Uint8Array,
  check: number | null,
  hashes: Hashes,
): boolean {
  const code = key[0]!;
  if (!canHash(code)) return check !== null && crc32c(payload) === check;
  const digest = code === sha256Code ? hashes.sha256(payload) : hashes.sha1(payload);
  const wanted = key.subarray(2);
  return wanted.length <= digest.length && bytesEqual(digest.subarray(0, wanted.length), wanted);
}

function canHash(code: number): boolean {
  return code === sha256Code || code === sha1Code;
}
