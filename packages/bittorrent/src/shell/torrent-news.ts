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
import type { Torrent } from '../core/torrent.ts';

export class TorrentNews {
  readonly #clock: Clock;
  readonly #torrents: ReadonlyMap<TorrentId, { readonly torrent: Torrent }>;
  readonly #log: ChangeLog<TorrentId>;
  readonly #touched = new Set<TorrentId>();
  /** Their rates were not 0 at the last look. */
  readonly #flowing = new Set<TorrentId>();

  /** @param torrents all that there are */
  constructor(clock: Clock, torrents: ReadonlyMap<TorrentId, { readonly torrent: Torrent }>) {
    this.#clock = clock;
    this.#torrents = torrents;
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
      const there = this.#torrents.get(id);
      if (there === undefined) continue;
      this.#log.mark(id);
      const { down, up } = there.torrent;
      const isFlowing =
        Math.round(down.bytesPerSecond(nowMs)) > 0 || Math.round(up.bytesPerSecond(nowMs)) > 0;
      if (isFlowing) this.#flowing.add(id);
      else this.#flowing.delete(id);
    }
    this.#touched.clear();
    return this.#log.since(version, this.#torrents.keys());
  }
}
