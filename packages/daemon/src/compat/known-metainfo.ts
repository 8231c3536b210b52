import type { ShownTorrent, TorrentId, TorrentsApi } from '@tequio/api';
import { compatLimits } from './compat-limits.ts';

/** What only a torrent's metainfo says (author, date, comment), read once a torrent. Bounded: the oldest goes. */
export class KnownMetainfo {
  readonly #known = new Map<TorrentId, ShownTorrent>();

  /** Null while it is not known. */
  async of(torrents: TorrentsApi, id: TorrentId): Promise<ShownTorrent | null> {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const shown = await torrents.show(id);
    if (shown === null) return null;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= compatLimits.knownMetainfoCountMax)
      this.#known.delete(oldest);
    this.#known.set(id, shown);
    return shown;
  }
}
