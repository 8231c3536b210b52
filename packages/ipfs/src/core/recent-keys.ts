/** The last so many keys that were added: two generations, of which the older is forgotten as a whole. O(1). */
export class RecentKeys {
  readonly #generationCount: number;
  #young = new Set<string>();
  #old = new Set<string>();

  /** @param countMax at most so many are kept, and at least half of them */
  constructor(countMax: number) {
    this.#generationCount = Math.max(1, Math.floor(countMax / 2));
  }

  has(key: string): boolean {
    return this.#young.has(key) || this.#old.has(key);
  }

  add(key: string): void {
    if (this.#young.size >= this.#generationCount) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(key);
  }
}
