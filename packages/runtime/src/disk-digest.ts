/** The digests of one job, over its bytes as they pass by; native hashes, nothing is copied but the results. */
import { createHash, hash } from 'node:crypto';
import type { DiskDigests } from '@tequio/kernel';
import { DiskFailure } from './disk-fault.ts';
import { digestBlockBytes, diskLimits, type OrderedDigest, textOf } from './disk-messages.ts';

type HashStream = ReturnType<typeof createHash>;

/** SHA-1 over several jobs, by the key that the jobs name. */
export class HashStreams {
  readonly #streams = new Map<number, HashStream>();

  /** The stream that a part belongs to; a first part starts it anew. @throws DiskFailure when it is not open */
  take(key: number, part: 'first' | 'middle' | 'last'): HashStream {
    if (part === 'first') {
      this.#streams.delete(key);
      if (this.#streams.size >= diskLimits.streamCountMax) this.#dropOldest();
      const stream = createHash('sha1');
      this.#streams.set(key, stream);
      return stream;
    }
    const stream = this.#streams.get(key);
    if (stream === undefined) {
      throw new DiskFailure('io', 'An earlier part of the same piece failed: it must start anew.', null);
    }
    return stream;
  }

  end(key: number): void {
    this.#streams.delete(key);
  }

  #dropOldest(): void {
    for (const key of this.#streams.keys()) {
      this.#streams.delete(key);
      return;
    }
  }
}

/**
 * Digests of one job. Give it the job's bytes in order: all chunks but the last are whole 16 KiB blocks.
 * The merkle tree covers the first `treeBytes` only: padding at the end of a piece is no part of its file (BEP 52).
 */
export class JobDigest {
  readonly #request: OrderedDigest;
  readonly #bytes: number;
  readonly #treeBytes: number;
  readonly #stream: HashStream | null;
  readonly #blocks: Uint8Array | null;
  readonly #leaves: Uint8Array | null;
  readonly #wantsSha1: boolean;
  readonly #ranges: RangeDigests | null;
  #own: HashStream | null = null;
  #sha1: Uint8Array | null = null;
  #at = 0;

  constructor(request: OrderedDigest, bytes: number, treeBytes: number, streams: HashStreams) {
    this.#request = request;
    this.#bytes = bytes;
    this.#treeBytes = treeBytes;
    this.#wantsSha1 = request.sha1 || (request.expect?.sha1 ?? null) !== null;
    const stream = request.stream;
    this.#stream = this.#wantsSha1 && stream !== null ? streams.take(stream.key, stream.part) : null;
    const blockCount = Math.ceil(bytes / digestBlockBytes);
    this.#blocks = request.sha1Blocks === true ? new Uint8Array(20 * blockCount) : null;
    const leafCount = Math.ceil(treeBytes / digestBlockBytes);
    this.#leaves = request.merkle === null ? null : new Uint8Array(32 * leafCount);
    this.#ranges = request.sha256Ranges === undefined ? null : new RangeDigests(request.sha256Ranges);
  }

  update(chunk: Uint8Array): void {
    if (this.#wantsSha1) this.#updateSha1(chunk);
    if (this.#blocks !== null) hashBlocks('sha1', chunk, this.#blocks, this.#at);
    const treeRest = this.#treeBytes - this.#at;
    if (this.#leaves !== null && treeRest > 0) {
      hashBlocks(
        'sha256',
        treeRest < chunk.length ? chunk.subarray(0, treeRest) : chunk,
        this.#leaves,
        this.#at,
      );
    }
    this.#ranges?.update(chunk, this.#at);
    this.#at += chunk.length;
  }

  /** After the last byte. */
  finish(): DiskDigests {
    const { merkle, stream, expect } = this.#request;
    const ends = stream === null || stream.part === 'last';
    if (this.#wantsSha1 && ends && this.#sha1 === null) {
      this.#sha1 = ownBytes((this.#stream ?? this.#own ?? createHash('sha1')).digest());
    }
    const root = this.#leaves === null ? null : merkleRoot(this.#leaves, merkle!.leafCount);
    const sha1Matches = expect === null || expect.sha1 === null || !ends || same(expect.sha1, this.#sha1);
    const rootMatches = expect === null || expect.root === null || same(expect.root, root);
    return {
      sha1: this.#sha1,
      sha1Blocks: this.#blocks,
      leaves: this.#leaves,
      root,
      matched: sha1Matches && rootMatches,
      ...(this.#ranges === null ? null : { sha256: this.#ranges.digests }),
    };
  }

  #updateSha1(chunk: Uint8Array): void {
    if (this.#stream !== null) this.#stream.update(chunk);
    else if (chunk.length === this.#bytes) this.#sha1 = ownBytes(hash('sha1', chunk, 'buffer'));
    else {
      this.#own ??= createHash('sha1');
      this.#own.update(chunk);
    }
  }
}

/** SHA-256 of ranges that rise without overlap; one that lies in a single chunk is hashed in one call. */
class RangeDigests {
  readonly digests: Uint8Array;
  readonly #ranges: readonly number[];
  #next = 0;
  #open: HashStream | null = null;

  constructor(ranges: readonly number[]) {
    this.#ranges = ranges;
    this.digests = new Uint8Array(16 * ranges.length);
  }

  /** @param at place of the chunk's first byte in the job */
  update(chunk: Uint8Array, at: number): void {
    const chunkEnd = at + chunk.length;
    while (this.#next < this.#ranges.length) {
      const [from, to] = [this.#ranges[this.#next]!, this.#ranges[this.#next + 1]!];
      if (from > chunkEnd || (from === chunkEnd && to > from)) return;
      const part = chunk.subarray(Math.max(0, from - at), Math.max(0, to - at));
      if (to > chunkEnd) {
        this.#open ??= createHash('sha256');
        this.#open.update(part);
        return;
      }
      const digest = this.#open === null ? hash('sha256', part, 'buffer') : this.#open.update(part).digest();
      this.digests.set(digest, 16 * this.#next);
      this.#open = null;
      this.#next += 2;
    }
  }
}

/** Hashes of the 16 KiB blocks of `chunk`, which starts at byte `at` of the job, to their places in `out`. */
function hashBlocks(algorithm: 'sha1' | 'sha256', chunk: Uint8Array, out: Uint8Array, at: number): void {
  const hashBytes = algorithm === 'sha1' ? 20 : 32;
  let place = (at / digestBlockBytes) * hashBytes;
  for (let from = 0; from < chunk.length; from += digestBlockBytes) {
    out.set(hash(algorithm, chunk.subarray(from, from + digestBlockBytes), 'buffer'), place);
    place += hashBytes;
  }
}

const zeroSubtrees: Uint8Array[] = [new Uint8Array(32)];

/** Hash of a tree of height `level` whose leaves are all zero hashes. */
function zeroSubtree(level: number): Uint8Array {
  for (let i = zeroSubtrees.length; i <= level; i++) {
    const pair = new Uint8Array(64);
    pair.set(zeroSubtrees[i - 1]!);
    pair.set(zeroSubtrees[i - 1]!, 32);
    zeroSubtrees.push(ownBytes(hash('sha256', pair, 'buffer')));
  }
  return zeroSubtrees[level]!;
}

/** Root over `leaves` (32 bytes each), padded with zero hashes to `leafCount`, a power of two not below their count. */
export function merkleRoot(leaves: Uint8Array, leafCount: number): Uint8Array {
  const height = Math.log2(leafCount);
  if (!Number.isInteger(height) || leaves.length > 32 * leafCount) {
    throw new RangeError(`${leaves.length / 32} leaves do not fit a tree of ${leafCount}`);
  }
  if (leaves.length === 0) return zeroSubtree(height).slice();
  let count = leaves.length / 32;
  const nodes = new Uint8Array(32 * (count + 1));
  nodes.set(leaves);
  for (let level = 0; level < height; level++) {
    if (count % 2 === 1) nodes.set(zeroSubtree(level), 32 * count++);
    for (let i = 0; i < count; i += 2) {
      nodes.set(hash('sha256', nodes.subarray(32 * i, 32 * i + 64), 'buffer'), 16 * i);
    }
    count /= 2;
  }
  return nodes.slice(0, 32);
}

/** The same bytes in a buffer of just their length, so that sending them copies no more. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function same(expected: string, found: Uint8Array | null): boolean {
  return found !== null && textOf(found) === expected;
}
