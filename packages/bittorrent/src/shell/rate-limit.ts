/**
 * The user's limits, of the node and of each torrent below it. Up: a gate that the uploader asks. Down: whoever sends
 * is paused when the bytes that came are ahead of the limit, and goes on when time has caught up; what is on its way
 * still comes, so the error is one receive buffer a connection at most, and is paid back before the next byte is read.
 */
import type { Clock, Timer } from '@tequio/kernel';
import { RateLimiter } from '@tequio/network';
import type { RateGate } from '../core/uploader.ts';

/** Something that sends us bytes and can be told to wait: a connection, a web seed's answer. */
export type Pausable = { pause(): void; resume(): void };

/** Bytes a second; null: no limit. */
export type Limits = { readonly down: number | null; readonly up: number | null };

export class RateLimits {
  readonly #clock: Clock;
  readonly #down: RateLimiter;
  readonly #up: RateLimiter;

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#down = new RateLimiter('bittorrent down', limits.down);
    this.#up = new RateLimiter('bittorrent up', limits.up);
  }

  setLimits(limits: Limits): void {
    this.#down.setLimit(limits.down);
    this.#up.setLimit(limits.up);
  }

  /** The limits of one torrent, within those of all. */
  ofTorrent(name: string, limits: Limits): TorrentRates {
    return new TorrentRates(
      this.#clock,
      this.#down.child(name, limits.down),
      this.#up.child(name, limits.up),
    );
  }
}

export class TorrentRates implements RateGate {
  readonly #clock: Clock;
  readonly #down: RateLimiter;
  readonly #up: RateLimiter;
  readonly #paused = new Set<Pausable>();
  #timer: Timer | null = null;

  constructor(clock: Clock, down: RateLimiter, up: RateLimiter) {
    this.#clock = clock;
    this.#down = down;
    this.#up = up;
  }

  tryTake(bytes: number, nowMs: number): boolean {
    return this.#up.tryTake(bytes, nowMs);
  }

  readyAtMs(nowMs: number): number {
    return this.#up.nextMs(nowMs);
  }

  /** Bytes have come in. */
  received(from: Pausable, bytes: number): void {
    if (this.#down.isUnlimited) return;
    const nowMs = this.#clock.nowMs();
    this.#down.charge(bytes, nowMs);
    const readyMs = this.#down.nextMs(nowMs);
    if (readyMs <= nowMs) return;
    from.pause();
    this.#paused.add(from);
    this.#arm(readyMs - nowMs);
  }

  /** The sender is gone. */
  forgotten(from: Pausable): void {
    this.#paused.delete(from);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#down.stopWaiting();
    this.#up.stopWaiting();
  }

  #arm(waitMs: number): void {
    this.#timer ??= this.#clock.setTimer(waitMs, () => {
      this.#timer = null;
      const nowMs = this.#clock.nowMs();
      const readyMs = this.#down.isUnlimited ? nowMs : this.#down.nextMs(nowMs);
      if (readyMs > nowMs) this.#arm(readyMs - nowMs);
      else this.#resumeAll();
    });
  }

  #resumeAll(): void {
    const paused = [...this.#paused];
    this.#paused.clear();
    for (const from of paused) from.resume();
  }
}
