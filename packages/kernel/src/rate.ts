/**
 * Bytes a second over the last few seconds: an exponential average with a time constant, exact for any spacing of
 * samples, so nothing has to tick. Invariant: a steady flow of R bytes/s reads as R after about three constants.
 */
export class RateMeter {
  readonly #constantMs: number;
  #perMs = 0;
  #lastMs: number | null = null;
  #totalBytes = 0;

  constructor(constantMs = 5000) {
    this.#constantMs = constantMs;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  add(bytes: number, nowMs: number): void {
    this.#decay(nowMs);
    this.#perMs += bytes / this.#constantMs;
    this.#totalBytes += bytes;
  }

  /** Bytes per second now. */
  bytesPerSecond(nowMs: number): number {
    this.#decay(nowMs);
    return this.#perMs * 1000;
  }

  #decay(nowMs: number): void {
    if (this.#lastMs !== null && nowMs > this.#lastMs) {
      this.#perMs *= Math.exp(-(nowMs - this.#lastMs) / this.#constantMs);
    }
    if (this.#lastMs === null || nowMs > this.#lastMs) this.#lastMs = nowMs;
  }
}
