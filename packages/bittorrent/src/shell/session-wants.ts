/**
 * What of a torrent's content is wanted, and what of it first: priorities of files, their ends, order, deadlines. It
 * tells the storage, the picker and the record, each of which keeps its own.
 */
import type { PieceRange } from '../core/file-map.ts';
import type { SessionRecord } from './session-record.ts';
import type { TorrentDriver } from './torrent-driver.ts';
import type { TorrentStorage } from './torrent-storage.ts';

/** The torrent that it is about. */
export interface SessionWantsHost {
  readonly driver: TorrentDriver;
  /** Null: not open yet. */
  readonly storage: TorrentStorage | null;
  readonly record: SessionRecord;
}

export class SessionWants {
  readonly #host: SessionWantsHost;

  constructor(host: SessionWantsHost) {
    this.#host = host;
  }

  /** @param priority 0: not wanted */
  async setFilePriority(files: readonly number[], priority: number): Promise<void> {
    const { storage, driver, record } = this.#host;
    if (storage === null) return;
    for (const file of files) this.#tell(storage, await storage.setPriority(file, priority));
    driver.drive();
    record.save();
  }

  setSequential(on: boolean): void {
    this.#host.driver.torrent.content?.picker.setSequential(on);
    this.#host.record.change({ sequential: on });
  }

  setEdgesFirst(on: boolean): void {
    const { storage, record } = this.#host;
    if (storage !== null) this.#tell(storage, storage.priorities.setEdgesFirst(on));
    record.change({ edgesFirst: on });
  }

  /** @param inMs null: it is not needed any more */
  setPieceDeadline(piece: number, inMs: number | null): void {
    this.#host.driver.run((torrent, nowMs) => {
      torrent.content?.setDeadline(piece, inMs === null ? null : nowMs + inMs, nowMs);
      torrent.refresh(nowMs);
    });
  }

  #tell({ priorities }: TorrentStorage, range: PieceRange | null): void {
    if (range === null) return;
    this.#host.driver.run((torrent, nowMs) => {
      torrent.nowMs = nowMs;
      for (let piece = range.first; piece <= range.last; piece++)
        torrent.content?.setPriority(piece, priorities.pieces[piece]!);
      torrent.refresh(nowMs);
    });
  }
}
