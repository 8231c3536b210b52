/**
 * The pass over bencoded bytes that makes the table of tokens; see bencode.ts for what is let through and
 * why. It knows where each value begins and ends, and nothing of what it means.
 */
import { type Fault, failed, ok, type Result } from '@tequio/kernel';

export type BencodeLimits = {
  /** Lists and dictionaries inside one another. */
  readonly depthMax: number;
  /** Strings, numbers, lists, dictionaries and keys together. */
  readonly tokenCountMax: number;
  /** Length of the input that is looked at. */
  readonly bytesMax: number;
};

/** Ceilings that hold whatever the caller asks for. */
export const bencodeLimits: BencodeLimits & { readonly digitCountMax: number } = {
  // No known message or file nests deeper than a v2 file tree, whose folders are limited to fewer than this.
  depthMax: 100,
  // A torrent of 375,000 files has about this many; at 12 bytes each the table then takes 36 MB.
  tokenCountMax: 3_000_000,
  // Two million pieces of v1 and v2 together are 104 MB.
  bytesMax: 128 * 1024 * 1024,
  // 2^64 has 20 digits; the rest is room for zeros at the front.
  digitCountMax: 24,
};

/** The bytes that begin and end values. */
export const bencodeBytes = {
  digit0: 48,
  digit9: 57,
  colon: 58,
  minus: 45,
  letterD: 100,
  letterE: 101,
  letterI: 105,
  letterL: 108,
} as const;

const { digit0, digit9, colon, minus, letterD, letterE, letterI, letterL } = bencodeBytes;
/** Int32 numbers a token: first byte, byte after the last, index of the token after this value. */
export const tokenWords = 3;
const int64Min = -(2n ** 63n);
const uint64Max = 2n ** 64n - 1n;

/** Token 0 is the value; keys and values of a dictionary take turns after it. */
export type BencodeTokens = { readonly tokens: Int32Array; readonly byteCount: number };

/** One decoding: a stack of open containers and the token table. */
export class BencodeScanner {
  readonly #bytes: Uint8Array;
  readonly #tokenCountMax: number;
  readonly #open: Int32Array;
  /** For each open dictionary 1 when a key comes next, 2 when a value does; 0 for lists. */
  readonly #expects: Uint8Array;
  #depth = 0;
  #tokens: Int32Array;
  #tokenCount = 0;
  #at = 0;
  #fault: Fault | null = null;

  constructor(bytes: Uint8Array, limits: Partial<BencodeLimits>) {
    const depthMax = Math.min(limits.depthMax ?? bencodeLimits.depthMax, bencodeLimits.depthMax);
    this.#bytes = bytes;
    this.#tokenCountMax = Math.min(limits.tokenCountMax ?? Infinity, bencodeLimits.tokenCountMax);
    this.#open = new Int32Array(depthMax);
    this.#expects = new Uint8Array(depthMax);
    // Messages are small: a token in four bytes is generous, and the table doubles when it is not.
    this.#tokens = new Int32Array(tokenWords * Math.min(1024, (bytes.length >> 2) + 4));
  }

  scan(): Result<BencodeTokens> {
    do {
      if (!this.#step()) return failed(this.#fault!);
    } while (this.#depth > 0);
    const tokens =
      this.#tokens.length > 2 * this.#tokenCount * tokenWords
        ? this.#tokens.slice(0, this.#tokenCount * tokenWords)
        : this.#tokens;
    return ok({ tokens, byteCount: this.#at });
  }

  /** Reads one token, or the end of a container. False: `#fault` says why not. */
  #step(): boolean {
    const first = this.#bytes[this.#at];
    if (first === undefined) return this.#fail('TRUNCATED', 'ends too early');
    const expects = this.#depth === 0 ? 0 : this.#expects[this.#depth - 1]!;
    if (first === letterE && this.#depth > 0)
      return expects === 2 ? this.#fail('SYNTAX', 'has a key without a value') : this.#close();
    const isString = first >= digit0 && first <= digit9;
    if (expects === 1 && !isString) return this.#fail('SYNTAX', 'has a key that is no string');
    if (expects !== 0) this.#expects[this.#depth - 1] = 3 - expects;
    if (isString) return this.#string();
    if (first === letterI) return this.#integer();
    if (first === letterL || first === letterD) return this.#openContainer(first === letterD);
    return this.#fail('SYNTAX', 'has a byte that begins no value');
  }

  #string(): boolean {
    const start = this.#at;
    let length = 0;
    let at = start;
    for (; at - start <= bencodeLimits.digitCountMax; at++) {
      const byte = this.#bytes[at];
      if (byte === undefined) return this.#fail('TRUNCATED', 'ends too early');
      if (byte < digit0 || byte > digit9) break;
      length = length * 10 + byte - digit0;
    }
    if (this.#bytes[at] !== colon) return this.#fail('SYNTAX', 'has a string length without its colon');
    if (length > this.#bytes.length - at - 1)
      return this.#fail('TRUNCATED', 'has a string longer than the rest');
    this.#at = at + 1 + length;
    return this.#add(start, this.#at);
  }

  #integer(): boolean {
    const start = this.#at;
    const firstDigit = this.#bytes[start + 1] === minus ? start + 2 : start + 1;
    let at = firstDigit;
    for (; at - firstDigit <= bencodeLimits.digitCountMax; at++) {
      const byte = this.#bytes[at];
      if (byte === undefined) return this.#fail('TRUNCATED', 'ends too early');
      if (byte < digit0 || byte > digit9) break;
    }
    if (at === firstDigit) return this.#fail('SYNTAX', 'has a number without digits');
    if (at - firstDigit > bencodeLimits.digitCountMax)
      return this.#fail('NUMBER', 'has a number that is too long');
    if (this.#bytes[at] !== letterE) return this.#fail('SYNTAX', 'has a number without its end');
    if (at - firstDigit > 18) {
      const value = BigInt(latin1(this.#bytes, start + 1, at));
      if (value < int64Min || value > uint64Max) return this.#fail('NUMBER', 'has a number beyond 64 bits');
    }
    this.#at = at + 1;
    return this.#add(start, this.#at);
  }

  #openContainer(isDictionary: boolean): boolean {
    if (this.#depth === this.#open.length) return this.#fail('DEPTH', 'is nested too deeply');
    this.#open[this.#depth] = this.#tokenCount;
    this.#expects[this.#depth] = isDictionary ? 1 : 0;
    this.#depth++;
    this.#at++;
    return this.#add(this.#at - 1, 0);
  }

  #close(): boolean {
    this.#depth--;
    this.#at++;
    const at = this.#open[this.#depth]! * tokenWords;
    this.#tokens[at + 1] = this.#at;
    this.#tokens[at + 2] = this.#tokenCount;
    return true;
  }

  #add(start: number, end: number): boolean {
    if (this.#tokenCount >= this.#tokenCountMax) return this.#fail('TOKENS', 'has too many values');
    let at = this.#tokenCount * tokenWords;
    if (at === this.#tokens.length) {
      const grown = new Int32Array(at * 2);
      grown.set(this.#tokens);
      this.#tokens = grown;
    }
    this.#tokens[at++] = start;
    this.#tokens[at++] = end;
    this.#tokens[at] = ++this.#tokenCount;
    return true;
  }

  #fail(code: string, what: string): false {
    this.#fault = bencodeFault(code, what, this.#at);
    return false;
  }
}

/** The refusal of bencoded data. Without blame: the caller knows whose bytes they were. */
export function bencodeFault(code: string, what: string, at: number): Fault {
  return {
    code: `BITTORRENT_BENCODE_${code}`,
    message: `The bencoded data ${what} (byte ${at}).`,
    blame: 'none',
    penalty: 0,
  };
}

/** Bytes as a text of one character each. */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}
