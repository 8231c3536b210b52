/** Things by sequence number, in an array that grows to the span in use. Cost: O(1), but when it grows. */
export class UtpRing<Item> {
  #items: (Item | undefined)[] = new Array(16).fill(undefined);
  #mask = 15;

  get(sequence: number): Item | undefined {
    return this.#items[sequence & this.#mask];
  }

  /** @param oldest the lowest number in use; everything in use is less than 2^15 after it */
  set(sequence: number, item: Item, oldest: number): void {
    const span = ((sequence - oldest) & 0xffff) + 1;
    if (span > this.#mask) this.#grow(span, oldest);
    this.#items[sequence & this.#mask] = item;
  }

  /** Removes and returns. */
  take(sequence: number): Item | undefined {
    const item = this.#items[sequence & this.#mask];
    this.#items[sequence & this.#mask] = undefined;
    return item;
  }

  clear(): void {
    this.#items = new Array(16).fill(undefined);
    this.#mask = 15;
  }

  #grow(span: number, oldest: number): void {
    let size = this.#items.length;
    while (size <= span) size *= 2;
    const items = new Array<Item | undefined>(size).fill(undefined);
    for (let i = 0; i < this.#items.length; i++) {
      const sequence = (oldest + i) & 0xffff;
      items[sequence & (size - 1)] = this.#items[sequence & this.#mask];
    }
    this.#items = items;
    this.#mask = size - 1;
  }
}
