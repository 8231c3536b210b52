/** A path with one narrow place: a queue of limited length before a line of limited rate, then latency; some loss. */
import type { Prng } from '@tequio/kernel';
import type { VirtualClock } from '@tequio/simulator';

export type BottleneckOptions = {
  /** Bytes a second. */
  readonly rate: number;
  /** How long the queue is when it is full. */
  readonly queueMs: number;
  /** One way, each way. */
  readonly latencyMs: number;
  readonly loss?: number;
};

/** Headers of IP and UDP, or TCP's of the same sort. */
const overheadBytes = 28;

export class Bottleneck {
  readonly options: BottleneckOptions;
  readonly #clock: VirtualClock;
  readonly #prng: Prng;
  #busyUntilMs = 0;
  #droppedCount = 0;
  /** Of all that went through: how long it waited, and how many there were. */
  #waitedMs = 0;
  #passedCount = 0;

  constructor(clock: VirtualClock, prng: Prng, options: BottleneckOptions) {
    this.#clock = clock;
    this.#prng = prng;
    this.options = options;
  }

  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** The mean since the last call. */
  takeMeanWaitMs(): number {
    const mean = this.#waitedMs / Math.max(1, this.#passedCount);
    this.#waitedMs = 0;
    this.#passedCount = 0;
    return mean;
  }

  /** Through the queue: dropped when it is full, or by chance. */
  send(bytes: number, arrive: () => void): void {
    const { rate, queueMs, latencyMs, loss = 0 } = this.options;
    const isUnlucky = this.#prng.chance(loss);
    const waitMs = Math.max(0, this.#busyUntilMs - this.#clock.nowMs());
    if (waitMs > queueMs) {
      this.#droppedCount++;
      return;
    }
    this.#waitedMs += waitMs;
    this.#passedCount++;
    this.#busyUntilMs = this.#clock.nowMs() + waitMs + ((bytes + overheadBytes) * 1000) / rate;
    if (isUnlucky) return;
    this.#clock.setTimerAt(this.#busyUntilMs + latencyMs, arrive);
  }

  /** The other way, which is never full. */
  sendBack(arrive: () => void): void {
    this.#clock.setTimer(this.options.latencyMs, arrive);
  }
}
