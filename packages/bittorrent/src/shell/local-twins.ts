/**
 * Which torrents of the node may have files of each other (BEP 38): finds them by the lengths of their files, by the
 * collections that they belong to, and by what they say of each other, and lets those that download take from the
 * others (shell/local-content.ts) as far as the node's owner lets them: see `ReuseRule`.
 *
 *   files known and checked ─> its marks are remembered ─> who downloads and looks for one of them looks at it
 *                           └> it downloads itself ──────> it looks at those that have one that it looks for
 */
import { type Clock, type DiskPort, toHex } from '@tequio/kernel';
import type { BittorrentEvent, TorrentId } from '../contract.ts';
import type { TorrentInfo } from '../wire/torrent-info.ts';
import { LocalContent } from './local-content.ts';
import type { ResumeStore } from './resume-store.ts';
import type { TorrentPlaces } from './torrent-places.ts';
import { TorrentSession } from './torrent-session.ts';

export const localTwinsLimits = {
  /** Shorter files are found with the longer ones of their torrent, or not at all. */
  fileBytesMin: 64 * 1024,
  /** Of one torrent's longest files. */
  lengthCountMax: 256,
  /** Of one torrent, as many as are remembered. */
  collectionCountMax: 64,
  /** Torrents with one length, or of one collection, that are counted. */
  sameLengthMax: 32,
  /** Torrents that one looks at. */
  lookedAtMax: 8,
} as const;

/**
 * Whether one torrent may take content that another one has. That its hashes fit shows to whom the first belongs that
 * the second is here: where a node has several users this is theirs to allow.
 */
export type ReuseRule = (taker: TorrentId, giver: TorrentId) => boolean;

export type LocalTwinsDeps = {
  readonly places: TorrentPlaces;
  readonly disk: DiskPort;
  readonly clock: Clock;
  readonly store: () => ResumeStore;
};

export class LocalTwins {
  readonly #deps: LocalTwinsDeps;
  /** Torrents that download. */
  readonly #seekers = new Map<TorrentId, LocalContent>();
  /** By what they look for: a length, a collection, a torrent. */
  readonly #seekersByMark = new Map<string, Set<TorrentId>>();
  #rule: ReuseRule = () => true;

  constructor(deps: LocalTwinsDeps) {
    this.#deps = deps;
  }

  /** From now on, also for what is being taken already. */
  setRule(rule: ReuseRule): void {
    this.#rule = rule;
    this.lookAtAll();
  }

  handleEvent(event: BittorrentEvent): void {
    switch (event.type) {
      case 'bittorrent.torrent.checked':
        this.look(event.torrent);
        break;
      case 'bittorrent.pieces.kept':
        this.#handleKept(event.torrent, event.pieces);
        break;
      case 'bittorrent.torrent.finished':
        this.#drop(event.torrent);
        break;
      case 'bittorrent.torrent.removed':
        this.#drop(event.torrent);
        for (const seeker of this.#seekers.values()) seeker.source.forgetTorrent(event.torrent);
        break;
      default:
    }
  }

  /** Its files are known, and what of them is there. */
  look(torrent: TorrentId): void {
    const place = this.#deps.places.get(torrent);
    if (!(place instanceof TorrentSession) || place.storage === null) return;
    const { info } = place.storage;
    const lengths = lengthsOf(info);
    const collections = info.collections.slice(0, localTwinsLimits.collectionCountMax);
    const store = this.#deps.store();
    store.saveLengths(torrent, lengths);
    if (collections.length > 0) store.saveCollections(torrent, collections);
    const shared = [...lengths.map(markOfLength), ...collections.map(markOfCollection)];
    if (place.torrent.content?.isFinished === false) {
      const named = info.similar.map((hash) => markOfHash(toHex(hash)));
      this.#seek(place, lengths, collections, [...shared, ...named]);
    }
    const own = place.announces.infoHashes.map((hash) => markOfHash(toHex(hash)));
    const others = [...shared, ...own].flatMap((mark) => [...(this.#seekersByMark.get(mark) ?? [])]);
    for (const id of new Set(others))
      if (id !== torrent && this.#rule(id, torrent)) void this.#seekers.get(id)?.add(torrent);
  }

  /** After torrents of an earlier run were brought back. */
  lookAtAll(): void {
    for (const session of this.#deps.places.awake()) {
      const { content } = session.torrent;
      if (content !== null && !content.isFinished && content.checker.doubtCount === 0) this.look(session.id);
    }
  }

  close(): void {
    for (const id of [...this.#seekers.keys()]) this.#drop(id);
  }

  #handleKept(torrent: TorrentId, pieces: readonly number[]): void {
    const own = this.#seekers.get(torrent);
    own?.source.handleOwn(pieces);
    own?.poll();
    for (const seeker of this.#seekers.values()) {
      if (!seeker.source.knows(torrent)) continue;
      seeker.source.handleKept(torrent, pieces);
      seeker.poll();
    }
  }

  #seek(
    session: TorrentSession,
    lengths: readonly number[],
    collections: readonly string[],
    marks: readonly string[],
  ): void {
    const { places, disk, clock } = this.#deps;
    this.#drop(session.id);
    const seeker = new LocalContent(session, session.storage!, {
      disk,
      clock,
      open: (id) => places.opened(id),
      mayTake: (id) => this.#rule(session.id, id),
      isThere: (one) => places.get(one.id) === one,
    });
    this.#seekers.set(session.id, seeker);
    for (const mark of marks) {
      const same = this.#seekersByMark.get(mark) ?? new Set();
      this.#seekersByMark.set(mark, same.add(session.id));
    }
    for (const id of this.#candidatesOf(session.id, session.storage!.info, lengths, collections))
      void seeker.add(id);
  }

  /** Those it names itself, then those of its collections, then those with most lengths in common. */
  #candidatesOf(
    torrent: TorrentId,
    info: TorrentInfo,
    lengths: readonly number[],
    collections: readonly string[],
  ): TorrentId[] {
    const { places } = this.#deps;
    const store = this.#deps.store();
    const { sameLengthMax } = localTwinsLimits;
    const counts = new Map<TorrentId, number>();
    const count = (ids: readonly TorrentId[], worth: number): void => {
      for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + worth);
    };
    for (const hash of info.similar) {
      const place = places.byHandshake(toHex(hash));
      if (place !== null) count([place.id], Number.POSITIVE_INFINITY);
    }
    for (const name of collections) count(store.inCollection(name, sameLengthMax), lengths.length + 1);
    for (const bytes of lengths) count(store.withLength(bytes, sameLengthMax), 1);
    counts.delete(torrent);
    return [...counts]
      .filter(([id]) => places.get(id) !== null && this.#rule(torrent, id))
      .sort(([, a], [, b]) => b - a)
      .slice(0, localTwinsLimits.lookedAtMax)
      .map(([id]) => id);
  }

  #drop(torrent: TorrentId): void {
    const seeker = this.#seekers.get(torrent);
    if (seeker === undefined) return;
    seeker.close();
    this.#seekers.delete(torrent);
    for (const [mark, same] of this.#seekersByMark)
      if (same.delete(torrent) && same.size === 0) this.#seekersByMark.delete(mark);
  }
}

// What torrents are found by.
const markOfLength = (bytes: number): string => `length ${bytes}`;
const markOfCollection = (name: string): string => `collection ${name}`;
const markOfHash = (hex: string): string => `hash ${hex}`;

/** Of its longest files. */
function lengthsOf(info: TorrentInfo): number[] {
  const long = info.files.filter(
    ({ pad, bytes, symlink }) => !pad && symlink === null && bytes >= localTwinsLimits.fileBytesMin,
  );
  const lengths = [...new Set(long.map(({ bytes }) => bytes))];
  return lengths.sort((a, b) => b - a).slice(0, localTwinsLimits.lengthCountMax);
}
