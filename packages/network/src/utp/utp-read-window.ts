/**
 * How much room a connection offers: what its reader has use for. Behind a reader that takes its bytes slower than the
 * line brings them (a user's limit, a slow disk) the sender would otherwise fill all the room that there may be, ahead
 * of the limit.
 *
 *   the reader takes all there is   the window doubles each time that it has taken half of it: ahead of slow start
 *   it leaves something             the window is what it takes in two round trips, and a little: the line is never
 *                                   empty for want of room, and little stands unread
 *
 * Simulated (sim/utp-limit.test.ts). Cost: O(1).
 */
import { limits } from '../limits.ts';

const { receiveBytesMax, readWindowBytesMin, readMeasureMs } = limits.utp;

export class UtpReadWindow {
  #bytes = readWindowBytesMin;
  /** Taken since something was left, or the window has grown. */
  #freelyBytes = 0;
  /** Taken since then; at the pace of the stretch before that the window is measured. */
  #takenBytes = 0;
  #sinceMs: number | null = null;

  get bytes(): number {
    return this.#bytes;
  }

  markTaken(bytes: number, nowMs: number): void {
    this.#sinceMs ??= nowMs;
    this.#freelyBytes += bytes;
    this.#takenBytes += bytes;
  }

  /** The reader takes no more for now. @param bytes what it leaves */
  markLeft(bytes: number, roundTripMs: number, nowMs: number): void {
    if (bytes > 0) this.#measure(roundTripMs, nowMs);
    else if (this.#freelyBytes < this.#bytes / 2) return;
    else this.#bytes = Math.min(receiveBytesMax, 2 * this.#bytes);
    this.#freelyBytes = 0;
  }

  #measure(roundTripMs: number, nowMs: number): void {
    const passedMs = nowMs - (this.#sinceMs ?? nowMs);
    if (passedMs < Math.max(readMeasureMs, roundTripMs)) return;
    const usedBytes = Math.floor((this.#takenBytes * 2 * roundTripMs) / passedMs);
    this.#bytes = Math.min(receiveBytesMax, readWindowBytesMin + usedBytes);
    this.#takenBytes = 0;
    this.#sinceMs = nowMs;
  }
}
