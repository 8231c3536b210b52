/**
 * How long packets wait in queues, from samples of one-way delay (RFC 6817, sections 3.4.2 and 4).
 *
 * The two clocks differ by an unknown amount, so a sample alone means nothing. The smallest sample of the last ten
 * minutes is what the path takes when its queues are empty, and the rest of each sample is queueing. Samples are 32-bit
 * microseconds that wrap.
 */
import { limits } from '../limits.ts';

const { baseMinutes, currentSampleCount } = limits.utp;
const minuteMs = 60_000;

export class UtpDelay {
  /** Minima of single minutes, a ring. */
  readonly #minima = new Uint32Array(baseMinutes);
  readonly #recent = new Int32Array(currentSampleCount);
  #minute = 0;
  #minuteCount = 0;
  #minuteEndMs = 0;
  #recentAt = 0;
  #recentCount = 0;
  #base = 0;

  get hasSamples(): boolean {
    return this.#minuteCount > 0;
  }

  /** The smallest sample that is remembered; means something only beside other samples of the same direction. */
  get baseUs(): number {
    return this.#base;
  }

  /** The smallest of the last few samples above the base: what queues, and not what jitters. */
  get queueingUs(): number {
    let least = 0;
    for (let i = 0; i < this.#recentCount; i++) {
      const sample = this.#recent[i]!;
      if (i === 0 || sample < least) least = sample;
    }
    return least;
  }

  handleSample(sampleUs: number, nowMs: number): void {
    if (this.#minuteCount === 0 || nowMs >= this.#minuteEndMs) this.#startMinute(sampleUs, nowMs);
    else if (isLess(sampleUs, this.#minima[this.#minute]!)) this.#minima[this.#minute] = sampleUs;
    if (isLess(sampleUs, this.#base)) this.#moveBase(sampleUs);
    this.#recent[this.#recentAt] = (sampleUs - this.#base) | 0;
    this.#recentAt = (this.#recentAt + 1) % currentSampleCount;
    if (this.#recentCount < currentSampleCount) this.#recentCount++;
  }

  /** The clocks drift: everything that was taken for the base is moved up by so much. */
  shiftBase(byUs: number): void {
    for (let i = 0; i < this.#minuteCount; i++) this.#minima[i] = this.#minima[i]! + byUs;
    this.#moveBase((this.#base + byUs) >>> 0);
  }

  #startMinute(sampleUs: number, nowMs: number): void {
    this.#minute = this.#minuteCount === 0 ? 0 : (this.#minute + 1) % baseMinutes;
    this.#minima[this.#minute] = sampleUs;
    if (this.#minuteCount < baseMinutes) this.#minuteCount++;
    this.#minuteEndMs = nowMs + minuteMs;
    let base = this.#minima[0]!;
    for (let i = 1; i < this.#minuteCount; i++) {
      if (isLess(this.#minima[i]!, base)) base = this.#minima[i]!;
    }
    this.#moveBase(base);
  }

  /** Recent samples are kept as distances from the base. */
  #moveBase(base: number): void {
    const change = (base - this.#base) | 0;
    this.#base = base >>> 0;
    for (let i = 0; i < this.#recentCount; i++) this.#recent[i] = Math.max(0, this.#recent[i]! - change);
  }
}

function isLess(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}
