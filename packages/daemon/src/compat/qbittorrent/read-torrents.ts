import type { TorrentId } from '@tequio/api';
import { compatLimits } from '../compat-limits.ts';

/**
 * Torrent files that were sent to be read, for whoever asks for them again by their hash; of each caller their own. The
 * oldest go when all together are too large.
 */
export class ReadTorrents {
  readonly #torrents = new Map<string, Uint8Array>();
  /** Magnets that are being asked about. */
  readonly fetching = new Set<TorrentId>();

  keep(caller: string, id: TorrentId, torrent: Uint8Array): void {
    const key = `${caller} ${id}`;
    this.#torrents.delete(key);
    this.#torrents.set(key, torrent);
    let bytes = [...this.#torrents.values()].reduce((sum, { length }) => sum + length, 0);
    for (const [oldest, { length }] of this.#torrents) {
      if (bytes <= compatLimits.readTorrentBytesMax) break;
      this.#torrents.delete(oldest);
      bytes -= length;
    }
  }

  get(caller: string, id: TorrentId): Uint8Array | null {
    return this.#torrents.get(`${caller} ${id}`) ?? null;
  }
}
