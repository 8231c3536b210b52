/** A set of whole numbers from 0 to 2^53, made for many that lie close together: a bit each, in pages. */
const pageBits = 2 ** 16;

export class NumberSet {
  readonly #pages = new Map<number, Uint8Array>();

  has(number: number): boolean {
    const page = this.#pages.get(Math.floor(number / pageBits));
    const bit = number % pageBits;
    return page !== undefined && (page[bit >> 3]! & (1 << (bit & 7))) !== 0;
  }

  /** @returns false when it was in already */
  add(number: number): boolean {
    const index = Math.floor(number / pageBits);
    const bit = number % pageBits;
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = new Uint8Array(pageBits / 8);
      this.#pages.set(index, page);
    }
    const mask = 1 << (bit & 7);
    if ((page[bit >> 3]! & mask) !== 0) return false;
    page[bit >> 3]! |= mask;
    return true;
  }
}
