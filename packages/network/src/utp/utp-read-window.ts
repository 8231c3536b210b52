/**
 * How much room a connection offers: what its reader uses, and little more. Behind a reader that takes its bytes slower
 * than the line brings them (a user's limit, a slow disk) the sender would otherwise fill all the room that there may
 * be, ahead of the limit.
 *
 * Rules
 * - The reader has taken all there was at some time: it may be the window that it waits for. After half a window of
 *   bytes it grows: to twice, which is ahead of the sender's slow start, and by a quarter once it has been too large.
 * - While a whole window was taken something was always left: the least of it stood there for nothing. The window
 *   shrinks by half of that, for what is on its way was sent by the window before.
 * - So who keeps up has all of the room after a few round trips, and behind who does not stands little.
 *
 * Simulated (sim/utp-limit.test.ts). Cost: O(1).
 */
import { limits } from '../limits.ts';

const { receiveBytesMax, readWindowBytesMin } = limits.utp;

const growthFirst = 2;
const growthLater = 1.25;

export class UtpReadWindow {
  #bytes = readWindowBytesMin;
  #growth = growthFirst;
  /** Since the window changed last: what was taken, and the least that was left. */
  #takenBytes = 0;
  #leftBytes = Number.POSITIVE_INFINITY;

  get bytes(): number {
    return this.#bytes;
  }

  markTaken(bytes: number): void {
    this.#takenBytes += bytes;
  }

  /** The reader takes no more for now. @param bytes what it leaves */
  markLeft(bytes: number): void {
    if (bytes < this.#leftBytes) this.#leftBytes = bytes;
    if (this.#leftBytes === 0) {
      if (this.#takenBytes >= this.#bytes / 2) this.#change(this.#growth * this.#bytes);
    } else if (this.#takenBytes >= this.#bytes) {
      this.#growth = growthLater;
      this.#change(this.#bytes - this.#leftBytes / 2);
    }
  }

  #change(bytes: number): void {
    this.#bytes = Math.max(readWindowBytesMin, Math.min(receiveBytesMax, Math.floor(bytes)));
    this.#takenBytes = 0;
    this.#leftBytes = Number.POSITIVE_INFINITY;
  }
}
