/**
 * The torrents that look for peers in the DHT, and are announced there (BEP 5, BEP 33). When is decided by
 * core/dht/announce-schedule; one timer serves all of them. Only public torrents are given here (BEP 27).
 */
import { type Clock, type Endpoint, type Entropy, Prng, readUint32, type Timer } from '@tequio/kernel';
import { AnnounceSchedule, announceTimes } from '../core/dht/announce-schedule.ts';
import type { DhtService } from './dht-service.ts';

/** A torrent that wants peers. */
export interface DhtSeeker {
  /** At which others reach us; 0: nowhere, and nothing is announced. */
  readonly listenPort: number;
  readonly isSeed: boolean;
  /** It has too few peers. */
  readonly isStarved: boolean;
  found(peers: readonly Endpoint[], isFromLocal: boolean): void;
}

type Entry = {
  readonly infoHash: Uint8Array;
  readonly seeker: DhtSeeker;
  readonly schedule: AnnounceSchedule;
  end: () => void;
};

/** The timer looks after all torrents this often at least, for what they want changes without a word. */
const lookMs = 5000;
/** And not more often than this. */
const lookAgainMs = 250;
/** Walks that torrents begin in one look, so that a thousand of them do not start at once. */
const startCountMax = 8;

export class DhtTorrents {
  readonly #dht: DhtService;
  readonly #clock: Clock;
  readonly #prng: Prng;
  /** Let others take the port that our datagrams come from: uTP is reached there too. */
  readonly #impliedPort: boolean;
  readonly #entries = new Set<Entry>();
  #timer: Timer | null = null;
  #lookAtMs = 0;

  constructor(dht: DhtService, deps: { clock: Clock; entropy: Entropy }, impliedPort: boolean) {
    this.#dht = dht;
    this.#clock = deps.clock;
    this.#prng = new Prng(readUint32(deps.entropy.bytes(4), 0));
    this.#impliedPort = impliedPort;
    dht.onReady(() => {
      for (const { schedule } of this.#entries) schedule.hurry();
      this.#look();
    });
  }

  /** @param infoHash 20 bytes: v1, or the beginning of v2. @returns takes the torrent away again */
  add(infoHash: Uint8Array, seeker: DhtSeeker): () => void {
    const entry: Entry = { infoHash, seeker, schedule: new AnnounceSchedule(this.#prng), end: () => {} };
    this.#entries.add(entry);
    // Many may come at once: one look for all of them.
    this.#lookWithin(0);
    return () => {
      this.#entries.delete(entry);
      entry.end();
    };
  }

  /** A torrent names hosts that may know nodes. */
  addHosts(hosts: readonly { readonly host: string; readonly port: number }[]): void {
    this.#dht.addHosts(
      hosts.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)),
    );
  }

  /** Something has changed for this torrent that others should hear of soon. */
  hurry(seeker: DhtSeeker): void {
    for (const entry of this.#entries) if (entry.seeker === seeker) entry.schedule.hurry();
    this.#look();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#entries.clear();
  }

  #look(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#entries.size === 0) return;
    const nowMs = this.#clock.nowMs();
    let startCount = 0;
    let delayMs = lookMs;
    for (const entry of this.#entries) {
      const nextMs = entry.schedule.nextMs(entry.seeker.isStarved);
      if (nextMs === null) continue;
      if (nextMs > nowMs || startCount === startCountMax) {
        delayMs = Math.min(delayMs, Math.max(lookAgainMs, nextMs - nowMs));
        continue;
      }
      startCount++;
      this.#walk(entry);
    }
    this.#lookWithin(delayMs);
  }

  /** Looks no later than then. */
  #lookWithin(delayMs: number): void {
    const atMs = this.#clock.nowMs() + delayMs;
    if (this.#entries.size === 0 || (this.#timer !== null && this.#lookAtMs <= atMs)) return;
    this.#timer?.cancel();
    this.#lookAtMs = atMs;
    this.#timer = this.#clock.setTimer(delayMs, () => this.#look());
  }

  #walk(entry: Entry): void {
    const { schedule, seeker, infoHash } = entry;
    schedule.markStarted();
    const port = seeker.listenPort;
    const announce = port === 0 ? null : { port, impliedPort: this.#impliedPort, seed: seeker.isSeed };
    entry.end = this.#dht.search(
      { kind: 'peers', target: infoHash, announce, scrape: false, noSeed: seeker.isSeed },
      {
        peers: (peers, isFromLocal) => seeker.found(peers, isFromLocal),
        done: (report) => {
          schedule.handleDone((report?.answerCount ?? 0) > 0, this.#clock.nowMs());
          this.#lookWithin(announceTimes.starvedMinMs);
        },
      },
    );
  }
}
