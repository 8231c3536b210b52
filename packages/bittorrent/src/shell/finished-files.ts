/**
 * Sends each file of torrents whose files do not wait for each other to its place when it is complete:
 *
 *   pieces kept, or files checked ─> files that are complete now ─> they move, while the torrent goes on
 */
import type { BittorrentEvent, TorrentId } from '../contract.ts';
import type { TorrentPlaces } from './torrent-places.ts';
import { TorrentSession } from './torrent-session.ts';

export class FinishedFiles {
  readonly #places: TorrentPlaces;
  /** Files on their way, and whether more has come meanwhile. */
  readonly #moving = new Map<TorrentId, boolean>();

  constructor(places: TorrentPlaces) {
    this.#places = places;
  }

  handleEvent({ type, ...event }: BittorrentEvent): void {
    if (type === 'bittorrent.pieces.kept' || type === 'bittorrent.torrent.checked')
      this.look((event as { readonly torrent: TorrentId }).torrent);
  }

  look(torrent: TorrentId): void {
    const place = this.#places.get(torrent);
    if (!(place instanceof TorrentSession) || place.storage === null) return;
    const { filesFolder } = place.record.current;
    if (filesFolder === null) return;
    if (this.#moving.has(torrent)) {
      this.#moving.set(torrent, true);
      return;
    }
    this.#moving.set(torrent, false);
    void place.storage.sendAhead(filesFolder).finally(() => {
      const isMore = this.#moving.get(torrent) === true;
      this.#moving.delete(torrent);
      if (isMore) this.look(torrent);
    });
  }
}
