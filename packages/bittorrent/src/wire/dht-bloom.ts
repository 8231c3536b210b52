/**
 * The bloom filters of a DHT scrape (BEP 33): 256 bytes, two bits an address, so that the addresses which many nodes
 * have stored can be counted once each.
 */
import type { Hashes } from '@tequio/kernel';

export const bloomBytes = 256;
const bitCount = bloomBytes * 8;

/** Sets the address's two bits. @param address 4 or 16 bytes */
export function insertIntoBloom(bloom: Uint8Array, address: Uint8Array, hashes: Hashes): void {
  const digest = hashes.sha1(address);
  for (const at of [0, 2]) {
    const bit = (digest[at]! | (digest[at + 1]! << 8)) % bitCount;
    bloom[bit >> 3]! |= 1 << (bit & 7);
  }
}

/** Adds everything that is in `other`. */
export function mergeBloom(bloom: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < bloomBytes; i++) bloom[i]! |= other[i]!;
}

/** How many addresses are probably in it; it stops telling more apart at about 7,800. */
export function estimateBloom(bloom: Uint8Array): number {
  let zeroCount = 0;
  for (const byte of bloom) for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) === 0) zeroCount++;
  if (zeroCount === bitCount) return 0;
  const zeros = Math.max(1, zeroCount);
  return Math.log(zeros / bitCount) / (2 * Math.log(1 - 1 / bitCount));
}
