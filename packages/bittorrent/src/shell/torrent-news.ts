/**
 * Which torrents look different from what a reader saw last. Torrents say when something happened to them (`touch`,
 * often, and it costs nothing but a bit); what is said becomes a change when somebody looks. A rate changes by itself
 * as time goes: a torrent whose rates were not 0 at the last look counts as changed at this one.
 *
 * Cost of a look: O(touched since the last look, by whomever, + changed since the reader's version).
 */
import type { Clock } from '@tequio/kernel';
import type { TorrentChanges, TorrentId } from '../contract.ts';
import { ChangeLog } from '../core/change-log.ts';
import type { TorrentPlaces } from './torrent-places.ts';
import { TorrentSession } from './torrent-session.ts';

export class TorrentNews {
  readonly #clock: Clock;
  readonly #places: TorrentPlaces;
  readonly #log: ChangeLog<TorrentId>;
  readonly #touched = new Set<TorrentId>();
  /** Their rates were not 0 at the last look. */
  readonly #flowing = new Set<TorrentId>();

  constructor(clock: Clock, places: TorrentPlaces) {
    this.#clock = clock;
    this.#places = places;
    this.#log = new ChangeLog(clock.wallMs());
  }

  touch(torrent: TorrentId): void {
    this.#touched.add(torrent);
  }

  remove(torrent: TorrentId): void {
    this.#touched.delete(torrent);
    this.#flowing.delete(torrent);
    this.#log.remove(torrent);
  }

  since(version: number): TorrentChanges {
    for (const torrent of this.#flowing) this.#touched.add(torrent);
    const nowMs = this.#clock.nowMs();
    for (const id of this.#touched) {
      const place = this.#places.get(id);
      if (place === null) continue;
      this.#log.mark(id);
      const isFlowing = place instanceof TorrentSession && isFlowingAt(place, nowMs);
      if (isFlowing) this.#flowing.add(id);
      else this.#flowing.delete(id);
    }
    this.#touched.clear();
    return this.#log.since(version, this.#places.ids());
  }
}

function isFlowingAt({ torrent: { down, up } }: TorrentSession, nowMs: number): boolean {
  return Math.round(down.bytesPerSecond(nowMs)) > 0 || Math.round(up.bytesPerSecond(nowMs)) > 0;
}
