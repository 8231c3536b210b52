/**
 * A fixed number of bits, the first one the highest bit of the first byte (BEP 3, "bitfield"). Bits past `bitCount`
 * in the last byte are always zero. `setCount` is kept, so `isFull` and `isEmpty` cost nothing.
 */
export class Bitfield {
  readonly bitCount: number;
  readonly bytes: Uint8Array;
  #setCount = 0;

  constructor(bitCount: number) {
    this.bitCount = bitCount;
    this.bytes = new Uint8Array(byteCountOf(bitCount));
  }

  /** All bits set. */
  static full(bitCount: number): Bitfield {
    const field = new Bitfield(bitCount);
    field.setAll();
    return field;
  }

  /** A copy of `bytes`, or null when their length is wrong or a spare bit at the end is set. */
  static tryFromBytes(bytes: Uint8Array, bitCount: number): Bitfield | null {
    if (bytes.length !== byteCountOf(bitCount)) return null;
    const spareBits = bytes.length * 8 - bitCount;
    if (spareBits > 0 && (bytes[bytes.length - 1]! & ((1 << spareBits) - 1)) !== 0) return null;
    const field = new Bitfield(bitCount);
    field.bytes.set(bytes);
    field.#recount();
    return field;
  }

  get setCount(): number {
    return this.#setCount;
  }

  get isFull(): boolean {
    return this.#setCount === this.bitCount;
  }

  get isEmpty(): boolean {
    return this.#setCount === 0;
  }

  /** False for an index outside the field. */
  has(index: number): boolean {
    return index >= 0 && index < this.bitCount && (this.bytes[index >> 3]! & (0x80 >> (index & 7))) !== 0;
  }

  /** Sets the bit; true when it was clear. */
  set(index: number): boolean {
    if (index < 0 || index >= this.bitCount) throw new RangeError(`bit ${index} of ${this.bitCount}`);
    const mask = 0x80 >> (index & 7);
    if ((this.bytes[index >> 3]! & mask) !== 0) return false;
    this.bytes[index >> 3]! |= mask;
    this.#setCount++;
    return true;
  }

  /** Clears the bit; true when it was set. */
  clear(index: number): boolean {
    if (!this.has(index)) return false;
    this.bytes[index >> 3]! &= ~(0x80 >> (index & 7));
    this.#setCount--;
    return true;
  }

  setAll(): void {
    this.bytes.fill(0xff);
    const spareBits = this.bytes.length * 8 - this.bitCount;
    if (spareBits > 0) this.bytes[this.bytes.length - 1] = 0xff << spareBits;
    this.#setCount = this.bitCount;
  }

  clearAll(): void {
    this.bytes.fill(0);
    this.#setCount = 0;
  }

  /** The first set bit at or after `from`, or -1. */
  nextSet(from: number): number {
    for (let index = Math.max(0, from); index < this.bitCount; ) {
      const rest = this.bytes[index >> 3]! & (0xff >> (index & 7));
      if (rest !== 0) return (index & ~7) + Math.clz32(rest) - 24;
      index = (index | 7) + 1;
    }
    return -1;
  }

  /** The first clear bit at or after `from`, or -1. */
  nextClear(from: number): number {
    for (let index = Math.max(0, from); index < this.bitCount; ) {
      const rest = ~this.bytes[index >> 3]! & (0xff >> (index & 7));
      if (rest !== 0) {
        const found = (index & ~7) + Math.clz32(rest) - 24;
        return found < this.bitCount ? found : -1;
      }
      index = (index | 7) + 1;
    }
    return -1;
  }

  clone(): Bitfield {
    const copy = new Bitfield(this.bitCount);
    copy.bytes.set(this.bytes);
    copy.#setCount = this.#setCount;
    return copy;
  }

  #recount(): void {
    let count = 0;
    for (let byte of this.bytes) {
      byte -= (byte >> 1) & 0x55;
      byte = (byte & 0x33) + ((byte >> 2) & 0x33);
      count += (byte + (byte >> 4)) & 0x0f;
    }
    this.#setCount = count;
  }
}

/** Bytes that hold `bitCount` bits. */
export function byteCountOf(bitCount: number): number {
  return Math.ceil(bitCount / 8);
}
