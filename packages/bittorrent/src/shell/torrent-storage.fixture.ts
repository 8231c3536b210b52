/** The smallest clock for tests of storage: timers in order of time, then of making, run by hand. */
import type { Clock, Timer } from '@tequio/kernel';

export class TestClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; call: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_000_000_000 + this.#nowMs;
  }

  setTimer(delayMs: number, call: () => void): Timer {
    const timer = { atMs: this.#nowMs + delayMs, call };
    this.#timers.push(timer);
    this.#timers.sort((a, b) => a.atMs - b.atMs);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** Runs the next timer; false when there is none. */
  step(): boolean {
    const next = this.#timers.shift();
    if (next === undefined) return false;
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.call();
    return true;
  }

  /** Lets everything happen that is under way. */
  async run(): Promise<void> {
    do await this.idle();
    while (this.step());
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }

  /** Lets all promises that can settle without a timer do so. */
  async idle(): Promise<void> {
    for (let i = 0; i < 50; i++) await Promise.resolve();
  }

  /** Runs timers until the promise settles. */
  async wait<Value>(promise: Promise<Value>): Promise<Value> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    promise.then(mark, mark);
    for (let still = 0; !settled && still < 200; still++) {
      await Promise.resolve();
      if (!settled && still > 20 && this.step()) still = 0;
    }
    if (!settled) throw new Error('nothing is left that could happen');
    return promise;
  }
}
