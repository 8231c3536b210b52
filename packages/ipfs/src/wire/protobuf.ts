/**
 * Protocol Buffers, the few parts of it that IPFS uses: varints, byte strings and fixed numbers.
 *
 * The reader is a cursor over borrowed bytes: no object a field, nothing allocated that a length field alone asks for.
 * It is total: whatever the bytes are, `next` ends, and `ok` says whether they were a message.
 */
import { encodeUtf8 } from '@tequio/kernel';

export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Varints of so many bytes are the longest: 64 bits. */
const varintBytesMax = 10;

/**
 * ```
 * const reader = new ProtobufReader(bytes);
 * while (reader.next()) if (reader.isBytes(2)) links.push(reader.bytes());
 * if (!reader.ok) return fault;
 * ```
 */
export class ProtobufReader {
  readonly #source: Uint8Array;
  readonly #end: number;
  #at: number;
  #field = 0;
  #type = -1;
  /** Of the field that is under the cursor: its value's bytes. */
  #from = 0;
  #to = 0;
  #ok = true;

  /** Reads `source[from, to)`. */
  constructor(source: Uint8Array, from = 0, to = source.length) {
    this.#source = source;
    this.#at = from;
    this.#end = to;
  }

  /** Whether all that was read until now was well-formed, and nothing was refused. */
  get ok(): boolean {
    return this.#ok;
  }

  /** Number of the field under the cursor. */
  get field(): number {
    return this.#field;
  }

  get wireType(): number {
    return this.#type;
  }

  /** Place of the value in the source: of a byte string, its bytes without the length. */
  get from(): number {
    return this.#from;
  }

  get to(): number {
    return this.#to;
  }

  /** Moves to the next field; false at the end, and when what follows is no field. */
  next(): boolean {
    if (!this.#ok || this.#at >= this.#end) return false;
    const tag = this.#varint();
    if (tag === null || tag > 0xffffffff) return this.refuse();
    this.#field = Math.floor(tag / 8);
    this.#type = tag % 8;
    if (this.#field === 0) return this.refuse();
    return this.#readValue();
  }

  /** Marks the message as not acceptable: reading ends. Always false. */
  refuse(): false {
    this.#ok = false;
    return false;
  }

  isVarint(field: number): boolean {
    return this.#field === field && this.#type === wireTypes.varint;
  }

  isBytes(field: number): boolean {
    return this.#field === field && this.#type === wireTypes.bytes;
  }

  isFixed32(field: number): boolean {
    return this.#field === field && this.#type === wireTypes.fixed32;
  }

  /** A view of the source. */
  bytes(): Uint8Array {
    return this.#source.subarray(this.#from, this.#to);
  }

  /** A reader of the message in this field. */
  message(): ProtobufReader {
    return new ProtobufReader(this.#source, this.#from, this.#to);
  }

  /** An unsigned number; beyond 2^53 - 1 the message is refused (and this is 0). */
  uint(): number {
    const value = varintAt(this.#source, this.#from, this.#to);
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    this.#ok = false;
    return 0;
  }

  /** The low 32 bits of a varint, unsigned: what other readers take from an enum, a bool or an int32. */
  uint32(): number {
    return Number(BigInt.asUintN(32, this.uint64()));
  }

  uint64(): bigint {
    let value = 0n;
    for (let at = this.#from, shift = 0n; at < this.#to; at++, shift += 7n)
      value |= BigInt(this.#source[at]! & 0x7f) << shift;
    return BigInt.asUintN(64, value);
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  /** Little-endian. */
  fixed32(): number {
    const at = this.#from;
    const bytes = this.#source;
    return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }

  #readValue(): boolean {
    const start = this.#at;
    if (this.#type === wireTypes.varint) {
      if (this.#varint() === null) return this.refuse();
      this.#from = start;
      this.#to = this.#at;
      return true;
    }
    let length: number | null;
    if (this.#type === wireTypes.bytes) length = this.#varint();
    else if (this.#type === wireTypes.fixed32) length = 4;
    else if (this.#type === wireTypes.fixed64) length = 8;
    else return this.refuse();
    if (length === null || length > this.#end - this.#at) return this.refuse();
    this.#from = this.#at;
    this.#at += length;
    this.#to = this.#at;
    return true;
  }

  /** Null when there is none: cut short, or of more than 64 bits. Large ones lose their low bits. */
  #varint(): number | null {
    const start = this.#at;
    const end = Math.min(this.#end, start + varintBytesMax);
    let at = start;
    while (at < end && this.#source[at]! >= 0x80) at++;
    if (at >= end || (at - start === varintBytesMax - 1 && this.#source[at]! > 1)) return null;
    this.#at = at + 1;
    return varintAt(this.#source, start, this.#at);
  }
}

/** Of a varint that lies in `[from, to)`. */
function varintAt(bytes: Uint8Array, from: number, to: number): number {
  if (to - from <= 4) {
    let value = 0;
    for (let at = to - 1; at >= from; at--) value = (value << 7) | (bytes[at]! & 0x7f);
    return value;
  }
  let value = 0;
  for (let at = to - 1; at >= from; at--) value = value * 128 + (bytes[at]! & 0x7f);
  return value;
}

/** Bytes that `value` takes as a varint. */
export function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) count++;
  return count;
}

/** Writes `value`, a safe integer of 0 or more, at `at` and returns the place after it. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= 128) {
    target[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
}

/** Fields, one after the other, in the order in which they are given. */
export class ProtobufWriter {
  #buffer: Uint8Array;
  #length = 0;

  /** @param sizeHint bytes that will be written, if known: then nothing is copied twice */
  constructor(sizeHint = 128) {
    this.#buffer = new Uint8Array(sizeHint);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written; a view, when it fills the buffer for at least a half. */
  finish(): Uint8Array {
    return this.#length * 2 > this.#buffer.length
      ? this.#buffer.subarray(0, this.#length)
      : this.#buffer.slice(0, this.#length);
  }

  /** An unsigned safe integer. */
  uint(field: number, value: number): this {
    this.#reserve(20);
    this.#length = writeVarint(this.#buffer, this.#tag(field, wireTypes.varint), value);
    return this;
  }

  int64(field: number, value: bigint): this {
    this.#reserve(20);
    let at = this.#tag(field, wireTypes.varint);
    let rest = BigInt.asUintN(64, value);
    while (rest >= 128n) {
      this.#buffer[at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[at++] = Number(rest);
    this.#length = at;
    return this;
  }

  fixed32(field: number, value: number): this {
    this.#reserve(14);
    const at = this.#tag(field, wireTypes.fixed32);
    for (let i = 0; i < 4; i++) this.#buffer[at + i] = value >>> (8 * i);
    this.#length = at + 4;
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#reserve(20 + value.length);
    const at = writeVarint(this.#buffer, this.#tag(field, wireTypes.bytes), value.length);
    this.#buffer.set(value, at);
    this.#length = at + value.length;
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, encodeUtf8(value));
  }

  /** Writes the tag and moves nothing: the place after it. */
  #tag(field: number, type: number): number {
    return writeVarint(this.#buffer, this.#length, field * 8 + type);
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
