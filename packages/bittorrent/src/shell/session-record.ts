/**
 * What is remembered of one torrent while it runs: the resume record with its totals over all runs. Every change is
 * stored at once, until the torrent is closed.
 */
import type { Clock } from '@tequio/kernel';
import type { AddOptions, TorrentId } from '../contract.ts';
import { isSelected } from '../core/file-select.ts';
import type { ContentSummary, ResumeRecord } from '../core/resume-record.ts';
import type { Torrent } from '../core/torrent.ts';
import type { TorrentFile } from '../wire/torrent-info.ts';
import { sizeOf } from './content-size.ts';
import type { SessionDeps, SessionSource } from './session-source.ts';
import type { TorrentStorage } from './torrent-storage.ts';

/** Where the figures of this run come from. */
export interface SessionRecordHost {
  readonly torrent: Torrent;
  /** Null: not open yet, the files' priorities are those of the record. */
  readonly storage: TorrentStorage | null;
  readonly isPaused: boolean;
}

export type SessionTotals = Pick<ResumeRecord, 'downloadedBytes' | 'uploadedBytes' | 'wastedBytes'>;

export class SessionRecord {
  readonly #source: SessionSource;
  readonly #add: AddOptions;
  readonly #store: SessionDeps['store'];
  readonly #host: SessionRecordHost;
  readonly #before: SessionTotals;
  readonly #clock: Clock;
  #record: ResumeRecord;
  #isClosed = false;

  constructor(
    id: TorrentId,
    source: SessionSource,
    add: AddOptions,
    deps: Pick<SessionDeps, 'store' | 'clock'>,
    host: SessionRecordHost,
  ) {
    this.#source = source;
    this.#add = add;
    this.#store = deps.store;
    this.#host = host;
    this.#clock = deps.clock;
    this.#record = source.stored?.record ?? newRecord(id, source, add, deps.clock.wallMs());
    this.#before = { ...this.#record };
  }

  get current(): ResumeRecord {
    return this.#record;
  }

  /** Over all runs. */
  get totals(): SessionTotals {
    const { torrent } = this.#host;
    return {
      downloadedBytes: this.#before.downloadedBytes + torrent.down.totalBytes,
      uploadedBytes: this.#before.uploadedBytes + torrent.up.totalBytes,
      wastedBytes: this.#before.wastedBytes + torrent.wastedBytes,
    };
  }

  /** Wall clock: content last went in or out; null: never. */
  get activeMs(): number | null {
    const atMs = this.#host.torrent.contentAtMs;
    return atMs === null ? this.#record.activeMs : this.#clock.wallMs() - (this.#clock.nowMs() - atMs);
  }

  /** At the start: nothing is stored where all is known already. */
  begin(): void {
    const { stored } = this.#source;
    if (stored === null || stored.record.paused !== this.#host.isPaused) this.save();
  }

  /** What its metadata says; stored where it is new. */
  open(name: string, pieceCount: number, filePriorities: Uint8Array): void {
    const before = this.#record;
    const isSame =
      before.name === name &&
      before.pieceCount === pieceCount &&
      before.filePriorities.length === filePriorities.length &&
      before.filePriorities.every((priority, file) => priority === filePriorities[file]);
    if (!isSame) this.change({ name, pieceCount, filePriorities });
  }

  /** Changes fields, and stores all. */
  change(fields: Partial<ResumeRecord>): void {
    this.#record = { ...this.#record, ...fields };
    this.save();
  }

  /** Stores the record with the figures, priorities and pause of this moment. */
  save(): void {
    if (this.#isClosed) return;
    const { storage, isPaused } = this.#host;
    const filePriorities =
      storage === null
        ? this.#record.filePriorities
        : Uint8Array.from(storage.info.files, (file) => storage.priorities.fileAt(file.index));
    const { activeMs, totals } = this;
    const content = storage === null ? this.#record.content : summaryOf(storage);
    this.#record = { ...this.#record, ...totals, activeMs, content, filePriorities, paused: isPaused };
    this.#store.save(this.#record);
  }

  /** From here on nothing is stored any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** The files' priorities to begin with: those of an earlier run, unless the user has just chosen. */
  prioritiesOf(files: readonly TorrentFile[]): Uint8Array {
    const chosen = this.#add.filePriorities ?? [];
    if (chosen.length === files.length)
      return Uint8Array.from(chosen, (one) => Math.min(7, Math.max(0, one)));
    const known = this.#record.filePriorities;
    const select = this.#add.select ?? [];
    const ranges = this.#source.select;
    if (known.length === files.length && select.length === 0 && ranges === null) return known;
    return Uint8Array.from(files, (file, index) => {
      const isInRange = ranges === null || ranges.some(([from, to]) => index >= from && index <= to);
      return isInRange && isSelected(file.path, select) ? 4 : 0;
    });
  }
}

function summaryOf({ info, wanted }: TorrentStorage): ContentSummary {
  const { private: isPrivate, pieceBytes } = info;
  return { private: isPrivate, pieceBytes, ...sizeOf(info), wantedBytes: wanted.wantedBytes };
}

/** The record of a torrent that is added for the first time. */
function newRecord(id: TorrentId, source: SessionSource, add: AddOptions, nowMs: number): ResumeRecord {
  return {
    id,
    infoHashV1: source.infoHashV1,
    infoHashV2: source.infoHashV2,
    name: source.name,
    title: add.name ?? null,
    category: add.category ?? null,
    folder: add.folder,
    pieceCount: source.metainfo?.info.pieceCount ?? 0,
    content: null,
    trackers: source.trackers,
    webSeeds: source.webSeeds,
    hasOwnTrackers: false,
    hasOwnWebSeeds: false,
    renamed: new Map(),
    filesFolder: null,
    ahead: null,
    pendingMove: null,
    filePriorities: new Uint8Array(0),
    paused: false,
    sequential: add.sequential ?? false,
    edgesFirst: false,
    superSeed: add.superSeed ?? false,
    preallocate: add.preallocate ?? false,
    limitDown: add.limitDown ?? null,
    limitUp: add.limitUp ?? null,
    addedMs: nowMs,
    finishedMs: null,
    activeMs: null,
    downloadedBytes: 0,
    uploadedBytes: 0,
    wastedBytes: 0,
  };
}
