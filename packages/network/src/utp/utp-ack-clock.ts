/**
 * When to say what has arrived: with the next packet of ours; by one of its own for every second packet of theirs (or
 * every few in a stream of thousands a second), for a single one a moment later, and at once when something is out
 * of order.
 */
import { limits } from '../limits.ts';

const { ackPacketCountMax, ackEveryMs, ackDelayMs } = limits.utp;
const never = Number.POSITIVE_INFINITY;

export class UtpAckClock {
  /** Packets that came since we last said so. */
  #owedCount = 0;
  #isUrgent = false;
  #lastMs = Number.NEGATIVE_INFINITY;
  #atMs = never;

  /** A packet of its own has to go by then. */
  get deadlineMs(): number {
    return this.#atMs;
  }

  get isOwed(): boolean {
    return this.#isUrgent || this.#owedCount > 0;
  }

  /** @param isRegular it was the one that came next, and nothing is missing */
  noteArrival(isRegular: boolean): void {
    this.#owedCount++;
    if (!isRegular) this.#isUrgent = true;
  }

  markUrgent(): void {
    this.#isUrgent = true;
  }

  /** Some packet of ours has left. @param isReport one that says all, gaps too */
  handleSent(isReport: boolean, nowMs: number): void {
    this.#owedCount = 0;
    this.#atMs = never;
    this.#lastMs = nowMs;
    if (isReport) this.#isUrgent = false;
  }

  /** True: now. Otherwise `deadlineMs` says when. */
  isDue(nowMs: number): boolean {
    if (this.#isUrgent) return true;
    if (this.#owedCount >= 2) {
      if (this.#owedCount >= ackPacketCountMax || nowMs - this.#lastMs >= ackEveryMs) return true;
    }
    if (this.#owedCount > 0 && this.#atMs === never) {
      this.#atMs = nowMs + (this.#owedCount >= 2 ? ackEveryMs : ackDelayMs);
    }
    return false;
  }
}
