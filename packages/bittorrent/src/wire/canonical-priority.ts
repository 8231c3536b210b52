/**
 * Canonical peer priority (BEP 40): a number that both ends of a connection compute alike, and that nobody can choose
 * for himself without choosing his network. Higher is better. A node that is full keeps the connections of highest
 * priority: then a swarm that is full has a place for every newcomer somewhere, and whoever wants all places needs
 * addresses in as many networks as all others together.
 *
 *   crc32c(sort(masked ours, masked theirs)); for equal addresses crc32c(sort(port, port))
 *
 * The mask keeps a prefix whole and every other bit of the rest: for IPv4 two bytes, for IPv6 six, and always one byte
 * more than the two addresses have in common.
 */
import { addressToBytes, compareBytes, crc32c, type Endpoint, writeUint16 } from '@tequio/kernel';

/** The priority of the pair, 0 to 2^32 - 1; null for addresses of two families, which have none. */
export function tryCanonicalPriority(one: Endpoint, other: Endpoint): number | null {
  const a = addressToBytes(one.address);
  const b = addressToBytes(other.address);
  if (a.length !== b.length) return null;
  let common = 0;
  while (common < a.length && a[common] === b[common]) common++;
  if (common === a.length) return priorityOfPorts(one.port, other.port);
  const wholeBytes = Math.max(a.length === 4 ? 2 : 6, common + 1);
  for (let i = wholeBytes; i < a.length; i++) {
    a[i]! &= 0x55;
    b[i]! &= 0x55;
  }
  const [low, high] = compareBytes(a, b) <= 0 ? [a, b] : [b, a];
  return crc32c(high, crc32c(low));
}

function priorityOfPorts(one: number, other: number): number {
  const bytes = new Uint8Array(4);
  writeUint16(bytes, 0, Math.min(one, other));
  writeUint16(bytes, 2, Math.max(one, other));
  return crc32c(bytes);
}
