/** CRC-32C (Castagnoli, RFC 3720 appendix B.4): a checksum, never a proof. */

/** The polynomial 0x1edc6f41 with its bits in reverse. */
const polynomial = 0x82f63b78;

const table = makeTable();

/**
 * The checksum of `bytes`, as an unsigned 32-bit number.
 * @param before the checksum of the bytes in front of these, to go on from
 */
export function crc32c(bytes: Uint8Array, before = 0): number {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

function makeTable(): Uint32Array {
  const entries = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ polynomial;
    entries[byte] = crc;
  }
  return entries;
}
