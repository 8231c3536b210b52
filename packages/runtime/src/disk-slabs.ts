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
    if (slab === undefined) slab = { id: this.#nextId++, bytes: new Uint8Array(new SharedArrayBuffer(size)) };
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

function sizeClassOf(bytes: number): number {
  let size = diskLimits.slabBytesMin;
  while (size < bytes) size *= 2;
  return size;
}
