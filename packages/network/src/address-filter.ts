import { addressToBytes, type Fault, failed, type IpAddress, isIpv6, ok, type Result } from '@tequio/kernel';
import { readRanges } from './address-filter-reader.ts';
import { limits } from './limits.ts';

const { rangeCountMax, badLinesShown } = limits.filter;

export type BadLine = { readonly line: number; readonly message: string };

export type AddressFilterFile = {
  readonly filter: AddressFilter;
  /** Lines that could not be read, and are left out. */
  readonly badLineCount: number;
  /** The first of them. */
  readonly badLines: readonly BadLine[];
};

/**
 * Addresses that are neither dialled nor let in, by the user's lists.
 *
 * Two sorted tables of ranges that neither overlap nor touch, IPv4 in 8 bytes a range, IPv6 in 32; found by halving.
 * Half a million ranges take 4 MB and a look-up 0.2 us. A list only ever blocks: what none names passes.
 */
export class AddressFilter {
  /** First and last in turn. */
  readonly #v4: Uint32Array;
  /** First and last in turn, each high half first. */
  readonly #v6: BigUint64Array;

  /** See {@link decodeAddressFilter}. The tables are sorted and joined already. */
  constructor(v4: Uint32Array, v6: BigUint64Array) {
    this.#v4 = v4;
    this.#v6 = v6;
  }

  /** After joining. */
  get rangeCount(): number {
    return this.#v4.length / 2 + this.#v6.length / 4;
  }

  get byteCount(): number {
    return this.#v4.byteLength + this.#v6.byteLength;
  }

  blocks(address: IpAddress): boolean {
    return isIpv6(address) ? this.#blocksV6(address) : this.#blocksV4(address);
  }

  #blocksV4(address: IpAddress): boolean {
    const table = this.#v4;
    const value = numberOf(address);
    let [low, high] = [0, table.length / 2];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (table[2 * middle + 1]! < value) low = middle + 1;
      else high = middle;
    }
    return 2 * low < table.length && table[2 * low]! <= value;
  }

  #blocksV6(address: IpAddress): boolean {
    const table = this.#v6;
    if (table.length === 0) return false;
    const view = new DataView(addressToBytes(address).buffer);
    const [upper, lower] = [view.getBigUint64(0), view.getBigUint64(8)];
    let [low, high] = [0, table.length / 4];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBelow(table[4 * middle + 2]!, table[4 * middle + 3]!, upper, lower)) low = middle + 1;
      else high = middle;
    }
    return 4 * low < table.length && !isBelow(upper, lower, table[4 * low]!, table[4 * low + 1]!);
  }
}

/**
 * Reads a list (see `readRanges` for the formats). Lines that cannot be read are counted and named, and do not spoil
 * the others: lists in use have some. A file without any range is refused: it is something else.
 */
export function decodeAddressFilter(bytes: Uint8Array): Result<AddressFilterFile> {
  const v4 = new V4Ranges();
  const v6: V6Range[] = [];
  const badLines: BadLine[] = [];
  let badLineCount = 0;
  let isTooLong = false;
  readRanges(bytes, {
    addV4: (first, last) => {
      if (v4.count + v6.length < rangeCountMax) v4.add(first, last);
      else isTooLong = true;
    },
    addV6: (first, last) => {
      if (v4.count + v6.length < rangeCountMax) v6.push({ first, last });
      else isTooLong = true;
    },
    refuse: (line, why) => {
      badLineCount++;
      if (badLines.length < badLinesShown) badLines.push({ line, message: sentences[why] });
    },
  });
  if (isTooLong)
    return failed(refusal('TOO_LONG', `The address filter has more than ${rangeCountMax} ranges.`));
  const filter = new AddressFilter(v4.joined(), joinV6(v6));
  if (filter.rangeCount === 0 && badLineCount > 0) {
    const { line, message } = badLines[0]!;
    return failed(
      refusal('UNREADABLE', `The address filter has no range of addresses; line ${line}: ${message}`),
    );
  }
  return ok({ filter, badLineCount, badLines });
}

const sentences = {
  unreadable: 'This is no range of addresses.',
  backwards: 'The range ends before it begins.',
} as const;

function refusal(code: string, message: string): Fault {
  return { code: `FILTER_${code}`, message, blame: 'user', penalty: 0 };
}

type V6Range = { readonly first: bigint; readonly last: bigint };

/** Where in the eight bytes of a pair the more significant half lies: pairs are sorted as numbers of 64 bits. */
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const [firstAt, lastAt] = isLittleEndian ? [1, 0] : [0, 1];

class V4Ranges {
  count = 0;
  #pairs = new Uint32Array(2 * 1024);

  add(first: number, last: number): void {
    if (2 * this.count === this.#pairs.length) {
      const grown = new Uint32Array(2 * this.#pairs.length);
      grown.set(this.#pairs);
      this.#pairs = grown;
    }
    this.#pairs[2 * this.count + firstAt!] = first;
    this.#pairs[2 * this.count + lastAt!] = last;
    this.count++;
  }

  /** First and last in turn, sorted, those that overlap or touch as one. */
  joined(): Uint32Array {
    const pairs = this.#pairs;
    new BigUint64Array(pairs.buffer, 0, this.count).sort();
    let end = 0;
    for (let at = 0; at < 2 * this.count; at += 2) {
      const [first, last] = [pairs[at + firstAt!]!, pairs[at + lastAt!]!];
      if (end > 0 && first <= pairs[end - 1]! + 1) pairs[end - 1] = Math.max(pairs[end - 1]!, last);
      else {
        pairs[end++] = first;
        pairs[end++] = last;
      }
    }
    return pairs.slice(0, end);
  }
}

function joinV6(ranges: V6Range[]): BigUint64Array {
  ranges.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const joined: { first: bigint; last: bigint }[] = [];
  for (const { first, last } of ranges) {
    const before = joined[joined.length - 1];
    if (before === undefined || first > before.last + 1n) joined.push({ first, last });
    else if (last > before.last) before.last = last;
  }
  const table = new BigUint64Array(4 * joined.length);
  for (const [at, { first, last }] of joined.entries()) {
    table.set([first >> 64n, first & 0xffffffffffffffffn, last >> 64n, last & 0xffffffffffffffffn], 4 * at);
  }
  return table;
}

function isBelow(upper: bigint, lower: bigint, thanUpper: bigint, thanLower: bigint): boolean {
  return upper < thanUpper || (upper === thanUpper && lower < thanLower);
}

/** An IPv4 address as a number. */
function numberOf(address: IpAddress): number {
  let [value, part] = [0, 0];
  for (let at = 0; at < address.length; at++) {
    const code = address.charCodeAt(at);
    if (code === 46) {
      value = value * 256 + part;
      part = 0;
    } else part = part * 10 + code - 48;
  }
  return value * 256 + part;
}
