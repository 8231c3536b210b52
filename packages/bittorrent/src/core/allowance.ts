/** So many at once, and so many a minute: what is over that is refused (a token bucket). Cost: O(1), no timer. */
export class Allowance {
  readonly #burst: number;
  readonly #perMs: number;
  #left: number;
  #atMs: number | null = null;

  constructor(limits: { readonly burst: number; readonly perMinute: number }) {
    this.#burst = limits.burst;
    this.#perMs = limits.perMinute / 60_000;
    this.#left = limits.burst;
  }

  /** Takes one, or says false. */
  tryTake(nowMs: number): boolean {
    if (this.#atMs !== null && nowMs > this.#atMs)
      this.#left = Math.min(this.#burst, this.#left + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = Math.max(nowMs, this.#atMs ?? nowMs);
    // A hair's breadth of tolerance, for the sum of many small fractions.
    if (this.#left < 1 - 1e-6) return false;
    this.#left--;
    return true;
  }
}
