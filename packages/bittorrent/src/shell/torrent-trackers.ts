/**
 * Carries out one torrent's announces: the announcer decides whom to ask and when, the tracker client asks. Arms one
 * timer. Announcing is rare, so a promise for each is fine here.
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
  externalAddress(address: IpAddress): void;
};

export class TorrentTrackers {
  readonly #announcer: Announcer;
  readonly #client: TrackerClient;
  readonly #clock: Clock;
  readonly #host: TorrentTrackersHost;
  readonly #effects: AnnouncerEffect[] = [];
  readonly #running = new Map<number, AbortController>();
  #timer: Timer | null = null;
  #stopped: (() => void) | null = null;

  constructor(
    options: AnnouncerOptions,
    deps: { client: TrackerClient; clock: Clock },
    host: TorrentTrackersHost,
  ) {
    this.#announcer = new Announcer(options);
    this.#client = deps.client;
    this.#clock = deps.clock;
    this.#host = host;
  }

  handle(input: AnnouncerInput): void {
    this.#announcer.handle(input, this.#clock.nowMs());
    this.#settle();
  }

  /** Takes leave of all trackers; resolves when they have heard it, or had their few seconds. */
  async stop(): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
    this.handle({ type: 'stop' });
    await stopped;
    this.close();
  }

  /** Breaks everything off. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
  }

  snapshot(): readonly TrackerSnapshot[] {
    return this.#announcer.snapshot(this.#clock.nowMs(), this.#clock.wallMs());
  }

  #settle(): void {
    this.#announcer.drain(this.#effects);
    for (const effect of this.#effects.splice(0)) this.#carryOut(effect);
    this.#timer?.cancel();
    const next = this.#announcer.nextTimeoutMs();
    if (next === null) return;
    this.#timer = this.#clock.setTimer(Math.max(0, next - this.#clock.nowMs()), () => {
      this.#announcer.handleTimeout(this.#clock.nowMs());
      this.#settle();
    });
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
        this.#host.externalAddress(effect.address);
        break;
      case 'answered':
        this.#host.answered(effect.url, effect.peerCount);
        break;
      case 'failed':
        this.#host.failed(effect.url, effect.fault);
        break;
      default:
        this.#stopped?.();
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
