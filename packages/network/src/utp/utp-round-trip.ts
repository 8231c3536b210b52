/** How long a packet and its acknowledgement take, and when to give one up (RFC 6298). */
import { limits } from '../limits.ts';

const { timeoutFirstMs, timeoutMsMin, timeoutMsMax } = limits.utp;

export class UtpRoundTrip {
  #smoothedMs = 0;
  #deviationMs = 0;
  #hasSample = false;
  #backOff = 1;

  /** Smoothed; before the first sample a guess. */
  get ms(): number {
    return this.#hasSample ? this.#smoothedMs : timeoutFirstMs / 3;
  }

  /** With the back-off of time-outs in a row. */
  get timeoutMs(): number {
    const once = this.#hasSample
      ? Math.max(timeoutMsMin, this.#smoothedMs + 4 * this.#deviationMs)
      : timeoutFirstMs;
    return Math.min(timeoutMsMax, once * this.#backOff);
  }

  /** Of a packet that was sent once only. */
  handleSample(ms: number): void {
    if (this.#hasSample) {
      this.#deviationMs += (Math.abs(this.#smoothedMs - ms) - this.#deviationMs) / 4;
      this.#smoothedMs += (ms - this.#smoothedMs) / 8;
    } else {
      this.#smoothedMs = ms;
      this.#deviationMs = ms / 2;
      this.#hasSample = true;
    }
  }

  handleTimeout(): void {
    this.#backOff = Math.min(64, this.#backOff * 2);
  }

  /** Something new was acknowledged. */
  handleProgress(): void {
    this.#backOff = 1;
  }
}
