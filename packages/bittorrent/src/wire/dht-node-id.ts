/**
 * Ids of the DHT: 160-bit numbers, big-endian (BEP 5), near or far by XOR; and the rule that ties a node's id to its
 * address (BEP 42), so that nobody can choose many ids near one target without having many addresses.
 */

/** Bytes of a node id and of a target. */
export const nodeIdBytes = 20;

/** -1 when `a` is nearer to `target` than `b`, 1 when it is farther, 0 when they are the same id. */
export function compareDistance(a: Uint8Array, b: Uint8Array, target: Uint8Array): -1 | 0 | 1 {
  for (let i = 0; i < nodeIdBytes; i++) {
    if (a[i] === b[i]) continue;
    return (a[i]! ^ target[i]!) < (b[i]! ^ target[i]!) ? -1 : 1;
  }
  return 0;
}

/** An id as the key of a Map. */
export function idKey(b: Uint8Array): string {
  // One call with as many arguments is the soonest way to a string that hashes at once.
  // biome-ignore format: in the order of the bytes
  return String.fromCharCode(
    b[0]!, b[1]!, b[2]!, b[3]!, b[4]!, b[5]!, b[6]!, b[7]!, b[8]!, b[9]!,
    b[10]!, b[11]!, b[12]!, b[13]!, b[14]!, b[15]!, b[16]!, b[17]!, b[18]!, b[19]!,
  );
}

/** Leading bits that two ids have in common: 0 to 160. */
export function sharedPrefixBits(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < nodeIdBytes; i++) {
    const difference = a[i]! ^ b[i]!;
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24;
  }
  return nodeIdBytes * 8;
}

/** The bits of an address that count, one mask byte an address byte (BEP 42); IPv6 by its first half. */
const masks = {
  ipv4: Uint8Array.of(0x03, 0x0f, 0x3f, 0xff),
  ipv6: Uint8Array.of(0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff),
};

/**
 * An id that fits the address (BEP 42). @param address 4 or 16 bytes
 * @param random 20 bytes; those that the address does not fix become the id's
 */
export function secureNodeId(address: Uint8Array, random: Uint8Array): Uint8Array {
  const id = random.slice(0, nodeIdBytes);
  const crc = addressChecksum(address, id[nodeIdBytes - 1]! & 7);
  id[0] = crc >>> 24;
  id[1] = crc >>> 16;
  id[2] = ((crc >>> 8) & 0xf8) | (id[2]! & 7);
  return id;
}

/** True when the id fits the address, 4 or 16 bytes. Addresses of local networks are for the caller to exempt. */
export function isSecureNodeId(id: Uint8Array, address: Uint8Array): boolean {
  const crc = addressChecksum(address, id[nodeIdBytes - 1]! & 7);
  return id[0] === crc >>> 24 && id[1] === ((crc >>> 16) & 0xff) && ((id[2]! ^ (crc >>> 8)) & 0xf8) === 0;
}

function addressChecksum(address: Uint8Array, salt: number): number {
  const mask = address.length === 4 ? masks.ipv4 : masks.ipv6;
  let crc = 0xffffffff;
  for (let i = 0; i < mask.length; i++) {
    const byte = (address[i]! & mask[i]!) | (i === 0 ? salt << 5 : 0);
    crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** CRC-32C (Castagnoli): the reversed polynomial 0x82f63b78. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});
