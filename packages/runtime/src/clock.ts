import { performance } from 'node:perf_hooks';
import type { Clock, Timer } from '@tequio/kernel';

/** The longest delay that the system's timer takes; longer ones are waited for in several steps. */
const stepMsMax = 2 ** 31 - 1;

/** The system's monotonic and wall clocks. */
export function createClock(): Clock {
  return {
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    setTimer(delayMs, callback) {
      return new SystemTimer(performance.now() + Math.max(0, delayMs), callback);
    },
  };
}

class SystemTimer implements Timer {
  readonly #dueMs: number;
  readonly #callback: () => void;
  #handle: NodeJS.Timeout;

  constructor(dueMs: number, callback: () => void) {
    this.#dueMs = dueMs;
    this.#callback = callback;
    this.#handle = this.#arm();
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  #arm(): NodeJS.Timeout {
    // The event loop counts whole milliseconds and may be up to one early, hence one more. On a busy machine the
    // process may stand still between any two lines: what is due by then has waited long enough.
    const leftMs = Math.max(0, Math.ceil(this.#dueMs - performance.now()));
    const delayMs = Math.min(stepMsMax, leftMs + 1);
    return setTimeout(() => this.#handleTimeout(), delayMs);
  }

  #handleTimeout(): void {
    if (performance.now() < this.#dueMs) this.#handle = this.#arm();
    else this.#callback();
  }
}
