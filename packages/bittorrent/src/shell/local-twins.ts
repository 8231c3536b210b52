/**
 * Which torrents of the node may have files of each other (BEP 38): finds them by the lengths of their files, and by
 * what they say of each other, and lets those that download take from the others (shell/local-content.ts).
 *
 *   files known and checked ─> its lengths are remembered ─> who downloads and has one of them looks at it
 *                           └> it downloads itself ────────> it looks at those that have one of its lengths
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
  /** Torrents with one length that are counted. */
  sameLengthMax: 32,
  /** Torrents that one looks at. */
  lookedAtMax: 8,
} as const;

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
  readonly #seekersByLength = new Map<number, Set<TorrentId>>();

  constructor(deps: LocalTwinsDeps) {
    this.#deps = deps;
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
    this.#deps.store().saveLengths(torrent, lengths);
    if (place.torrent.content?.isFinished === false) this.#seek(place, lengths);
    const others = lengths.flatMap((bytes) => [...(this.#seekersByLength.get(bytes) ?? [])]);
    for (const id of new Set(others)) if (id !== torrent) void this.#seekers.get(id)?.add(torrent);
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

  #seek(session: TorrentSession, lengths: readonly number[]): void {
    const { places, disk, clock } = this.#deps;
    this.#drop(session.id);
    const seeker = new LocalContent(session, session.storage!, {
      disk,
      clock,
      open: (id) => places.opened(id),
      isThere: (one) => places.get(one.id) === one,
    });
    this.#seekers.set(session.id, seeker);
    for (const bytes of lengths) {
      const same = this.#seekersByLength.get(bytes) ?? new Set();
      this.#seekersByLength.set(bytes, same.add(session.id));
    }
    for (const id of this.#candidatesOf(session.id, session.storage!.info, lengths)) void seeker.add(id);
  }

  /** Those it names itself, then those with most lengths in common. */
  #candidatesOf(torrent: TorrentId, info: TorrentInfo, lengths: readonly number[]): TorrentId[] {
    const counts = new Map<TorrentId, number>();
    for (const hash of info.similar) counts.set(toHex(hash), Number.POSITIVE_INFINITY);
    for (const bytes of lengths) {
      for (const id of this.#deps.store().withLength(bytes, localTwinsLimits.sameLengthMax))
        counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    counts.delete(torrent);
    return [...counts]
      .filter(([id]) => this.#deps.places.get(id) !== null)
      .sort(([, a], [, b]) => b - a)
      .slice(0, localTwinsLimits.lookedAtMax)
      .map(([id]) => id);
  }

  #drop(torrent: TorrentId): void {
    const seeker = this.#seekers.get(torrent);
    if (seeker === undefined) return;
    seeker.close();
    this.#seekers.delete(torrent);
    for (const [bytes, same] of this.#seekersByLength)
      if (same.delete(torrent) && same.size === 0) this.#seekersByLength.delete(bytes);
  }
}

/** Of its longest files. */
function lengthsOf(info: TorrentInfo): number[] {
  const long = info.files.filter(
    ({ pad, bytes, symlink }) => !pad && symlink === null && bytes >= localTwinsLimits.fileBytesMin,
  );
  const lengths = [...new Set(long.map(({ bytes }) => bytes))];
  return lengths.sort((a, b) => b - a).slice(0, localTwinsLimits.lengthCountMax);
}
