/**
 * Connection ids of the UDP tracker (BEP 15) without remembering anybody: a keyed hash of the asker's address and of
 * the period of time. Who can show the id has received it at that address, so nobody can announce for another.
 *
 * The hash is SipHash-2-4 (Aumasson and Bernstein 2012), made for short inputs and secret keys: an attacker who sees
 * ids for his own addresses cannot make one for yours. A period lasts two minutes and ids of the one before are still
 * good, so an id lives two to four minutes; BEP 15 lets clients use it for one.
 * Cost: twelve rounds of 32-bit arithmetic; nothing is allocated.
 */

export const connectionTokenLimits = { periodMs: 120_000 } as const;

/**
 * SipHash-2-4 over 16 bytes of key and messages whose length is a multiple of 8. Its four numbers of 64 bits are pairs
 * of 32-bit words in local variables, which the engine keeps in registers: a quarter of the time that fields take.
 */
export class SipHash {
  readonly #key = new Int32Array(4);

  constructor(key: Uint8Array) {
    for (let i = 0; i < 4; i++) this.#key[i] = readInt32LittleEndian(key, 4 * i);
  }

  /** Writes the 8 bytes of the hash to `out`, low byte first. `length` is a multiple of 8 below 256. */
  hash(message: Uint8Array, length: number, out: Uint8Array): void {
    const [k0, k1, k2, k3] = [this.#key[0]!, this.#key[1]!, this.#key[2]!, this.#key[3]!];
    // Low and high halves of v0 to v3.
    let [a, b] = [k0 ^ 0x70736575, k1 ^ 0x736f6d65];
    let [c, d] = [k2 ^ 0x6e646f6d, k3 ^ 0x646f7261];
    let [e, f] = [k0 ^ 0x6e657261, k1 ^ 0x6c796765];
    let [g, h] = [k2 ^ 0x79746573, k3 ^ 0x74656462];
    // Two rounds a word, the last of which is the length; then four.
    const roundCount = 2 * (length / 8 + 1) + 4;
    let [low, high] = [0, 0];
    for (let round = 0; round < roundCount; round++) {
      const at = round * 4;
      if ((round & 1) === 0 && at <= length) {
        low = at < length ? readInt32LittleEndian(message, at) : 0;
        high = at < length ? readInt32LittleEndian(message, at + 4) : length << 24;
        g ^= low;
        h ^= high;
      } else if (at === length + 8) e ^= 0xff;
      let sum = (a >>> 0) + (c >>> 0);
      b = (b + d + (sum > 0xffffffff ? 1 : 0)) | 0;
      a = sum | 0;
      let t = c;
      c = ((c << 13) | (d >>> 19)) ^ a;
      d = ((d << 13) | (t >>> 19)) ^ b;
      t = a;
      a = b;
      b = t;
      sum = (e >>> 0) + (g >>> 0);
      f = (f + h + (sum > 0xffffffff ? 1 : 0)) | 0;
      e = sum | 0;
      t = g;
      g = ((g << 16) | (h >>> 16)) ^ e;
      h = ((h << 16) | (t >>> 16)) ^ f;
      sum = (a >>> 0) + (g >>> 0);
      b = (b + h + (sum > 0xffffffff ? 1 : 0)) | 0;
      a = sum | 0;
      t = g;
      g = ((g << 21) | (h >>> 11)) ^ a;
      h = ((h << 21) | (t >>> 11)) ^ b;
      sum = (e >>> 0) + (c >>> 0);
      f = (f + d + (sum > 0xffffffff ? 1 : 0)) | 0;
      e = sum | 0;
      t = c;
      c = ((c << 17) | (d >>> 15)) ^ e;
      d = ((d << 17) | (t >>> 15)) ^ f;
      t = e;
      e = f;
      f = t;
      if ((round & 1) === 1 && at <= length + 4) {
        a ^= low;
        b ^= high;
      }
    }
    writeInt32LittleEndian(out, 0, a ^ c ^ e ^ g);
    writeInt32LittleEndian(out, 4, b ^ d ^ f ^ h);
  }
}

/** Makes and checks connection ids. */
export class ConnectionTokens {
  readonly #hash: SipHash;
  /** Address in 16 bytes, period 4, length of the address 4. */
  readonly #message = new Uint8Array(24);
  readonly #scratch = new Uint8Array(8);

  /** @param secret 16 bytes that nobody can guess */
  constructor(secret: Uint8Array) {
    this.#hash = new SipHash(secret);
  }

  /** Writes the id for an address (4 or 16 bytes) to the 8 bytes of `out` at `at`. */
  write(address: Uint8Array, nowMs: number, out: Uint8Array, at: number): void {
    this.#make(address, periodOf(nowMs));
    for (let i = 0; i < 8; i++) out[at + i] = this.#scratch[i]!;
  }

  /** True when `bytes` begin with an id that was given to this address lately. */
  isGood(address: Uint8Array, nowMs: number, bytes: Uint8Array): boolean {
    const period = periodOf(nowMs);
    return this.#isFrom(address, period, bytes) || this.#isFrom(address, period - 1, bytes);
  }

  #isFrom(address: Uint8Array, period: number, bytes: Uint8Array): boolean {
    this.#make(address, period);
    let difference = 0;
    for (let i = 0; i < 8; i++) difference |= this.#scratch[i]! ^ bytes[i]!;
    return difference === 0;
  }

  #make(address: Uint8Array, period: number): void {
    const message = this.#message;
    for (let i = 0; i < 16; i++) message[i] = i < address.length ? address[i]! : 0;
    writeInt32LittleEndian(message, 16, period);
    message[20] = address.length;
    this.#hash.hash(message, 24, this.#scratch);
  }
}

function periodOf(nowMs: number): number {
  return Math.floor(nowMs / connectionTokenLimits.periodMs);
}

function readInt32LittleEndian(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function writeInt32LittleEndian(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
