/**
 * A TCP-like flow for uTP to be measured against: Reno's window (slow start, a packet more in each round trip, half
 * after a loss, RFC 5681) with every acknowledgement known packet by packet, so that it recovers as modern TCP does.
 */
import type { VirtualClock } from '@tequio/simulator';
import type { Bottleneck } from './bottleneck.ts';

const packetBytes = 1448;
const timeoutMs = 1000;

export class RenoFlow {
  readonly #clock: VirtualClock;
  readonly #path: Bottleneck;
  #window = 10;
  #threshold = Number.POSITIVE_INFINITY;
  /** Number to when it was sent, in the order of sending. */
  readonly #flying = new Map<number, number>();
  #nextNumber = 0;
  #recoverUntil = 0;
  #lastAckMs = 0;
  #isStopped = false;
  deliveredBytes = 0;

  constructor(clock: VirtualClock, path: Bottleneck) {
    this.#clock = clock;
    this.#path = path;
  }

  start(): void {
    this.#lastAckMs = this.#clock.nowMs();
    this.#fill();
    this.#watch();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #fill(): void {
    while (!this.#isStopped && this.#flying.size < Math.floor(this.#window)) {
      const number = this.#nextNumber++;
      this.#flying.set(number, this.#clock.nowMs());
      this.#path.send(packetBytes, () => {
        this.deliveredBytes += packetBytes;
        this.#path.sendBack(() => this.#handleAck(number));
      });
    }
  }

  #handleAck(number: number): void {
    if (!this.#flying.delete(number)) return;
    this.#lastAckMs = this.#clock.nowMs();
    this.#window += this.#window < this.#threshold ? 1 : 1 / this.#window;
    // Three later packets have arrived, and the path keeps the order.
    for (const earlier of this.#flying.keys()) {
      if (earlier > number - 3) break;
      this.#flying.delete(earlier);
      if (earlier < this.#recoverUntil) continue;
      this.#recoverUntil = this.#nextNumber;
      this.#window = Math.max(2, this.#window / 2);
      this.#threshold = this.#window;
    }
    this.#fill();
  }

  #watch(): void {
    this.#clock.setTimer(timeoutMs / 4, () => {
      if (this.#isStopped) return;
      if (this.#clock.nowMs() - this.#lastAckMs > timeoutMs) {
        this.#flying.clear();
        this.#threshold = Math.max(2, this.#window / 2);
        this.#window = 1;
        this.#lastAckMs = this.#clock.nowMs();
        this.#fill();
      }
      this.#watch();
    });
  }
}
