/**
 * Recently read runs of pieces, shared by all torrents and peers, so that one read serves sixteen requests and fifty
 * downloaders. An extent is 256 KiB of a piece, aligned, or less at its end.
 *
 *   absent -> loading (one job, any number of waiting peers) -> ready -> evicted, least recently used first
 *
 * An extent whose bytes are on their way out (`userCount` > 0) is never evicted or freed; `forget` marks it stale and
 * the last user's release frees it. Memory: `bytesMax`, and up to twice that while slow peers hold extents; past that
 * no extent is loaded until one is released.
 */
import type { Slab } from '@tequio/kernel';
import type { SlabSource } from './piece-memory.ts';

export const readExtentBytes = 1 << 18;

export type ReadExtent = {
  readonly owner: number;
  readonly piece: number;
  /** First byte within the piece. */
  readonly offset: number;
  readonly bytes: number;
  readonly slab: Slab;
  readonly jobId: number;
  isReady: boolean;
  isStale: boolean;
  userCount: number;
  /** Peers that wait for it. */
  readonly waiting: Set<number>;
};

export class ReadCache {
  readonly #source: SlabSource;
  readonly #bytesMax: number;
  /** In order of last use. Keys: owner, piece and extent as text of small numbers. */
  readonly #extents = new Map<string, ReadExtent>();
  #usedBytes = 0;

  constructor(source: SlabSource, bytesMax: number) {
    this.#source = source;
    this.#bytesMax = bytesMax;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The extent, now the most recently used one, or null. */
  tryGet(owner: number, piece: number, offset: number): ReadExtent | null {
    const key = keyOf(owner, piece, offset);
    const extent = this.#extents.get(key);
    if (extent === undefined) return null;
    this.#extents.delete(key);
    this.#extents.set(key, extent);
    return extent;
  }

  /** Pieces of an owner of which something is here, the last used first, at most so many. */
  recentPieces(owner: number, countMax: number): number[] {
    const pieces: number[] = [];
    const extents = [...this.#extents.values()];
    for (let at = extents.length - 1; at >= 0 && pieces.length < countMax; at--) {
      const extent = extents[at]!;
      const isHere = extent.owner === owner && extent.isReady;
      if (isHere && pieces.at(-1) !== extent.piece && !pieces.includes(extent.piece))
        pieces.push(extent.piece);
    }
    return pieces;
  }

  /** absent -> loading; null when there is no memory for it now. */
  tryOpen(owner: number, piece: number, offset: number, bytes: number, jobId: number): ReadExtent | null {
    if (this.#usedBytes + bytes > this.#bytesMax) this.#evict(this.#usedBytes + bytes - this.#bytesMax);
    if (this.#usedBytes + bytes > 2 * this.#bytesMax) return null;
    const slab = this.#source.allocateSlab(bytes);
    this.#usedBytes += slab.bytes.length;
    const extent: ReadExtent = {
      owner,
      piece,
      offset,
      bytes,
      slab,
      jobId,
      isReady: false,
      isStale: false,
      userCount: 0,
      waiting: new Set(),
    };
    this.#extents.set(keyOf(owner, piece, offset), extent);
    return extent;
  }

  markReady(extent: ReadExtent): void {
    extent.isReady = true;
    if (extent.isStale) this.#freeIfUnused(extent);
  }

  /** loading -> absent: the read failed. */
  drop(extent: ReadExtent): void {
    extent.isReady = true;
    this.#remove(extent);
  }

  use(extent: ReadExtent): void {
    extent.userCount++;
  }

  release(extent: ReadExtent): void {
    extent.userCount--;
    if (extent.isStale) this.#freeIfUnused(extent);
  }

  /** Forgets what an owner has here; of one piece alone when it is given (its bytes on disk have changed). */
  forget(owner: number, piece: number | null = null): void {
    for (const extent of [...this.#extents.values()]) {
      if (extent.owner === owner && (piece === null || extent.piece === piece)) this.#remove(extent);
    }
  }

  #evict(bytes: number): void {
    let left = bytes;
    for (const extent of this.#extents.values()) {
      if (left <= 0) return;
      if (!extent.isReady || extent.userCount > 0) continue;
      left -= extent.slab.bytes.length;
      this.#remove(extent);
    }
  }

  #remove(extent: ReadExtent): void {
    const key = keyOf(extent.owner, extent.piece, extent.offset);
    // One that was forgotten while it was read may have a successor in its place.
    if (this.#extents.get(key) === extent) this.#extents.delete(key);
    extent.isStale = true;
    this.#freeIfUnused(extent);
  }

  #freeIfUnused(extent: ReadExtent): void {
    if (extent.userCount > 0 || !extent.isReady) return;
    this.#usedBytes -= extent.slab.bytes.length;
    this.#source.freeSlab(extent.slab);
    extent.isReady = false;
  }
}

function keyOf(owner: number, piece: number, offset: number): string {
  return `${owner}:${piece}:${offset}`;
}
