import type { TorrentId } from '@tequio/api';

/** So long a torrent must be slow before it counts as slow; and so long it counts as fast when it begins to run. */
const slowAfterMs = 60_000;

/** Who has done next to nothing for a minute. Told of the speed from time to time. */
export class SlowWatch {
  /** Since when each that runs is below the rate. */
  readonly #slowSinceMs = new Map<TorrentId, number>();

  /** @param rate in the direction that counts; null: it does not run */
  note(id: TorrentId, rate: number | null, slowRate: number, nowMs: number): void {
    if (rate === null || rate >= slowRate) this.#slowSinceMs.delete(id);
    else if (!this.#slowSinceMs.has(id)) this.#slowSinceMs.set(id, nowMs);
  }

  forget(id: TorrentId): void {
    this.#slowSinceMs.delete(id);
  }

  isSlow(id: TorrentId, nowMs: number): boolean {
    const sinceMs = this.#slowSinceMs.get(id);
    return sinceMs !== undefined && nowMs - sinceMs >= slowAfterMs;
  }
}
