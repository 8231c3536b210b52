/**
 * Bencode (BEP 3): the encoding of torrent files, of tracker answers, of the DHT and of extension messages.
 *
 * The decoder makes one pass with its own stack and writes a flat table of tokens (first byte, end, next
 * sibling); nothing else is made until somebody asks. A value is a small window onto that table, so a torrent
 * of a million pieces costs one token for its hashes, and the bytes of any value can be hashed or copied
 * exactly as they stood.
 *
 * Attackers send deep nesting (a recursive reader overflows its stack), giant lengths (an eager reader
 * allocates them) and millions of two-byte tokens. So: depth, tokens and bytes have ceilings, a string's
 * length is compared with the bytes that are really there, and the table grows with the input, by at most 12
 * bytes for each byte read.
 *
 * What is let through, because other programs write it and every reader takes the same value from it: zeros
 * at the front of numbers and lengths, `-0`, keys out of order, keys that occur twice (the first one counts).
 * Who needs order asks `isSorted()`. What is not: numbers without digits or beyond 64 bits, keys that are not
 * strings.
 */
import {
  assert,
  bytesEqual,
  compareBytes,
  encodeUtf8,
  failed,
  ok,
  type Result,
  tryDecodeUtf8,
} from '@tequio/kernel';
import {
  type BencodeLimits,
  BencodeScanner,
  bencodeBytes,
  bencodeFault,
  bencodeLimits,
  latin1,
  tokenWords,
} from './bencode-scanner.ts';

export { type BencodeLimits, bencodeLimits };

const { digit0, digit9, colon, minus, letterD, letterI, letterL } = bencodeBytes;
/** Numbers of so many digits are exact. */
const safeDigitCount = 15;

export type BencodeKind = 'integer' | 'string' | 'list' | 'dictionary';

/** The source and its token table; shared by all values of one decoding. */
type BencodeDocument = { readonly bytes: Uint8Array; readonly tokens: Int32Array };

/**
 * One value of a decoded document. It borrows the source: when those bytes are going to change, copy what you
 * keep. The `try…` readers return null when the value is of another kind; on a dictionary `get…` does the
 * same for a key that is absent. Keys are given as ASCII (or Latin-1) text and compared byte by byte.
 */
export class BencodeValue {
  readonly #document: BencodeDocument;
  readonly #token: number;

  constructor(document: BencodeDocument, token: number) {
    this.#document = document;
    this.#token = token;
  }

  get kind(): BencodeKind {
    const first = this.#document.bytes[this.start]!;
    if (first === letterD) return 'dictionary';
    if (first === letterL) return 'list';
    return first === letterI ? 'integer' : 'string';
  }

  /** First byte of this value in the source. */
  get start(): number {
    return this.#document.tokens[this.#token * tokenWords]!;
  }

  /** Byte after the last of this value in the source. */
  get end(): number {
    return this.#document.tokens[this.#token * tokenWords + 1]!;
  }

  /** The encoding as it stood: a view of the source. */
  get raw(): Uint8Array {
    return this.#document.bytes.subarray(this.start, this.end);
  }

  /** An integer that a number holds exactly. */
  tryInteger(): number | null {
    const { bytes } = this.#document;
    const [start, end] = [this.start, this.end];
    if (bytes[start] !== letterI) return null;
    if (end - start - 2 > safeDigitCount) {
      const big = this.tryBigint();
      const near = Number(big);
      return big !== null && Number.isSafeInteger(near) ? near : null;
    }
    const negative = bytes[start + 1] === minus;
    let value = 0;
    for (let at = start + (negative ? 2 : 1); at < end - 1; at++) value = value * 10 + bytes[at]! - digit0;
    return negative && value !== 0 ? -value : value;
  }

  /** Any integer from -2^63 to 2^64 - 1. */
  tryBigint(): bigint | null {
    return this.kind === 'integer'
      ? BigInt(latin1(this.#document.bytes, this.start + 1, this.end - 1))
      : null;
  }

  /** The bytes of a string: a view of the source. */
  tryBytes(): Uint8Array | null {
    const from = this.#payloadStart();
    return from < 0 ? null : this.#document.bytes.subarray(from, this.end);
  }

  /** A string that is valid UTF-8. */
  tryText(): string | null {
    const bytes = this.tryBytes();
    return bytes === null ? null : (tryAsciiText(bytes) ?? tryDecodeUtf8(bytes));
  }

  /** The values of a list. */
  tryItems(): BencodeValue[] | null {
    if (this.kind !== 'list') return null;
    const items: BencodeValue[] = [];
    const { tokens } = this.#document;
    const last = tokens[this.#token * tokenWords + 2]!;
    for (let token = this.#token + 1; token < last; token = tokens[token * tokenWords + 2]!)
      items.push(new BencodeValue(this.#document, token));
    return items;
  }

  /** The entries of a dictionary as they stood, doubles included. */
  tryEntries(): { readonly key: Uint8Array; readonly value: BencodeValue }[] | null {
    if (this.kind !== 'dictionary') return null;
    const entries: { key: Uint8Array; value: BencodeValue }[] = [];
    const { tokens } = this.#document;
    const last = tokens[this.#token * tokenWords + 2]!;
    for (let token = this.#token + 1; token < last; token = tokens[(token + 1) * tokenWords + 2]!)
      entries.push({
        key: new BencodeValue(this.#document, token).tryBytes()!,
        value: new BencodeValue(this.#document, token + 1),
      });
    return entries;
  }

  /**
   * The first value under `key`, or null when there is none or this is no dictionary. Time: the number of
   * keys.
   */
  get(key: string): BencodeValue | null {
    if (this.kind !== 'dictionary') return null;
    const { bytes, tokens } = this.#document;
    const last = tokens[this.#token * tokenWords + 2]!;
    for (let token = this.#token + 1; token < last; token = tokens[(token + 1) * tokenWords + 2]!) {
      const end = tokens[token * tokenWords + 1]!;
      const from = end - key.length;
      // What is before the text must be the colon, or the text is only the end of a longer key.
      if (from <= tokens[token * tokenWords]! || bytes[from - 1] !== colon) continue;
      if (keyStandsAt(bytes, from, key) && payloadStart(bytes, tokens[token * tokenWords]!, end) === from)
        return new BencodeValue(this.#document, token + 1);
    }
    return null;
  }

  getInteger(key: string): number | null {
    return this.get(key)?.tryInteger() ?? null;
  }

  getBytes(key: string): Uint8Array | null {
    return this.get(key)?.tryBytes() ?? null;
  }

  getText(key: string): string | null {
    return this.get(key)?.tryText() ?? null;
  }

  getItems(key: string): BencodeValue[] | null {
    return this.get(key)?.tryItems() ?? null;
  }

  getDictionary(key: string): BencodeValue | null {
    const value = this.get(key);
    return value?.kind === 'dictionary' ? value : null;
  }

  /**
   * True for a dictionary whose keys rise strictly, as BEP 3 asks: no key out of order, none twice. Not its
   * children.
   */
  isSorted(): boolean {
    const entries = this.tryEntries();
    if (entries === null) return false;
    for (let i = 1; i < entries.length; i++)
      if (compareBytes(entries[i - 1]!.key, entries[i]!.key) !== -1) return false;
    return true;
  }

  #payloadStart(): number {
    return payloadStart(this.#document.bytes, this.start, this.end);
  }
}

/** A value and what came after it. */
export type BencodePrefix = { readonly value: BencodeValue; readonly byteCount: number };

/**
 * Decodes all of `bytes`; anything after the value is a fault. Faults carry no blame: the caller knows whose
 * bytes they were. @param limits lower ceilings than {@link bencodeLimits}
 */
export function decodeBencode(bytes: Uint8Array, limits: Partial<BencodeLimits> = {}): Result<BencodeValue> {
  const prefix = decodeBencodePrefix(bytes, limits);
  if (!prefix.ok) return prefix;
  const { value, byteCount } = prefix.value;
  return byteCount === bytes.length
    ? ok(value)
    : failed(bencodeFault('TRAILING', 'goes on after its end', byteCount));
}

/** Decodes the value that `bytes` begin with and says how many bytes it took (BEP 9: a payload follows). */
export function decodeBencodePrefix(
  bytes: Uint8Array,
  limits: Partial<BencodeLimits> = {},
): Result<BencodePrefix> {
  if (bytes.length > Math.min(limits.bytesMax ?? Number.POSITIVE_INFINITY, bencodeLimits.bytesMax))
    return failed(bencodeFault('BYTES', 'is longer than allowed', bytes.length));
  const scanned = new BencodeScanner(bytes, limits).scan();
  if (!scanned.ok) return scanned;
  const { tokens, byteCount } = scanned.value;
  return ok({ value: new BencodeValue({ bytes, tokens }, 0), byteCount });
}

/**
 * Place of a string's first byte after its colon, or -1 when no string begins at `start`. Looks no further
 * than `end`, so that a value whose source has been overwritten gives nonsense and not an endless loop.
 */
function payloadStart(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start]!;
  if (first < digit0 || first > digit9) return -1;
  let at = start + 1;
  while (at < end && bytes[at] !== colon) at++;
  return Math.min(at + 1, end);
}

function keyStandsAt(bytes: Uint8Array, from: number, key: string): boolean {
  for (let i = 0; i < key.length; i++) if (bytes[from + i] !== key.charCodeAt(i)) return false;
  return true;
}

/** A short text of ASCII only; TextDecoder costs more than it does for those. */
function tryAsciiText(bytes: Uint8Array): string | null {
  if (bytes.length > 32) return null;
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 127) return null;
  return latin1(bytes, 0, bytes.length);
}

/**
 * Bytes that are bencode already and go into the output as they are: a kept `info`, an unknown key's value.
 */
export class BencodeRaw {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

/**
 * What can be encoded. Texts become UTF-8; numbers are safe integers. A dictionary is an object with text
 * keys, or a Map where keys may be bytes and come from strangers (`__proto__`). Entries that are `undefined`
 * are left out.
 */
export type BencodeInput =
  | number
  | bigint
  | string
  | Uint8Array
  | BencodeRaw
  | BencodeValue
  | readonly BencodeInput[]
  | ReadonlyMap<string | Uint8Array, BencodeInput | undefined>
  | { readonly [key: string]: BencodeInput | undefined };

/** Canonical bencode: keys sorted by their bytes. Two equal keys are a broken promise of the caller's. */
export function encodeBencode(input: BencodeInput): Uint8Array {
  const writer = new BencodeWriter();
  writer.value(input);
  return writer.bytes();
}

class BencodeWriter {
  #buffer = new Uint8Array(256);
  #length = 0;

  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  value(input: BencodeInput): void {
    if (typeof input === 'string') this.#string(encodeUtf8(input));
    else if (typeof input === 'number' || typeof input === 'bigint') this.#integer(input);
    else if (input instanceof Uint8Array) this.#string(input);
    else if (input instanceof BencodeRaw) this.#append(input.bytes);
    else if (input instanceof BencodeValue) this.#append(input.raw);
    else if (isList(input)) this.#list(input);
    else this.#dictionary(input instanceof Map ? [...input.entries()] : Object.entries(input));
  }

  #integer(value: number | bigint): void {
    assert(typeof value === 'bigint' || Number.isSafeInteger(value), `${value} is an integer`);
    this.#ascii(`i${value}e`);
  }

  #string(bytes: Uint8Array): void {
    this.#ascii(`${bytes.length}:`);
    this.#append(bytes);
  }

  #list(items: readonly BencodeInput[]): void {
    this.#ascii('l');
    for (const item of items) this.value(item);
    this.#ascii('e');
  }

  #dictionary(entries: readonly (readonly [string | Uint8Array, BencodeInput | undefined])[]): void {
    const sorted: { key: Uint8Array; value: BencodeInput }[] = [];
    for (const [key, value] of entries)
      if (value !== undefined) sorted.push({ key: typeof key === 'string' ? encodeUtf8(key) : key, value });
    sorted.sort((a, b) => compareBytes(a.key, b.key));
    this.#ascii('d');
    sorted.forEach((entry, i) => {
      assert(i === 0 || !bytesEqual(entry.key, sorted[i - 1]!.key), 'keys of a dictionary differ');
      this.#string(entry.key);
      this.value(entry.value);
    });
    this.#ascii('e');
  }

  #ascii(text: string): void {
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#buffer[this.#length++] = text.charCodeAt(i);
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/** `Array.isArray` does not narrow a readonly array out of a union. */
function isList(input: object): input is readonly BencodeInput[] {
  return Array.isArray(input);
}
