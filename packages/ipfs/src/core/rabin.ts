/**
 * Rabin fingerprints: the last 16 bytes, read as a polynomial over GF(2), modulo an irreducible one of degree 53.
 * Numbers of 61 bits are kept as two halves, the upper of 29 bits; a table holds the halves of a number side by side.
 */

const polynomial = 17437180132763653n;
const degree = 53n;
const windowBytes = 16;

type RabinTables = {
  /** What a byte has become when it leaves the window. */
  readonly out: Int32Array;
  /** What the 8 bits above the degree are equal to below it, and those bits themselves, so that one XOR does both. */
  readonly mod: Int32Array;
};

let tables: RabinTables | null = null;

/** See `Chunker.cut`. */
export function createRabinCut(
  minBytes: number,
  averageBytes: number,
  maxBytes: number,
): (bytes: Uint8Array, from: number, to: number) => number {
  tables ??= makeTables();
  const { out, mod } = tables;
  const mask = 2 ** Math.floor(Math.log2(averageBytes)) - 1;
  const window = new Uint8Array(windowBytes);
  return (bytes, from, to) => {
    const end = Math.min(to, from + maxBytes);
    const firstCut = from + minBytes;
    window.fill(0);
    window[0] = 1;
    let place = 1;
    let high = 0;
    let low = 1;
    for (let at = firstCut - windowBytes; at < end; ) {
      const byte = bytes[at++]!;
      const leaving = 2 * window[place]!;
      window[place] = byte;
      place = (place + 1) & (windowBytes - 1);
      high ^= out[leaving]!;
      low ^= out[leaving + 1]!;
      const top = 2 * (high >>> 13);
      high = ((high << 8) | (low >>> 24)) ^ mod[top]!;
      low = ((low << 8) | byte) ^ mod[top + 1]!;
      if (at >= firstCut && (low & mask) === 0) return at;
    }
    return end;
  };
}

function makeTables(): RabinTables {
  const out = new Int32Array(512);
  const mod = new Int32Array(512);
  for (let byte = 0; byte < 256; byte++) {
    setHalves(out, byte, remainder(BigInt(byte) << BigInt(8 * (windowBytes - 1))));
    const above = BigInt(byte) << degree;
    setHalves(mod, byte, remainder(above) | above);
  }
  return { out, mod };
}

function setHalves(table: Int32Array, index: number, value: bigint): void {
  table[2 * index] = Number(value >> 32n);
  table[2 * index + 1] = Number(BigInt.asIntN(32, value));
}

/** Modulo the polynomial: what is left when every power from its degree on is taken away. */
function remainder(value: bigint): bigint {
  let rest = value;
  for (let bits = rest.toString(2).length; bits > Number(degree); bits = rest.toString(2).length)
    rest ^= polynomial << BigInt(bits - 1 - Number(degree));
  return rest;
}
