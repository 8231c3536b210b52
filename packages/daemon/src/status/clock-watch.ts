/**
 * Whether the clock of the machine jumps: it was set, or the machine slept. What the node does by itself goes by a
 * clock that cannot jump; schedules, feeds and what is shown go by the machine's, and a person should know why.
 */
import type { Clock, Log } from '@tequio/kernel';

/** Less than this is how clocks are set right all the time. */
const jumpMs = 60_000;

export class ClockWatch {
  readonly #clock: Clock;
  readonly #log: Log;
  /** Wall clock less the other one; null before the first look. */
  #aheadMs: number | null = null;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** To be called about once a second. */
  tick(): void {
    const aheadMs = this.#clock.wallMs() - this.#clock.nowMs();
    const jumpedMs = this.#aheadMs === null ? 0 : aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    if (Math.abs(jumpedMs) < jumpMs) return;
    const way = jumpedMs > 0 ? 'forward' : 'back';
    this.#log.warn('clock.jumped', {
      seconds: Math.round(jumpedMs / 1000),
      message:
        `The clock of this machine went ${way} at once: it was set, or the machine slept. Torrents go on, and their times ` +
        'are counted without it; limits at set times hold by the new time. If it is wrong, set it right: nothing else is needed.',
    });
  }
}
