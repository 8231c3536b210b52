import type { BittorrentApi, HistoryApi, SpeedHistory, SpeedStep, TorrentId } from '@tequio/api';
import type { Clock, Database } from '@tequio/kernel';
import { Documents } from '../store/documents.ts';
import type { BookEntry } from '../torrents/torrent-book.ts';
import { SpeedRings } from './speed-rings.ts';

/** Torrents with rings of their own, the most recently active ones; some 30 KB each. */
const torrentCountMax = 200;

type Saved = Readonly<Partial<Record<SpeedStep, SpeedHistory>>>;

/** Speeds of the node over all runs, and of torrents that are active in this one. */
export class HistoryService implements HistoryApi {
  readonly #engine: Pick<BittorrentApi, 'totals'>;
  readonly #clock: Clock;
  readonly #kept: Documents<Saved>;
  readonly #node = new SpeedRings();
  readonly #torrents = new Map<TorrentId, SpeedRings>();
  #downloadedBytes = 0;
  #uploadedBytes = 0;
  #atMs: number;

  constructor(database: Database, engine: Pick<BittorrentApi, 'totals'>, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
    this.#kept = new Documents(database, 'history');
    this.#node.load(this.#kept.get('speeds') ?? {});
    this.#atMs = clock.nowMs();
  }

  /** Once a second. */
  tick(entries: Iterable<BookEntry>): void {
    const wallMs = this.#clock.wallMs();
    const { downloadedBytes, uploadedBytes } = this.#engine.totals();
    this.#node.add(downloadedBytes - this.#downloadedBytes, uploadedBytes - this.#uploadedBytes, wallMs);
    this.#downloadedBytes = downloadedBytes;
    this.#uploadedBytes = uploadedBytes;
    const seconds = Math.min(10, (this.#clock.nowMs() - this.#atMs) / 1000);
    this.#atMs = this.#clock.nowMs();
    for (const { id, row } of entries) {
      if (row.downRate === 0 && row.upRate === 0) continue;
      const rings = this.#torrents.get(id) ?? new SpeedRings(['second', 'minute']);
      // Those that are active come last, so that the first is the one that has been quiet longest.
      this.#torrents.delete(id);
      this.#torrents.set(id, rings);
      rings.add(row.downRate * seconds, row.upRate * seconds, wallMs);
    }
    for (const id of this.#torrents.keys()) {
      if (this.#torrents.size <= torrentCountMax) break;
      this.#torrents.delete(id);
    }
  }

  async speeds(step: SpeedStep, torrent?: TorrentId): Promise<SpeedHistory> {
    const rings = torrent === undefined ? this.#node : (this.#torrents.get(torrent) ?? new SpeedRings([]));
    return rings.read(step, this.#clock.wallMs());
  }

  save(): void {
    this.#kept.put('speeds', this.#node.save(this.#clock.wallMs()));
  }
}
