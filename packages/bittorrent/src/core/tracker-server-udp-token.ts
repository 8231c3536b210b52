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

/** SipHash-2-4 over 16 bytes of key and messages whose length is a multiple of 8. State as pairs of 32-bit words. */
export class SipHash {
  readonly #key = new Int32Array(4);
  /** v0 low, v0 high, v1 low, ... v3 high. */
  readonly #v = new Int32Array(8);

  constructor(key: Uint8Array) {
    for (let i = 0; i < 4; i++) this.#key[i] = readInt32LittleEndian(key, 4 * i);
  }

  /** Writes the 8 bytes of the hash to `out`, low byte first. `length` is a multiple of 8 below 256. */
  hash(message: Uint8Array, length: number, out: Uint8Array): void {
    const v = this.#v;
    const k = this.#key;
    v[0] = k[0]! ^ 0x70736575;
    v[1] = k[1]! ^ 0x736f6d65;
    v[2] = k[2]! ^ 0x6e646f6d;
    v[3] = k[3]! ^ 0x646f7261;
    v[4] = k[0]! ^ 0x6e657261;
    v[5] = k[1]! ^ 0x6c796765;
    v[6] = k[2]! ^ 0x79746573;
    v[7] = k[3]! ^ 0x74656462;
    for (let at = 0; at < length; at += 8)
      this.#compress(readInt32LittleEndian(message, at), readInt32LittleEndian(message, at + 4));
    this.#compress(0, length << 24);
    v[4] = v[4]! ^ 0xff;
    for (let round = 0; round < 4; round++) this.#round();
    writeInt32LittleEndian(out, 0, v[0]! ^ v[2]! ^ v[4]! ^ v[6]!);
    writeInt32LittleEndian(out, 4, v[1]! ^ v[3]! ^ v[5]! ^ v[7]!);
  }

  #compress(low: number, high: number): void {
    this.#v[6]! ^= low;
    this.#v[7]! ^= high;
    this.#round();
    this.#round();
    this.#v[0]! ^= low;
    this.#v[1]! ^= high;
  }

  #round(): void {
    const v = this.#v;
    this.#add(0, 2);
    rotate(v, 2, 13);
    v[2]! ^= v[0]!;
    v[3]! ^= v[1]!;
    swapHalves(v, 0);
    this.#add(4, 6);
    rotate(v, 6, 16);
    v[6]! ^= v[4]!;
    v[7]! ^= v[5]!;
    this.#add(0, 6);
    rotate(v, 6, 21);
    v[6]! ^= v[0]!;
    v[7]! ^= v[1]!;
    this.#add(4, 2);
    rotate(v, 2, 17);
    v[2]! ^= v[4]!;
    v[3]! ^= v[5]!;
    swapHalves(v, 4);
  }

  /** 64-bit v[a] += v[b]. */
  #add(a: number, b: number): void {
    const v = this.#v;
    const low = (v[a]! >>> 0) + (v[b]! >>> 0);
    v[a] = low;
    v[a + 1] = v[a + 1]! + v[b + 1]! + (low > 0xffffffff ? 1 : 0);
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

/** 64-bit rotation to the left by 1 to 31 bits. */
function rotate(v: Int32Array, at: number, bits: number): void {
  const [low, high] = [v[at]!, v[at + 1]!];
  v[at] = (low << bits) | (high >>> (32 - bits));
  v[at + 1] = (high << bits) | (low >>> (32 - bits));
}

/** 64-bit rotation by 32 bits. */
function swapHalves(v: Int32Array, at: number): void {
  const low = v[at]!;
  v[at] = v[at + 1]!;
  v[at + 1] = low;
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
