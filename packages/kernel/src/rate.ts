/** A rate over less time than this would be noise. */
const warmUpMs = 500;

/**
 * Bytes a second over the last few seconds: an exponential average with a time constant, exact for any spacing of
 * samples, so nothing has to tick. The average is over the time since the first byte where that is shorter than the
 * constant. Invariant: a steady flow of R bytes/s reads as R from half a second on.
 */
export class RateMeter {
  readonly #constantMs: number;
  #perMs = 0;
  #firstMs = 0;
  #lastMs: number | null = null;
  #totalBytes = 0;

  constructor(constantMs = 5000) {
    this.#constantMs = constantMs;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  add(bytes: number, nowMs: number): void {
    if (this.#lastMs === null) this.#firstMs = nowMs;
    this.#decay(nowMs);
    this.#perMs += bytes / this.#constantMs;
    this.#totalBytes += bytes;
  }

  /** Bytes per second now. */
  bytesPerSecond(nowMs: number): number {
    this.#decay(nowMs);
    if (this.#perMs === 0) return 0;
    const sinceMs = Math.max(warmUpMs, nowMs - this.#firstMs);
    return (this.#perMs * 1000) / (1 - Math.exp(-sinceMs / this.#constantMs));
  }

  #decay(nowMs: number): void {
    if (this.#lastMs !== null && nowMs > this.#lastMs) {
      this.#perMs *= Math.exp(-(nowMs - this.#lastMs) / this.#constantMs);
    }
    if (this.#lastMs === null || nowMs > this.#lastMs) this.#lastMs = nowMs;
  }
}
