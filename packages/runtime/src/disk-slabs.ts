/** Shared memory for job data, in powers of two; freed slabs are used again, up to a limit. Ids start at 1. */
import { assert, type Slab } from '@tequio/kernel';
import { diskLimits } from './disk-messages.ts';

export class SlabPool {
  readonly #free = new Map<number, Slab[]>();
  readonly #used = new Set<number>();
  #freeBytes = 0;
  #nextId = 1;

  allocate(bytes: number): Slab {
    const size = sizeClassOf(bytes);
    let slab = this.#free.get(size)?.pop();
    if (slab === undefined) slab = new SharedSlab(this.#nextId++, size);
    else this.#freeBytes -= size;
    this.#used.add(slab.id);
    return slab;
  }

  /** True when it is kept to be used again; false when nobody needs its memory any more. */
  free(slab: Slab): boolean {
    assert(this.#used.delete(slab.id), 'a slab is freed once');
    const size = slab.bytes.length;
    if (this.#freeBytes + size > diskLimits.freeSlabBytesMax) return false;
    this.#freeBytes += size;
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [slab]);
    else list.push(slab);
    return true;
  }
}

/**
 * `Uint8Array.set` into shared memory goes word by word, so that another thread never sees half a word: three times
 * slower than a plain copy. Nobody else looks at a slab while it is being filled, so it is filled by a plain copy.
 */
class SharedSlab implements Slab {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly #buffer: Buffer;

  constructor(id: number, size: number) {
    const memory = new SharedArrayBuffer(size);
    this.id = id;
    this.bytes = new Uint8Array(memory);
    this.#buffer = Buffer.from(memory);
  }

  copyFrom(source: Uint8Array, from: number, to: number, at: number): void {
    copyInto.call(source, this.#buffer, at, from, to);
  }
}

const copyInto = Buffer.prototype.copy;

function sizeClassOf(bytes: number): number {
  let size = diskLimits.slabBytesMin;
  while (size < bytes) size *= 2;
  return size;
}
