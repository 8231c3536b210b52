import type { Clock, OverlayStream, Timer } from '@tequio/kernel';
import type { RateLimiter } from '@tequio/network';
import { bitswapLimits } from '../core/bitswap-limits.ts';

/**
 * One stream, read no faster than a limit: paused when what came is ahead of it, until time has caught up. What is on
 * its way still comes, and is paid back before the next byte is read.
 */
export class PacedReading {
  readonly #stream: OverlayStream;
  readonly #limiter: RateLimiter;
  readonly #clock: Clock;
  readonly #onHold: (isHeld: boolean) => void;
  #timer: Timer | null = null;

  /**
   * @param limiter of this stream alone
   * @param onHold told when it is not read any more, and when it is again
   */
  constructor(stream: OverlayStream, limiter: RateLimiter, clock: Clock, onHold: (isHeld: boolean) => void) {
    this.#onHold = onHold;
    this.#stream = stream;
    this.#limiter = limiter;
    this.#clock = clock;
  }

  /** Bytes have come. */
  received(bytes: number): void {
    if (this.#limiter.isUnlimited) return;
    this.#limiter.charge(bytes, this.#clock.nowMs());
    if (this.#timer !== null || this.#mayRead()) return;
    this.#stream.pause();
    this.#onHold(true);
    this.#arm();
  }

  /** The stream is closed. */
  close(): void {
    this.#timer?.cancel();
    if (this.#timer !== null) this.#onHold(false);
    this.#timer = null;
    this.#limiter.stopWaiting();
  }

  /** Asking for nothing lines it up among those who wait. */
  #mayRead(): boolean {
    return this.#limiter.tryTake(0, this.#clock.nowMs());
  }

  #arm(): void {
    const nowMs = this.#clock.nowMs();
    const waitMs = Math.max(1, this.#limiter.nextMs(nowMs) - nowMs);
    this.#timer = this.#clock.setTimer(Math.min(waitMs, bitswapLimits.limitedLookMs), () => {
      this.#timer = null;
      if (!this.#mayRead()) return this.#arm();
      this.#onHold(false);
      this.#stream.resume();
    });
  }
}
