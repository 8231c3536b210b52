import type { ListedTorrent, TorrentDelta, TorrentId } from '@tequio/api';
import { compatLimits } from './compat-limits.ts';

/**
 * The small numbers that Transmission's API gives to torrents, and what each is called besides: every torrent that
 * there is has one, in the order in which they were added; none is used twice in a run. A look costs
 * what has changed since the last one.
 */
export class TorrentNumbers {
  readonly #numbers = new Map<TorrentId, number>();
  readonly #ids = new Map<number, TorrentId>();
  /** Info-hashes in hex, v2 ones whole and cut to 40 digits. */
  readonly #byHash = new Map<string, TorrentId>();
  readonly #hashes = new Map<TorrentId, string>();
  /** When it changed last, oldest first; not longer ago than `recentMs`. */
  readonly #touched = new Map<TorrentId, number>();
  readonly #removed: { readonly number: number; readonly atMs: number }[] = [];
  #version = 0;
  #next = 1;

  /** The node's changes after this version are what `learn` wants next. */
  get version(): number {
    return this.#version;
  }

  /** Takes in what has been added, changed and removed. */
  learn(delta: TorrentDelta, nowMs: number): void {
    this.#version = delta.version;
    if (delta.full) {
      const present = new Set(delta.changed.map(({ id }) => id));
      for (const id of [...this.#numbers.keys()]) if (!present.has(id)) this.#forget(id, nowMs);
    }
    for (const id of delta.removed) this.#forget(id, nowMs);
    const added = delta.changed.filter(({ id }) => !this.#numbers.has(id));
    added.sort((a, b) => a.addedAtMs - b.addedAtMs);
    for (const { id } of added) {
      this.#numbers.set(id, this.#next);
      this.#ids.set(this.#next++, id);
    }
    for (const row of delta.changed) {
      this.#learnHashes(row);
      this.#touched.delete(row.id);
      this.#touched.set(row.id, nowMs);
    }
    this.#dropOld(nowMs);
  }

  all(): readonly TorrentId[] {
    return [...this.#numbers.keys()];
  }

  /** Of a torrent that there is. */
  numberOf(id: TorrentId): number {
    return this.#numbers.get(id) ?? -1;
  }

  idOf(number: number): TorrentId | null {
    return this.#ids.get(number) ?? null;
  }

  /** @param hash 40 or 64 hex digits of either case */
  idOfHash(hash: string): TorrentId | null {
    return this.#byHash.get(hash.toLowerCase()) ?? null;
  }

  /** What has changed, and the numbers of what has gone, in the last minute. */
  recent(): { readonly ids: readonly TorrentId[]; readonly removed: readonly number[] } {
    return { ids: [...this.#touched.keys()], removed: this.#removed.map(({ number }) => number) };
  }

  #learnHashes(row: ListedTorrent): void {
    const hashes = [row.infoHashV1, row.infoHashV2, row.infoHashV2?.slice(0, 40)];
    const known = hashes.join(' ');
    if (this.#hashes.get(row.id) === known) return;
    this.#hashes.set(row.id, known);
    for (const hash of hashes) if (hash) this.#byHash.set(hash, row.id);
  }

  #forget(id: TorrentId, nowMs: number): void {
    const number = this.#numbers.get(id);
    if (number === undefined) return;
    this.#numbers.delete(id);
    this.#ids.delete(number);
    this.#touched.delete(id);
    for (const hash of this.#hashes.get(id)?.split(' ') ?? [])
      if (this.#byHash.get(hash) === id) this.#byHash.delete(hash);
    this.#hashes.delete(id);
    this.#removed.push({ number, atMs: nowMs });
  }

  #dropOld(nowMs: number): void {
    for (const [id, atMs] of this.#touched) {
      if (nowMs - atMs <= compatLimits.recentMs) break;
      this.#touched.delete(id);
    }
    const kept = this.#removed.findIndex(({ atMs }) => nowMs - atMs <= compatLimits.recentMs);
    this.#removed.splice(0, kept < 0 ? this.#removed.length : kept);
    this.#removed.splice(0, this.#removed.length - compatLimits.removedCountMax);
  }
}
