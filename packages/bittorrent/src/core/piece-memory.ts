/**
 * How much memory unfinished pieces may take, over all torrents of the process. Soft: an open piece may always go on
 * (else pieces would wait for each other forever); only opening another one is refused. The requester opens pieces
 * one at a time, so the excess is bounded by the largest piece a peer.
 */
import type { DiskPort, Slab } from '@tequio/kernel';

export type SlabSource = Pick<DiskPort, 'allocateSlab' | 'freeSlab'>;

export class PieceMemory {
  readonly #source: SlabSource;
  readonly bytesMax: number;
  #usedBytes = 0;

  constructor(source: SlabSource, bytesMax: number) {
    this.#source = source;
    this.bytesMax = bytesMax;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  allocate(bytes: number): Slab {
    const slab = this.#source.allocateSlab(bytes);
    this.#usedBytes += slab.bytes.length;
    return slab;
  }

  free(slab: Slab): void {
    this.#usedBytes -= slab.bytes.length;
    this.#source.freeSlab(slab);
  }
}
