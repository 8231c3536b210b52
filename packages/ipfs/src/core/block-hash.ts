/** Whether a block is what its CID says: with this every byte from outside is checked before it is used. */

import { blake2b, blake2s } from '@noble/hashes/blake2.js';
import { blake3 } from '@noble/hashes/blake3.js';
import { sha384, sha512 } from '@noble/hashes/sha2.js';
import {
  keccak_224,
  keccak_256,
  keccak_384,
  keccak_512,
  sha3_224,
  sha3_256,
  sha3_384,
  sha3_512,
} from '@noble/hashes/sha3.js';
import { bytesEqual, type Hashes } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { ipfsLimits } from '../limits.ts';

/** Multicodec numbers of hashes, by name. Nothing else is trusted to name a block. */
export const hashCodes: ReadonlyMap<string, number> = new Map([
  ['identity', 0x00],
  ['sha1', 0x11],
  ['sha2-256', 0x12],
  ['sha2-512', 0x13],
  ['sha3-512', 0x14],
  ['sha3-384', 0x15],
  ['sha3-256', 0x16],
  ['sha3-224', 0x17],
  ['keccak-224', 0x1a],
  ['keccak-256', 0x1b],
  ['keccak-384', 0x1c],
  ['keccak-512', 0x1d],
  ['blake3', 0x1e],
  ['sha2-384', 0x20],
  ['dbl-sha2-256', 0x56],
  ['blake2b-256', 0xb220],
  ['blake2b-512', 0xb240],
  ['blake2s-256', 0xb260],
]);

/** BLAKE2 with digests of 1 to 64 (b) or 32 (s) bytes have numbers in a row; nobody should rely on less than 20. */
const blake2bFirst = 0xb201;
const blake2sFirst = 0xb241;
const digestBytesMin = 20;

/**
 * The hash of `bytes`, or null when the function is unknown or too weak.
 * @param digestBytes wanted, of those that can be of any length
 */
export function tryDigest(
  hashes: Hashes,
  code: number,
  bytes: Uint8Array,
  digestBytes: number,
): Uint8Array | null {
  if (code === 0x12) return hashes.sha256(bytes);
  const hash = otherHashes.get(code);
  if (hash !== undefined) return hash(bytes, hashes, digestBytes);
  if (code >= blake2bFirst + digestBytesMin - 1 && code < blake2bFirst + 64)
    return blake2b(bytes, { dkLen: code - blake2bFirst + 1 });
  if (code >= blake2sFirst + digestBytesMin - 1 && code < blake2sFirst + 32)
    return blake2s(bytes, { dkLen: code - blake2sFirst + 1 });
  return null;
}

type Hash = (bytes: Uint8Array, hashes: Hashes, digestBytes: number) => Uint8Array | null;

const otherHashes: ReadonlyMap<number, Hash> = new Map<number, Hash>([
  [0x00, (bytes) => (bytes.length <= ipfsLimits.identityBytesMax ? bytes : null)],
  [0x11, (bytes, hashes) => hashes.sha1(bytes)],
  [0x13, (bytes) => sha512(bytes)],
  [0x14, (bytes) => sha3_512(bytes)],
  [0x15, (bytes) => sha3_384(bytes)],
  [0x16, (bytes) => sha3_256(bytes)],
  [0x17, (bytes) => sha3_224(bytes)],
  [0x1a, (bytes) => keccak_224(bytes)],
  [0x1b, (bytes) => keccak_256(bytes)],
  [0x1c, (bytes) => keccak_384(bytes)],
  [0x1d, (bytes) => keccak_512(bytes)],
  [
    0x1e,
    (bytes, _, digestBytes) =>
      digestBytes >= digestBytesMin && digestBytes <= 128 ? blake3(bytes, { dkLen: digestBytes }) : null,
  ],
  [0x20, (bytes) => sha384(bytes)],
  [0x56, (bytes, hashes) => hashes.sha256(hashes.sha256(bytes))],
]);

/** False too when the CID's hash is one that nobody should rely on. */
export function matchesCid(hashes: Hashes, cid: CID, bytes: Uint8Array): boolean {
  const { code, digest } = cid.multihash;
  const found = tryDigest(hashes, code, bytes, digest.length);
  if (found === null || digest.length > found.length) return false;
  // A digest may be cut short, but not to where it says little.
  if (digest.length < found.length && digest.length < digestBytesMin) return false;
  return bytesEqual(found.subarray(0, digest.length), digest);
}
