/**
 * Carries out one torrent's announces: the announcer decides whom to ask and when, the tracker client asks. Arms one
 * timer. Announcing is rare, so a promise for each is fine here.
 *
 * Effects are carried out in the order in which they were decided, also when the host, told of one, says something
 * that leads to more.
 */
import type { Clock, Endpoint, Fault, IpAddress, Timer } from '@tequio/kernel';
import type { TrackerSnapshot } from '../contract.ts';
import {
  Announcer,
  type AnnouncerEffect,
  type AnnouncerInput,
  type AnnouncerOptions,
} from '../core/announcer.ts';
import type { TrackerClient } from './tracker-client.ts';

/** What trackers are told, as it is at the moment of asking. */
export type AnnounceFigures = {
  readonly peerId: Uint8Array;
  readonly port: number;
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
  readonly leftBytes: number;
};

export type TorrentTrackersHost = {
  figures(): AnnounceFigures;
  /** @param url of the tracker that named them */
  peers(peers: readonly Endpoint[], url: string): void;
  answered(url: string, peerCount: number): void;
  failed(url: string, fault: Fault): void;
  externalAddress(address: IpAddress, url: string): void;
};

/** What of the tracker client is needed here. */
export type TrackerAsker = Pick<TrackerClient, 'announce' | 'scrape'>;

export class TorrentTrackers {
  /** To be read only. */
  readonly announcer: Announcer;
  readonly #client: TrackerAsker;
  readonly #clock: Clock;
  readonly #host: TorrentTrackersHost;
  readonly #effects: AnnouncerEffect[] = [];
  readonly #running = new Map<number, AbortController>();
  /** Those who wait until all trackers have heard that we leave. */
  readonly #stopping: (() => void)[] = [];
  #timer: Timer | null = null;
  #isSettling = false;
  #isClosed = false;

  constructor(
    options: AnnouncerOptions,
    deps: { client: TrackerAsker; clock: Clock },
    host: TorrentTrackersHost,
  ) {
    this.announcer = new Announcer(options);
    this.#client = deps.client;
    this.#clock = deps.clock;
    this.#host = host;
  }

  handle(input: AnnouncerInput): void {
    if (this.#isClosed) return;
    this.announcer.handle(input, this.#clock.nowMs());
    this.#settle();
    // Who starts again before everybody has heard of the stop does not leave any more.
    if (input.type === 'start') this.#endStop();
  }

  /** Takes leave of all trackers; resolves when they have heard it, had their few seconds, or a start takes it back. */
  async stop(): Promise<void> {
    if (this.#isClosed) return;
    const stopped = new Promise<void>((resolve) => this.#stopping.push(resolve));
    this.handle({ type: 'stop' });
    await stopped;
  }

  /** Breaks everything off, for good. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#effects.length = 0;
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
    this.#endStop();
  }

  snapshot(): readonly TrackerSnapshot[] {
    return this.announcer.snapshot(this.#clock.nowMs(), this.#clock.wallMs());
  }

  #settle(): void {
    this.announcer.drain(this.#effects);
    // Called from inside of an effect: the loop that carries it out goes on with these.
    if (this.#isSettling) return;
    this.#isSettling = true;
    try {
      for (let next = this.#effects.shift(); next !== undefined; next = this.#effects.shift())
        this.#carryOut(next);
    } finally {
      this.#isSettling = false;
    }
    this.#armTimer();
  }

  #armTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const next = this.#isClosed ? null : this.announcer.nextTimeoutMs();
    if (next === null) return;
    this.#timer = this.#clock.setTimer(Math.max(0, next - this.#clock.nowMs()), () => {
      this.announcer.handleTimeout(this.#clock.nowMs());
      this.#settle();
    });
  }

  #endStop(): void {
    for (const resolve of this.#stopping.splice(0)) resolve();
  }

  #carryOut(effect: AnnouncerEffect): void {
    switch (effect.type) {
      case 'announce':
        void this.#announce(effect);
        break;
      case 'scrape':
        void this.#scrape(effect);
        break;
      case 'cancel':
        this.#running.get(effect.id)?.abort();
        this.#running.delete(effect.id);
        break;
      case 'peers':
        this.#host.peers(effect.peers, effect.url);
        break;
      case 'external-address':
        this.#host.externalAddress(effect.address, effect.url);
        break;
      case 'answered':
        this.#host.answered(effect.url, effect.peerCount);
        break;
      case 'failed':
        this.#host.failed(effect.url, effect.fault);
        break;
      default:
        this.#endStop();
    }
  }

  async #announce(effect: Extract<AnnouncerEffect, { type: 'announce' }>): Promise<void> {
    const controller = new AbortController();
    this.#running.set(effect.id, controller);
    const outcome = await this.#client.announce({ ...effect, ...this.#host.figures() }, controller.signal);
    if (!this.#running.delete(effect.id)) return;
    if (outcome.ok) this.handle({ type: 'answer', id: effect.id, answer: outcome.value });
    else this.handle({ type: 'failure', id: effect.id, failure: outcome.failure });
  }

  async #scrape(effect: Extract<AnnouncerEffect, { type: 'scrape' }>): Promise<void> {
    const controller = new AbortController();
    this.#running.set(effect.id, controller);
    const outcome = await this.#client.scrape({ ...effect, timeoutMs: null }, controller.signal);
    if (!this.#running.delete(effect.id)) return;
    if (outcome.ok) this.handle({ type: 'swarms', id: effect.id, swarms: outcome.value });
    else this.handle({ type: 'failure', id: effect.id, failure: outcome.failure });
  }
}
