/** MurmurHash3 of 128 bits for 64-bit machines, seed 0: the hash of names in sharded folders. */

const word = 0xffff_ffff_ffff_ffffn;
const c1 = 0x87c3_7b91_1142_53d5n;
const c2 = 0x4cf5_ad43_2745_937fn;

/** The first half of the hash, big-endian, as folders use it (multicodec `murmur3-x64-64`). */
export function murmur3x64(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wholeBytes = bytes.length & ~15;
  let h1 = 0n;
  let h2 = 0n;
  for (let at = 0; at < wholeBytes; at += 16) {
    h1 ^= mixFirst(view.getBigUint64(at, true));
    h1 = ((turn(h1, 27n) + h2) * 5n + 0x52dc_e729n) & word;
    h2 ^= mixSecond(view.getBigUint64(at + 8, true));
    h2 = ((turn(h2, 31n) + h1) * 5n + 0x3849_5ab5n) & word;
  }
  if (bytes.length > wholeBytes + 8) h2 ^= mixSecond(littleEndian(bytes, wholeBytes + 8, bytes.length));
  if (bytes.length > wholeBytes)
    h1 ^= mixFirst(littleEndian(bytes, wholeBytes, Math.min(wholeBytes + 8, bytes.length)));
  const length = BigInt(bytes.length);
  h1 = ((h1 ^ length) + (h2 ^ length)) & word;
  h2 = ((h2 ^ length) + h1) & word;
  const hash = new Uint8Array(8);
  new DataView(hash.buffer).setBigUint64(0, (finish(h1) + finish(h2)) & word);
  return hash;
}

function mixFirst(value: bigint): bigint {
  return (turn((value * c1) & word, 31n) * c2) & word;
}

function mixSecond(value: bigint): bigint {
  return (turn((value * c2) & word, 33n) * c1) & word;
}

function finish(value: bigint): bigint {
  let hash = value;
  hash = ((hash ^ (hash >> 33n)) * 0xff51_afd7_ed55_8ccdn) & word;
  hash = ((hash ^ (hash >> 33n)) * 0xc4ce_b9fe_1a85_ec53n) & word;
  return hash ^ (hash >> 33n);
}

/** To the left, what falls out comes in again. */
function turn(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & word;
}

function littleEndian(bytes: Uint8Array, from: number, to: number): bigint {
  let value = 0n;
  for (let at = to - 1; at >= from; at--) value = (value << 8n) | BigInt(bytes[at]!);
  return value;
}
