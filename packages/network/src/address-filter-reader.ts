/**
 * Lists of addresses that a user wants nothing to do with, one range a line, as they go round:
 *
 *   P2P (PeerGuardian)   Some Company:1.2.3.0-1.2.3.255
 *   DAT (eMule)          001.002.003.000 - 001.002.003.255 , 100 , Some Company     levels above 127 are not blocked
 *   CIDR                 1.2.3.0/24, 2001:db8::/32, or a single address, with a comment after # or ; if any
 *
 * Each line is read by itself, so a file may mix them. Leading zeros are decimal: that is how DAT files pad. IPv4 lines
 * are read byte by byte, without a string for each: half a million take about a tenth of a second.
 */
import { decodeUtf8Lossy, tryAddressToBytes } from '@tequio/kernel';

/** Told of what each line says. Numbers of lines begin with 1. */
export interface RangeSink {
  addV4(first: number, last: number): void;
  /** 128 bits each. */
  addV6(first: bigint, last: bigint): void;
  /** A line that is neither range, comment nor empty. */
  refuse(line: number, why: 'unreadable' | 'backwards'): void;
}

const [tab, space, hash, comma, minus, slash, zero, nine, colon, semicolon] = [
  9, 32, 35, 44, 45, 47, 48, 57, 58, 59,
];
const newLine = 10;
const carriageReturn = 13;
/** From this on, eMule lets a range through. */
const levelAllowed = 128;
/** Longer lines are no ranges: a name has some dozens of characters. */
const lineBytesMax = 1000;

/** Reads the lines of a whole file. */
export function readRanges(bytes: Uint8Array, sink: RangeSink): void {
  const reader = new LineReader(bytes, sink);
  let line = 1;
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  while (at < bytes.length) {
    let end = bytes.indexOf(newLine, at);
    if (end < 0) end = bytes.length;
    reader.read(at, end, line);
    at = end + 1;
    line++;
  }
}

class LineReader {
  readonly #bytes: Uint8Array;
  readonly #sink: RangeSink;
  /** The place behind what was read last; -1: it could not be read. */
  #at = 0;
  #end = 0;

  constructor(bytes: Uint8Array, sink: RangeSink) {
    this.#bytes = bytes;
    this.#sink = sink;
  }

  read(from: number, to: number, line: number): void {
    const bytes = this.#bytes;
    let [start, end] = [from, to];
    while (start < end && isBlank(bytes[start]!)) start++;
    while (start < end && isBlank(bytes[end - 1]!)) end--;
    if (start === end || bytes[start] === hash || bytes[start] === semicolon) return;
    if (bytes[start] === slash && bytes[start + 1] === slash) return;
    this.#end = end;
    const verdict =
      end - start > lineBytesMax
        ? 'unreadable'
        : (this.#readPlain(start) ?? this.#readNamed(start) ?? this.#readAny(start));
    if (verdict !== 'read') this.#sink.refuse(line, verdict);
  }

  /** DAT or CIDR over IPv4; null: it is something else. */
  #readPlain(start: number): 'read' | 'backwards' | null {
    const bytes = this.#bytes;
    const first = this.#readAddress(start);
    if (first < 0) return null;
    if (bytes[this.#at] === slash) {
      const bits = this.#readNumber(this.#at + 1, 32);
      if (bits < 0 || !this.#isOver(this.#at)) return null;
      const size = 2 ** (32 - bits);
      const base = first - (first % size);
      this.#sink.addV4(base, base + size - 1);
      return 'read';
    }
    if (this.#isOver(this.#at)) return this.#add(first, first);
    const dash = this.#skipBlanks(this.#at);
    if (bytes[dash] !== minus) return null;
    const last = this.#readAddress(this.#skipBlanks(dash + 1));
    if (last < 0) return null;
    const rest = this.#skipBlanks(this.#at);
    if (rest < this.#end && bytes[rest] === comma) {
      const level = this.#readNumber(this.#skipBlanks(rest + 1), 999);
      if (level >= levelAllowed) return 'read';
    } else if (!this.#isOver(rest)) return null;
    return this.#add(first, last);
  }

  /** P2P over IPv4: what follows the last colon. */
  #readNamed(start: number): 'read' | 'backwards' | null {
    const at = this.#bytes.lastIndexOf(colon, this.#end - 1);
    if (at < start) return null;
    const first = this.#readAddress(this.#skipBlanks(at + 1));
    if (first < 0) return null;
    const dash = this.#skipBlanks(this.#at);
    if (this.#bytes[dash] !== minus) return null;
    const last = this.#readAddress(this.#skipBlanks(dash + 1));
    return last < 0 || this.#at !== this.#end ? null : this.#add(first, last);
  }

  /** Everything with IPv6 in it: rare, so by text. */
  #readAny(start: number): 'read' | 'backwards' | 'unreadable' {
    const text = decodeUtf8Lossy(this.#bytes.subarray(start, this.#end));
    const bare = text.replace(/\s*[#;].*$/s, '');
    const network = /^(\S+)\/(\d{1,3})$/.exec(bare);
    if (network !== null) {
      const [address, bits] = [tryV6(network[1]!), Number(network[2])];
      if (address === null || bits > 128) return 'unreadable';
      const mask = (1n << BigInt(128 - bits)) - 1n;
      this.#sink.addV6(address & ~mask, address | mask);
      return 'read';
    }
    const [range, level] = /^([^,]*-[^,]*?)\s*,\s*(\d+)?/.exec(bare)?.slice(1) ?? [bare];
    const dash = range!.lastIndexOf('-');
    const last = tryV6(range!.slice(dash + 1).trim());
    const first = dash < 0 ? last : tryV6Behind(range!.slice(0, dash).trim());
    if (first === null || last === null) return 'unreadable';
    if (level !== undefined && Number(level) >= levelAllowed) return 'read';
    if (first > last) return 'backwards';
    this.#sink.addV6(first, last);
    return 'read';
  }

  #add(first: number, last: number): 'read' | 'backwards' {
    if (first > last) return 'backwards';
    this.#sink.addV4(first, last);
    return 'read';
  }

  /** Four numbers with dots; -1: there are none. */
  #readAddress(from: number): number {
    let value = 0;
    let at = from;
    for (let part = 0; part < 4; part++) {
      if (part > 0 && this.#bytes[at++] !== 46) return -1;
      const number = this.#readNumber(at, 255);
      if (number < 0) return -1;
      at = this.#at;
      value = value * 256 + number;
    }
    return value;
  }

  /** One to three digits; -1: none, or more than `max`. */
  #readNumber(from: number, max: number): number {
    let value = 0;
    let at = from;
    while (at < this.#end && at < from + 3 && this.#bytes[at]! >= zero && this.#bytes[at]! <= nine) {
      value = value * 10 + this.#bytes[at]! - zero;
      at++;
    }
    this.#at = at;
    return at === from || value > max ? -1 : value;
  }

  #skipBlanks(from: number): number {
    let at = from;
    while (at < this.#end && isBlank(this.#bytes[at]!)) at++;
    return at;
  }

  /** Nothing follows but a comment. */
  #isOver(from: number): boolean {
    const at = this.#skipBlanks(from);
    return at >= this.#end || this.#bytes[at] === hash || this.#bytes[at] === semicolon;
  }
}

function isBlank(byte: number): boolean {
  return byte === space || byte === tab || byte === carriageReturn;
}

function tryV6(text: string): bigint | null {
  const bytes = text.includes(':') && !text.includes('%') ? tryAddressToBytes(text) : null;
  if (bytes === null || bytes.length !== 16) return null;
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** The address, or the one behind a name and a colon. */
function tryV6Behind(text: string): bigint | null {
  for (let at = 0; ; at++) {
    const address = tryV6(text.slice(at).trim());
    if (address !== null) return address;
    const next = text.indexOf(':', at);
    if (next < 0) return null;
    at = next;
  }
}
