/**
 * How much memory unfinished pieces may take, over all torrents of the process. Soft: an open piece may always go on
 * (else pieces would wait for each other forever); only opening another one is refused. The requester opens pieces
 * one at a time, so the excess is bounded by the largest piece a peer.
 *
 * Memory counts from when it is promised, and is taken when its first bytes come: with a deep window of requests most
 * of what is promised is still empty. So few slabs are in use, again and again, and stay in the processor's cache
 * between copy, hash and write.
 */
import type { DiskPort, Slab } from '@tequio/kernel';

export type SlabSource = Pick<DiskPort, 'allocateSlab' | 'freeSlab'>;

export class PieceMemory {
  readonly source: SlabSource;
  readonly bytesMax: number;
  #usedBytes = 0;

  constructor(source: SlabSource, bytesMax: number) {
    this.source = source;
    this.bytesMax = bytesMax;
  }

  /** Bytes that are promised or taken. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** A promise of `bytes`, until it is freed. */
  reserve(bytes: number): ReservedSlab {
    return new ReservedSlab(this, bytes);
  }

  /** A promise was made, is kept with a slab of another size, or is over. */
  count(bytes: number): void {
    this.#usedBytes += bytes;
  }
}

/** promised -> taken -> freed */
export class ReservedSlab {
  readonly #memory: PieceMemory;
  #bytes: number;
  #slab: Slab | null = null;

  constructor(memory: PieceMemory, bytes: number) {
    this.#memory = memory;
    this.#bytes = bytes;
    memory.count(bytes);
  }

  /** promised -> taken. Its content is arbitrary at first. */
  take(): Slab {
    if (this.#slab !== null) return this.#slab;
    const slab = this.#memory.source.allocateSlab(this.#bytes);
    this.#memory.count(slab.bytes.length - this.#bytes);
    this.#bytes = slab.bytes.length;
    this.#slab = slab;
    return slab;
  }

  /** promised or taken -> freed */
  free(): void {
    this.#memory.count(-this.#bytes);
    this.#bytes = 0;
    if (this.#slab !== null) this.#memory.source.freeSlab(this.#slab);
    this.#slab = null;
  }
}
