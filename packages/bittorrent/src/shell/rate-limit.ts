/**
 * The user's limits on all traffic of the service. Up: a gate that the uploader asks. Down: connections are paused when
 * the bytes that came in are ahead of the limit, and go on when time has caught up; what is on its way still comes, so
 * the error is one receive buffer a connection at most, and is paid back before the next byte is read.
 */
import type { Clock, Timer } from '@tequio/kernel';
import type { RateGate } from '../core/uploader.ts';

/** Something that sends us bytes and can be told to wait: a connection, a web seed's answer. */
export type Pausable = { pause(): void; resume(): void };

/** Bytes that may go at once after a pause: a twentieth of a second's worth, at least two blocks. */
const burstOf = (bytesPerSecond: number): number => Math.max(32 * 1024, bytesPerSecond / 20);

/** A bucket that fills at the limit's rate and may be overdrawn. */
export class TokenBucket {
  #bytesPerSecond: number | null;
  #tokens = 0;
  #lastMs: number | null = null;

  constructor(bytesPerSecond: number | null) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  setLimit(bytesPerSecond: number | null): void {
    this.#bytesPerSecond = bytesPerSecond;
    this.#tokens = Math.min(this.#tokens, 0);
  }

  get isLimited(): boolean {
    return this.#bytesPerSecond !== null;
  }

  /** Takes the bytes whatever is there; the debt is paid by waiting. */
  take(bytes: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= bytes;
  }

  /** Milliseconds until the bucket is no longer overdrawn; 0: now. */
  waitMs(nowMs: number): number {
    if (this.#bytesPerSecond === null) return 0;
    this.#refill(nowMs);
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#bytesPerSecond) * 1000;
  }

  #refill(nowMs: number): void {
    const rate = this.#bytesPerSecond;
    const elapsedMs = this.#lastMs === null ? 0 : Math.max(0, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    if (rate === null) this.#tokens = 0;
    else this.#tokens = Math.min(burstOf(rate), this.#tokens + (rate * elapsedMs) / 1000);
  }
}

export class RateLimits implements RateGate {
  readonly #clock: Clock;
  readonly #down: TokenBucket;
  readonly #up: TokenBucket;
  readonly #paused = new Set<Pausable>();
  #timer: Timer | null = null;

  constructor(clock: Clock, limits: { readonly down: number | null; readonly up: number | null }) {
    this.#clock = clock;
    this.#down = new TokenBucket(limits.down);
    this.#up = new TokenBucket(limits.up);
  }

  setLimits(limits: { readonly down: number | null; readonly up: number | null }): void {
    this.#down.setLimit(limits.down);
    this.#up.setLimit(limits.up);
    this.#resumeAll();
  }

  tryTake(bytes: number, nowMs: number): boolean {
    if (!this.#up.isLimited) return true;
    if (this.#up.waitMs(nowMs) > 0) return false;
    this.#up.take(bytes, nowMs);
    return true;
  }

  readyAtMs(nowMs: number): number {
    return nowMs + this.#up.waitMs(nowMs);
  }

  /** Bytes have come in. */
  received(connection: Pausable, bytes: number): void {
    if (!this.#down.isLimited) return;
    const nowMs = this.#clock.nowMs();
    this.#down.take(bytes, nowMs);
    const waitMs = this.#down.waitMs(nowMs);
    if (waitMs === 0) return;
    connection.pause();
    this.#paused.add(connection);
    this.#timer ??= this.#clock.setTimer(waitMs, () => this.#wake());
  }

  /** The connection is gone. */
  forget(connection: Pausable): void {
    this.#paused.delete(connection);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #wake(): void {
    this.#timer = null;
    const waitMs = this.#down.waitMs(this.#clock.nowMs());
    if (waitMs > 0) this.#timer = this.#clock.setTimer(waitMs, () => this.#wake());
    else this.#resumeAll();
  }

  #resumeAll(): void {
    const paused = [...this.#paused];
    this.#paused.clear();
    for (const connection of paused) connection.resume();
  }
}
