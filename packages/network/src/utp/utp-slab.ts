/**
 * Memory for datagrams: cut off one large piece after the other, each byte used once, so that a datagram can be given
 * away to the system for good. A piece is freed when nothing cut off it is in use. Cheaper by far than an allocation
 * for each, whose bytes lie outside the heap.
 */
const slabBytes = 256 * 1024;

export class UtpSlab {
  #slab = new Uint8Array(0);
  #at = 0;

  take(length: number): Uint8Array {
    if (this.#at + length > this.#slab.length) {
      this.#slab = new Uint8Array(Math.max(slabBytes, length));
      this.#at = 0;
    }
    const bytes = this.#slab.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }
}
