import type { TorrentId } from '@tequio/api';
import { bookLimits } from './limits.ts';

/**
 * The metadata of magnets that were looked at, for whoever adds one of them a moment later: it need not be asked for
 * again, of peers that have just been parted from.
 */
export class LookedInside {
  /** The latest last. */
  readonly #known = new Map<TorrentId, { readonly torrent: Uint8Array; readonly untilMs: number }>();

  keep(id: TorrentId, torrent: Uint8Array, nowMs: number): void {
    this.#known.delete(id);
    this.#known.set(id, { torrent, untilMs: nowMs + bookLimits.lookedInsideMs });
    let bytes = [...this.#known.values()].reduce((sum, known) => sum + known.torrent.length, 0);
    for (const [oldest, known] of this.#known) {
      if (bytes <= bookLimits.lookedInsideBytes && known.untilMs > nowMs) break;
      this.#known.delete(oldest);
      bytes -= known.torrent.length;
    }
  }

  /** Null: it was not looked at, or too long ago. */
  get(id: TorrentId, nowMs: number): Uint8Array | null {
    const known = this.#known.get(id);
    return known === undefined || known.untilMs < nowMs ? null : known.torrent;
  }

  /** As `get`, for the last time. */
  take(id: TorrentId, nowMs: number): Uint8Array | null {
    const torrent = this.get(id, nowMs);
    this.#known.delete(id);
    return torrent;
  }
}
