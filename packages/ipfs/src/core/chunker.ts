/**
 * Where a file is cut. The same chunker must cut the same content in the same places everywhere, or its CID differs:
 * all numbers here are those of kubo.
 *
 * A chunker remembers nothing from one chunk to the next. So it can be asked about any place of a buffer, by whoever
 * holds that buffer, as long as a whole chunk or the content's end lies in it.
 */
import { ok, type Result } from '@tequio/kernel';
import { refused } from '../faults.ts';
import { ipfsLimits } from '../limits.ts';
import { buzhashTable } from './buzhash-table.ts';
import { createRabinCut } from './rabin.ts';

export interface Chunker {
  /** As in an option: `size-1048576`. */
  readonly name: string;
  /** The size of each chunk but the last; null: it depends on content. */
  readonly fixedBytes: number | null;
  /** No chunk is larger. */
  readonly chunkBytesMax: number;
  /**
   * The end of the chunk that begins at `from`. There are `chunkBytesMax` bytes before `to`, or `to` is the content's
   * end; `from` is before `to`.
   */
  cut(bytes: Uint8Array, from: number, to: number): number;
}

/** Each chunk of `bytes`, the last of what is left. */
export function fixedChunker(bytes: number): Chunker {
  return {
    name: `size-${bytes}`,
    fixedBytes: bytes,
    chunkBytesMax: bytes,
    cut: (_, from, to) => Math.min(from + bytes, to),
  };
}

const buzhashBytesMin = 128 << 10;
const buzhashBytesMax = 512 << 10;
const buzhashMask = (1 << 17) - 1;
const buzhashWindow = 32;

/** A cut where the hash of the last 32 bytes ends in 17 zero bits. */
export const buzhashChunker: Chunker = {
  name: 'buzhash',
  fixedBytes: null,
  chunkBytesMax: buzhashBytesMax,
  cut(bytes, from, to) {
    const end = Math.min(to, from + buzhashBytesMax);
    let at = from + buzhashBytesMin;
    if (end <= at) return end;
    let hash = 0;
    for (let i = at - buzhashWindow; i < at; i++)
      hash = ((hash << 1) | (hash >>> 31)) ^ buzhashTable[bytes[i]!]!;
    while (at < end && (hash & buzhashMask) !== 0) {
      // The byte that leaves has been turned by 32 bits, which is not at all.
      hash =
        ((hash << 1) | (hash >>> 31)) ^ buzhashTable[bytes[at - buzhashWindow]!]! ^ buzhashTable[bytes[at]!]!;
      at++;
    }
    return at;
  },
};

/** A cut where the fingerprint of the last 16 bytes is a multiple of the largest power of two up to `averageBytes`. */
export function rabinChunker(minBytes: number, averageBytes: number, maxBytes: number): Chunker {
  return {
    name: `rabin-${minBytes}-${averageBytes}-${maxBytes}`,
    fixedBytes: null,
    chunkBytesMax: maxBytes,
    cut: createRabinCut(minBytes, averageBytes, maxBytes),
  };
}

/** 256 KiB. */
const defaultBytes = 1 << 18;

/**
 * By the names that kubo has for them: `default`, `size-BYTES`, `buzhash`, `rabin`, `rabin-AVERAGE`,
 * `rabin-MIN-AVERAGE-MAX` (each number may have its label in front, `min:16384`).
 */
export function parseChunker(text: string): Result<Chunker> {
  if (text === '' || text === 'default') return ok(fixedChunker(defaultBytes));
  if (text === 'buzhash') return ok(buzhashChunker);
  const [name, ...rest] = text.split('-');
  const numbers = rest.map(numberOf);
  if (name === 'size' && numbers.length === 1) return sized(numbers[0]!);
  if (name !== 'rabin' || numbers.length === 2 || numbers.length > 3)
    return unusable(
      `There is no chunker "${text}": say size-BYTES, buzhash, rabin-AVERAGE or rabin-MIN-AVERAGE-MAX.`,
    );
  if (numbers.length === 3) return rabin(numbers[0]!, numbers[1]!, numbers[2]!);
  const average = numbers[0] ?? defaultBytes;
  return rabin(Math.floor(average / 3), average, average + Math.floor(average / 2));
}

function numberOf(text: string): number {
  const digits = /^(?:(?:min|avg|max):)?([0-9]{1,9})$/.exec(text)?.[1];
  return digits === undefined ? Number.NaN : Number(digits);
}

function sized(bytes: number): Result<Chunker> {
  if (bytes >= 1 && bytes <= ipfsLimits.chunkBytesMax) return ok(fixedChunker(bytes));
  return unusable(`The size of chunks is 1 to ${ipfsLimits.chunkBytesMax} bytes.`);
}

function rabin(min: number, average: number, max: number): Result<Chunker> {
  if (min >= 16 && min < average && average < max && max <= ipfsLimits.chunkBytesMax)
    return ok(rabinChunker(min, average, max));
  return unusable(
    `The sizes of a rabin chunker rise from min (at least 16) over average to max (at most ${ipfsLimits.chunkBytesMax}).`,
  );
}

function unusable(message: string): Result<never> {
  return refused('CHUNKER', message);
}
