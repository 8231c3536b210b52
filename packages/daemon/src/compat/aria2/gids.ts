import type { ListedTorrent, TorrentDelta, TorrentId } from '@tequio/api';

/**
 * What aria2's API calls downloads: 16 hex digits. Here they are the first of the torrent's info-hash, so that a
 * program finds its downloads again after a restart; one that a program has chosen itself holds until then.
 */
export class Gids {
  readonly #ids = new Map<string, TorrentId>();
  readonly #gids = new Map<TorrentId, string>();
  #version = 0;

  get version(): number {
    return this.#version;
  }

  learn(delta: TorrentDelta): void {
    this.#version = delta.version;
    if (delta.full) {
      const present = new Set(delta.changed.map(({ id }) => id));
      for (const id of [...this.#gids.keys()]) if (!present.has(id)) this.#forget(id);
    }
    for (const id of delta.removed) this.#forget(id);
    for (const row of delta.changed) if (!this.#gids.has(row.id)) this.#keep(row.id, usualGid(row));
  }

  /** A gid that a program has chosen. @returns false: another download has it */
  choose(id: TorrentId, gid: string): boolean {
    const taken = this.#ids.get(gid);
    if (taken !== undefined) return taken === id;
    this.#forget(id);
    this.#keep(id, gid);
    return true;
  }

  gidOf(id: TorrentId): string {
    return this.#gids.get(id) ?? id.slice(0, 16);
  }

  /** By a gid or the beginning of one, when it is the only one with it. */
  idOf(text: string): TorrentId | null {
    const gid = text.toLowerCase();
    const exact = this.#ids.get(gid);
    if (exact !== undefined) return exact;
    if (gid === '' || gid.length >= 16) return null;
    const found = [...this.#ids].filter(([known]) => known.startsWith(gid));
    return found.length === 1 ? found[0]![1] : null;
  }

  #keep(id: TorrentId, gid: string): void {
    this.#gids.set(id, gid);
    this.#ids.set(gid, id);
  }

  #forget(id: TorrentId): void {
    const gid = this.#gids.get(id);
    this.#gids.delete(id);
    if (gid !== undefined && this.#ids.get(gid) === id) this.#ids.delete(gid);
  }
}

function usualGid({ id, infoHashV1, infoHashV2 }: ListedTorrent): string {
  return (infoHashV1 ?? infoHashV2 ?? id).slice(0, 16);
}
