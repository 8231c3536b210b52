/**
 * All torrents of the node, in the order in which they came, each awake or at rest, and the changes between the two.
 * It also sees to it that torrents which were brought back are announced by turns, not all at once.
 */
import { assert, type Clock, type DiskPort, type Hashes, NodeError, type Timer, toHex } from '@tequio/kernel';
import type { AddOptions, BittorrentEvent, TorrentId, TorrentRow, WebSeedSnapshot } from '../contract.ts';
import type { ResumeRecord } from '../core/resume-record.ts';
import {
  isAsRemembered,
  type RestingDeps,
  RestingTorrent,
  rowAtRest,
  tryRestingRow,
} from './resting-torrent.ts';
import type { ResumeStore, StoredTorrent } from './resume-store.ts';
import { rowOf } from './session-snapshot.ts';
import type { SessionSource } from './session-source.ts';
import { restoredSource, tryReadTorrent } from './source-reading.ts';
import type { TorrentAnnounces } from './torrent-announces.ts';
import type { TorrentSession } from './torrent-session.ts';

export const placesLimits = {
  /** How often it is looked who may rest. */
  restLookMsMin: 20,
  restLookMsMax: 5000,
  /**
   * Torrents that were brought back are looked at and announced in turns of so many, so often: 20 a second, which takes
   * less than one percent of a processor.
   */
  turnMs: 250,
  turnCount: 5,
} as const;

export type TorrentPlace = TorrentSession | RestingTorrent;

export type PlacesOptions = {
  /** Null: nobody rests. */
  readonly restAfterMs: number | null;
};

export type PlacesDeps = {
  readonly clock: Clock;
  readonly disk: DiskPort;
  readonly hashes: Hashes;
  readonly store: () => ResumeStore;
  readonly lineTrouble: () => string | null;
  readonly createSession: (
    source: SessionSource,
    options: AddOptions,
    announces: TorrentAnnounces,
  ) => TorrentSession;
  /** It is known by these hashes from here on, to whoever connects. */
  readonly named: (place: TorrentPlace) => void;
  /** It looks different from here on. */
  readonly changed: (torrent: TorrentId) => void;
  readonly emit: (event: BittorrentEvent) => void;
};

export class TorrentPlaces {
  readonly #options: PlacesOptions;
  readonly #deps: PlacesDeps;
  readonly #restingDeps: RestingDeps;
  readonly #places = new Map<TorrentId, TorrentPlace>();
  /** By hex of the 20 bytes that a handshake names. */
  readonly #byHandshake = new Map<string, TorrentId>();
  readonly #awake = new Set<TorrentSession>();
  /** Torrents whose files are being looked at, or closed because they rest: who wakes one waits for that. */
  readonly #held = new Map<TorrentId, Promise<void>>();
  /** Who is to be looked at and announced, in turn. */
  readonly #turns = new Set<RestingTorrent>();
  #turnTimer: Timer | null = null;
  #restTimer: Timer | null = null;
  #isClosed = false;

  constructor(options: PlacesOptions, deps: PlacesDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#restingDeps = { ...deps, wake: (torrent) => this.wake(torrent) };
  }

  get count(): number {
    return this.#places.size;
  }

  get(torrent: TorrentId): TorrentPlace | null {
    return this.#places.get(torrent) ?? null;
  }

  byHandshake(infoHash: string): TorrentPlace | null {
    const id = this.#byHandshake.get(infoHash);
    return id === undefined ? null : this.get(id);
  }

  ids(): Iterable<TorrentId> {
    return this.#places.keys();
  }

  all(): Iterable<TorrentPlace> {
    return this.#places.values();
  }

  awake(): Iterable<TorrentSession> {
    return this.#awake;
  }

  resting(): RestingTorrent[] {
    return [...this.#places.values()].filter((place) => place instanceof RestingTorrent);
  }

  rowOf(place: TorrentPlace, nowMs: number): TorrentRow {
    return place instanceof RestingTorrent ? place.row : rowOf(place, nowMs);
  }

  /** What is remembered of one that rests. @throws NodeError `BITTORRENT_NO_TORRENT` */
  stored(torrent: TorrentId): StoredTorrent {
    const stored = this.#deps.store().tryLoad(torrent);
    if (stored === null) throw noTorrent(torrent);
    return stored;
  }

  webSeedsAtRest(torrent: TorrentId): WebSeedSnapshot[] {
    const { record, metainfo } = this.stored(torrent);
    const named = record.hasOwnWebSeeds ? [] : (tryReadTorrent(metainfo, this.#deps.hashes)?.webSeeds ?? []);
    const urls = new Set([...named, ...record.webSeeds]);
    return Array.from(urls, (url) => ({
      url,
      state: 'waiting',
      message: null,
      downRate: 0,
      downloadedBytes: 0,
    }));
  }

  /** (new) -> awake. It has not begun yet. */
  enter(source: SessionSource, options: AddOptions, announces: TorrentAnnounces): TorrentSession {
    const session = this.#deps.createSession(source, options, announces);
    this.#place(session);
    return session;
  }

  /** (new) -> resting. It is looked at, and announced, when it is its turn. */
  enterAtRest(row: TorrentRow, announces: TorrentAnnounces): RestingTorrent {
    const resting = new RestingTorrent(row, announces, this.#restingDeps);
    this.#place(resting);
    if (!resting.isPaused) this.#queue(resting);
    return resting;
  }

  /**
   * resting -> awake, at once; its files are looked at meanwhile. One that is awake stays so.
   * @throws NodeError `BITTORRENT_NO_TORRENT`
   */
  wake(torrent: TorrentId): TorrentSession {
    const place = this.#places.get(torrent);
    if (place === undefined) throw noTorrent(torrent);
    if (!(place instanceof RestingTorrent)) return place;
    const stored = this.stored(torrent);
    this.#turns.delete(place);
    const { folder, paused } = stored.record;
    const session = this.#deps.createSession(
      restoredSource(stored, this.#deps.hashes),
      { folder, paused },
      place.announces,
    );
    this.#set(session);
    session.begin(this.#held.get(torrent) ?? null);
    this.#deps.changed(torrent);
    return session;
  }

  /** The same; resolves when it is known what is on the disk. */
  async opened(torrent: TorrentId): Promise<TorrentSession> {
    const session = this.wake(torrent);
    await session.whenBegun;
    return session;
  }

  /**
   * Changes the record of one that rests, and what is shown of it; it goes on resting.
   * @returns false: it is awake, and nothing was done. @throws NodeError `BITTORRENT_NO_TORRENT`
   */
  amend(torrent: TorrentId, fields: Partial<ResumeRecord>): boolean {
    const place = this.#places.get(torrent);
    if (place === undefined) throw noTorrent(torrent);
    if (!(place instanceof RestingTorrent)) return false;
    const store = this.#deps.store();
    const stored = store.tryLoad(torrent);
    const record = stored === null ? null : { ...stored.record, ...fields };
    const row = record === null ? null : tryRestingRow(record, true);
    if (record === null || row === null) return false;
    store.save(record);
    place.row = row;
    if (fields.trackers !== undefined) place.announces.setTrackers(fields.trackers);
    this.#deps.changed(torrent);
    return true;
  }

  /** The same for those that rest: running -> paused, or back. */
  async setPaused(torrent: TorrentId, paused: boolean): Promise<boolean> {
    if (!this.amend(torrent, { paused })) return false;
    const place = this.#places.get(torrent) as RestingTorrent;
    if (!paused) this.#queue(place);
    else {
      this.#turns.delete(place);
      await place.announces.leave();
    }
    return true;
  }

  /** It is not there any more; whoever drops it closes it. */
  drop(place: TorrentPlace): void {
    this.#places.delete(place.id);
    for (const hash of place.announces.infoHashes) this.#byHandshake.delete(toHex(hash));
    if (place instanceof RestingTorrent) this.#turns.delete(place);
    else this.#awake.delete(place);
  }

  /** Until the files of a torrent that rests are closed. */
  async settled(torrent: TorrentId): Promise<void> {
    await this.#held.get(torrent);
  }

  /** Takes leave of everybody; all state is kept. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#turnTimer?.cancel();
    this.#restTimer?.cancel();
    const places = [...this.#places.values()];
    this.#places.clear();
    this.#byHandshake.clear();
    this.#awake.clear();
    this.#turns.clear();
    await Promise.all(
      places.map((one) => (one instanceof RestingTorrent ? one.announces.close() : one.close())),
    );
    await Promise.all(this.#held.values());
  }

  /** Everybody who rests is announced anew, by turns: others must dial another port. */
  announceAgain(): void {
    for (const resting of this.resting()) if (!resting.isPaused) this.#queue(resting);
  }

  #place(place: TorrentPlace): void {
    this.#set(place);
    for (const hash of place.announces.infoHashes) {
      const hex = toHex(hash);
      // The same text is kept once.
      this.#byHandshake.set(hex === place.id ? place.id : hex, place.id);
    }
    this.#deps.named(place);
  }

  #set(place: TorrentPlace): void {
    this.#places.set(place.id, place);
    if (place instanceof RestingTorrent) return;
    this.#awake.add(place);
    this.#lookForRest();
  }

  #lookForRest(): void {
    const { restAfterMs } = this.#options;
    if (this.#isClosed || restAfterMs === null) return;
    const delayMs = Math.min(placesLimits.restLookMsMax, Math.max(placesLimits.restLookMsMin, restAfterMs));
    this.#restTimer ??= this.#deps.clock.setTimer(delayMs, () => {
      this.#restTimer = null;
      const nowMs = this.#deps.clock.nowMs();
      for (const session of this.#awake) if (mayRest(session, restAfterMs, nowMs)) this.#rest(session);
      if (this.#awake.size > 0) this.#lookForRest();
    });
  }

  /** awake -> resting. From here on it is a resting torrent; who wakes it waits for its files to be closed. */
  #rest(session: TorrentSession): void {
    const { id, announces } = session;
    const row = rowAtRest(rowOf(session, this.#deps.clock.nowMs()));
    this.#hold(id, session.rest());
    this.#awake.delete(session);
    this.#set(new RestingTorrent(row, announces, this.#restingDeps));
    this.#deps.changed(id);
  }

  #queue(resting: RestingTorrent): void {
    this.#turns.add(resting);
    this.#armTurns();
  }

  #armTurns(): void {
    if (this.#isClosed || this.#turns.size === 0) return;
    this.#turnTimer ??= this.#deps.clock.setTimer(placesLimits.turnMs, () => {
      this.#turnTimer = null;
      let left = placesLimits.turnCount;
      for (const resting of this.#turns) {
        if (left-- === 0) break;
        this.#turns.delete(resting);
        void this.#takeTurn(resting);
      }
      this.#armTurns();
    });
  }

  async #takeTurn(resting: RestingTorrent): Promise<void> {
    const { announces, id } = resting;
    if (announces.isAnnounced) {
      announces.announcePort();
      return;
    }
    while (this.#held.has(id)) await this.#held.get(id);
    if (!this.#isStill(resting)) return;
    const looked = this.#isAsRemembered(id);
    this.#hold(id, looked);
    const isFound = await looked;
    if (!this.#isStill(resting)) return;
    if (isFound) announces.announce();
    else this.wake(id);
  }

  /** It rests, has not been awake since, and is not announced yet. */
  #isStill(resting: RestingTorrent): boolean {
    return !this.#isClosed && this.#places.get(resting.id) === resting && !resting.announces.isAnnounced;
  }

  /** As long as this goes on nobody else may open the torrent's files. */
  #hold(torrent: TorrentId, work: Promise<unknown>): void {
    assert(!this.#held.has(torrent), 'one at a time works on the files of a torrent');
    const held: Promise<void> = work.then(
      () => this.#release(torrent, held),
      () => this.#release(torrent, held),
    );
    this.#held.set(torrent, held);
  }

  #release(torrent: TorrentId, held: Promise<void>): void {
    if (this.#held.get(torrent) === held) this.#held.delete(torrent);
  }

  async #isAsRemembered(torrent: TorrentId): Promise<boolean> {
    const stored: StoredTorrent | null = this.#deps.store().tryLoad(torrent);
    return stored !== null && (await isAsRemembered(stored, this.#deps.disk, this.#deps.hashes));
  }
}

/**
 * Complete, and nobody has needed it for so long. What is still to be settled, or to be dialled soon, keeps it awake.
 */
function mayRest(session: TorrentSession, quietMs: number, nowMs: number): boolean {
  const { state, torrent, storage, driver, busyAtMs, finder, isPaused } = session;
  if ((state !== 'seeding' && state !== 'paused') || storage === null || torrent.content === null)
    return false;
  if (!torrent.content.isFinished || !storage.have.isFull || !storage.isSettled) return false;
  if (driver.isBusy || nowMs - busyAtMs < quietMs) return false;
  const dialMs = isPaused ? null : finder.nextDialMs();
  return dialMs === null || dialMs > nowMs + quietMs;
}

export function noTorrent(torrent: TorrentId): NodeError {
  return new NodeError('BITTORRENT_NO_TORRENT', `There is no torrent ${torrent} here.`);
}
