/**
 * Carries one {@link Announcer}: its announces and scrapes go to the {@link TrackerClient}, their results come back
 * with the same id, one timer is armed. What the owner has to know goes to `notify`.
 */
import type { Clock, Timer } from '@tequio/kernel';
import type { TrackerSnapshot } from '../contract.ts';
import type { Announcer, AnnouncerEffect, AnnouncerInput } from '../core/announcer.ts';
import type { TrackerClient } from './tracker-client.ts';

/** What a tracker is told about the transfer at the moment of asking. */
export type TransferTotals = {
  /** The port that others can dial. */
  readonly port: number;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  readonly leftBytes: number;
};

/** Effects that are the owner's. */
export type AnnouncerNotice = Exclude<AnnouncerEffect, { type: 'announce' | 'scrape' | 'cancel' }>;

export type AnnouncerDriverOptions = {
  readonly announcer: Announcer;
  readonly client: TrackerClient;
  readonly clock: Clock;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly totals: () => TransferTotals;
  readonly notify: (notice: AnnouncerNotice) => void;
};

export class AnnouncerDriver {
  readonly #options: AnnouncerDriverOptions;
  readonly #running = new Map<number, AbortController>();
  readonly #effects: AnnouncerEffect[] = [];
  #timer: Timer | null = null;
  #isSettling = false;
  #isClosed = false;

  constructor(options: AnnouncerDriverOptions) {
    this.#options = options;
  }

  /** Hands an input on: `start`, `stop`, `completed`, `starved`, `announce-now`, `scrape`, `add-trackers`. */
  handle(input: AnnouncerInput): void {
    if (this.#isClosed) return;
    this.#options.announcer.handle(input, this.#options.clock.nowMs());
    this.#settle();
  }

  snapshot(): TrackerSnapshot[] {
    const { announcer, clock } = this.#options;
    return announcer.snapshot(clock.nowMs(), clock.wallMs());
  }

  /** Breaks everything off; after this nothing is called. Send `stop` and wait for `stopped` to take leave first. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const abort of this.#running.values()) abort.abort();
    this.#running.clear();
  }

  /** Carries out effects until there are none. `notify` may call back in. */
  #settle(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    for (;;) {
      this.#options.announcer.drain(this.#effects);
      const effect = this.#effects.shift();
      if (effect === undefined || this.#isClosed) break;
      if (effect.type === 'announce') void this.#announce(effect);
      else if (effect.type === 'scrape') void this.#scrape(effect);
      else if (effect.type === 'cancel') this.#cancel(effect.id);
      else this.#options.notify(effect);
    }
    this.#isSettling = false;
    this.#arm();
  }

  async #announce(effect: Extract<AnnouncerEffect, { type: 'announce' }>): Promise<void> {
    const { client, peerId, totals } = this.#options;
    const abort = this.#begin(effect.id);
    const outcome = await client.announce({ ...effect, ...totals(), peerId }, abort.signal);
    if (!this.#running.delete(effect.id)) return;
    if (outcome.ok) this.handle({ type: 'answer', id: effect.id, answer: outcome.value });
    else this.handle({ type: 'failure', id: effect.id, failure: outcome.failure });
  }

  async #scrape(effect: Extract<AnnouncerEffect, { type: 'scrape' }>): Promise<void> {
    const abort = this.#begin(effect.id);
    const outcome = await this.#options.client.scrape({ ...effect, timeoutMs: null }, abort.signal);
    if (!this.#running.delete(effect.id)) return;
    if (outcome.ok) this.handle({ type: 'swarms', id: effect.id, swarms: outcome.value });
    else this.handle({ type: 'failure', id: effect.id, failure: outcome.failure });
  }

  #begin(id: number): AbortController {
    const abort = new AbortController();
    this.#running.set(id, abort);
    return abort;
  }

  #cancel(id: number): void {
    this.#running.get(id)?.abort();
    this.#running.delete(id);
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const { announcer, clock } = this.#options;
    const at = announcer.nextTimeoutMs();
    if (at === null || this.#isClosed) return;
    this.#timer = clock.setTimer(Math.max(0, at - clock.nowMs()), () => {
      this.#timer = null;
      announcer.handleTimeout(clock.nowMs());
      this.#settle();
    });
  }
}
