/**
 * When a torrent is looked for in the DHT, and announced with the same walk.
 *
 *   at once; then, while it has too few peers, after 1 s, 3 s, 9 s, ... at most every 5 minutes; else every 15
 *   minutes, which keeps its announcement alive (nodes forget after half an hour or more)
 *
 * A walk that nobody answered does not count: it is made again as soon as there are contacts, at the latest after the
 * shortest wait. A quarter more or less, so that a swarm that lost its tracker does not come in step.
 */
import type { Prng } from '@tequio/kernel';

export const announceTimes = {
  starvedMinMs: 1000,
  starvedMaxMs: 5 * 60_000,
  usualMs: 15 * 60_000,
} as const;

export class AnnounceSchedule {
  readonly #prng: Prng;
  /** Null: there was no walk yet. */
  #waitMs: number | null = null;
  #starvedMs = Number.NEGATIVE_INFINITY;
  #usualMs = Number.NEGATIVE_INFINITY;
  #isWalking = false;
  #isHurried = false;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** When to walk next; null: one is under way. May lie in the past. */
  nextMs(isStarved: boolean): number | null {
    if (this.#isWalking) return null;
    return isStarved ? Math.min(this.#starvedMs, this.#usualMs) : this.#usualMs;
  }

  /** waiting -> walking */
  markStarted(): void {
    this.#isWalking = true;
    this.#isHurried = false;
  }

  /** walking -> waiting. @param wasHeard somebody answered */
  handleDone(wasHeard: boolean, nowMs: number): void {
    if (!this.#isWalking) return;
    this.#isWalking = false;
    const { starvedMinMs, starvedMaxMs, usualMs } = announceTimes;
    if (this.#isHurried) {
      this.hurry();
    } else if (wasHeard) {
      this.#waitMs = this.#waitMs === null ? starvedMinMs : Math.min(3 * this.#waitMs, starvedMaxMs);
      const jitter = 0.75 + this.#prng.nextFloat() / 2;
      this.#starvedMs = nowMs + this.#waitMs * jitter;
      this.#usualMs = nowMs + usualMs * jitter;
    } else {
      this.#starvedMs = nowMs + starvedMinMs;
      this.#usualMs = this.#starvedMs;
    }
  }

  /** There are contacts, or the torrent has become a seed: the next walk is due at once. */
  hurry(): void {
    this.#isHurried = this.#isWalking;
    this.#starvedMs = Number.NEGATIVE_INFINITY;
    this.#usualMs = Number.NEGATIVE_INFINITY;
    this.#waitMs = null;
  }
}
