/**
 * All torrents of the node in memory, as lists and decisions need them: the engine's row and the node's note of each,
 * with the version at which either changed. Made for a hundred thousand: what the engine says is taken over by its
 * changes, and the answer to "what is new" is one pass over numbers.
 */
import type {
  BittorrentApi,
  ListedTorrent,
  TorrentChanges,
  TorrentDelta,
  TorrentId,
  TorrentRow,
} from '@tequio/api';
import type { Clock } from '@tequio/kernel';
import { bookLimits } from './limits.ts';
import type { NoteStore } from './note-store.ts';
import { emptyNote, type TorrentNote } from './torrent-note.ts';

/** One torrent. Its fields change; the object stays. */
export type BookEntry = {
  readonly id: TorrentId;
  row: TorrentRow;
  note: TorrentNote;
  /** The name as it is sorted and searched by. */
  nameKey: string;
  /** Of the latest change. */
  version: number;
  /** Monotonic time up to which `downloadingMs` and `seedingMs` of the note count. */
  countedMs: number;
  /** Place in the queue; null: not in it. */
  position: number | null;
};

export type BookDeps = {
  readonly engine: Pick<BittorrentApi, 'rows' | 'row' | 'changes'>;
  readonly store: NoteStore;
  readonly clock: Clock;
  /** A number that an earlier run has not given out. */
  readonly firstVersion: number;
};

export class TorrentBook {
  readonly #engine: BookDeps['engine'];
  readonly #store: NoteStore;
  readonly #clock: Clock;
  readonly #firstVersion: number;
  readonly #entries = new Map<TorrentId, BookEntry>();
  /** Notes of torrents that the engine has not got yet. */
  readonly #waiting: Map<TorrentId, TorrentNote>;
  readonly #unsaved = new Set<TorrentId>();
  readonly #turned = new Set<BookEntry>();
  readonly #hidden = new Set<TorrentId>();
  #removed: { readonly id: TorrentId; readonly version: number }[] = [];
  /** Before this nothing is known of what was removed. */
  #removedSince: number;
  #version: number;
  #engineVersion = 0;
  #lastRank = 0;
  #firstRank = 0;
  #isPositioned = true;

  constructor({ engine, store, clock, firstVersion }: BookDeps) {
    this.#engine = engine;
    this.#store = store;
    this.#clock = clock;
    this.#firstVersion = firstVersion;
    this.#version = firstVersion;
    this.#removedSince = firstVersion;
    this.#waiting = new Map(store.load());
    for (const { rank } of this.#waiting.values()) this.#noteRank(rank);
  }

  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Changes when torrents come and go, never while it is walked without doing so. */
  entries(): IterableIterator<BookEntry> {
    return this.#entries.values();
  }

  entry(id: TorrentId): BookEntry | null {
    return this.#entries.get(id) ?? null;
  }

  /** Whose it is, also before the engine has it; null: the node's owner's. */
  ownerOf(id: TorrentId): string | null {
    return (this.#entries.get(id)?.note ?? this.#waiting.get(id))?.owner ?? null;
  }

  /** A torrent that is in nobody's list, until `unhide`. */
  hide(id: TorrentId): void {
    this.#hidden.add(id);
  }

  unhide(id: TorrentId): void {
    this.#hidden.delete(id);
  }

  /** Those that are new, or whose state, completeness or tracker has changed, since this was asked the last time. */
  takeTurned(): readonly BookEntry[] {
    const turned = [...this.#turned];
    this.#turned.clear();
    return turned;
  }

  /** Notes of torrents that the engine does not have are forgotten: once, when it has all of earlier runs. */
  dropWaiting(): void {
    this.#store.save(new Map([...this.#waiting.keys()].map((id) => [id, null])));
    this.#waiting.clear();
  }

  /** Takes over what has changed in the engine. */
  pull(): void {
    const changes = this.#engine.changes(this.#engineVersion);
    this.#engineVersion = changes.version;
    if (changes.full) this.#pullAll();
    else this.#pullChanged(changes);
    this.#position();
  }

  #pullChanged(changes: TorrentChanges): void {
    for (const id of changes.removed) this.#forget(id);
    if (changes.changed.length > 0) this.#version++;
    for (const id of changes.changed) {
      const row = this.#engine.row(id);
      if (row !== null) this.#take(row);
    }
  }

  /**
   * Writes notes; committed when this returns, and nothing is changed when it throws. A torrent that the engine has not
   * got yet has its note kept for it.
   */
  change(ids: Iterable<TorrentId>, changed: (note: TorrentNote) => TorrentNote): void {
    const notes = new Map<TorrentId, TorrentNote>();
    for (const id of ids) {
      const entry = this.#entries.get(id);
      if (entry !== undefined) this.#count(entry);
      const note = entry?.note ?? this.#waiting.get(id) ?? this.#newNote(null);
      notes.set(id, changed(note));
    }
    this.#store.save(notes);
    this.#version++;
    for (const [id, note] of notes) this.#put(id, note);
  }

  /** As `change`, kept with the next `flush`: for what the node itself finds out. */
  mark(entry: BookEntry, fields: Partial<TorrentNote>): void {
    this.#count(entry);
    this.#version++;
    this.#put(entry.id, { ...entry.note, ...fields });
    this.#unsaved.add(entry.id);
  }

  /** Keeps what was marked, and the times counted so far when `withTimes`. */
  flush(withTimes = false): void {
    if (withTimes) {
      for (const entry of this.#entries.values()) if (this.#count(entry)) this.#unsaved.add(entry.id);
    }
    const notes = new Map<TorrentId, TorrentNote | null>();
    for (const id of this.#unsaved) notes.set(id, this.#entries.get(id)?.note ?? null);
    this.#store.save(notes);
    this.#unsaved.clear();
  }

  /** A place before, or after, all that are in the queue. */
  rankAt(end: 'top' | 'bottom'): number {
    if (end === 'top') return --this.#firstRank;
    return ++this.#lastRank;
  }

  /** Those that are not complete, in order. */
  queue(): readonly BookEntry[] {
    const waiting: BookEntry[] = [];
    for (const entry of this.#entries.values()) if (isQueued(entry)) waiting.push(entry);
    return waiting.sort((a, b) => a.note.rank - b.note.rank);
  }

  listed(entry: BookEntry): ListedTorrent {
    this.#position();
    const { row, note } = entry;
    const nowMs = this.#clock.nowMs();
    return {
      ...row,
      category: note.category,
      tags: note.tags,
      owner: note.owner,
      addedAtMs: note.addedAtMs,
      finishedAtMs: note.finishedAtMs,
      downloadingMs: downloadingMsOf(entry, nowMs),
      seedingMs: seedingMsOf(entry, nowMs),
      queuePosition: entry.position,
      queued: note.queued,
      forced: note.forced,
      shareGoal: note.shareGoal,
      edgesFirst: note.edgesFirst,
      finishedFolder: note.finishedFolder,
      comment: note.comment,
      ratio: ratioOf(row),
      progress: progressOf(row),
    };
  }

  /** What has changed since a version of this run, for somebody who sees some of the torrents. */
  changes(since: number, sees: (entry: BookEntry) => boolean): TorrentDelta {
    this.#position();
    const full = since < this.#removedSince || since > this.#version || since < this.#firstVersion;
    const changed: ListedTorrent[] = [];
    const removed: TorrentId[] = [];
    for (const entry of this.#entries.values()) {
      if (!full && entry.version <= since) continue;
      if (sees(entry)) changed.push(this.listed(entry));
      // It may have been somebody else's before.
      else if (!full) removed.push(entry.id);
    }
    if (!full) for (const { id, version } of this.#removed) if (version > since) removed.push(id);
    return { version: this.#version, full, changed, removed };
  }

  #pullAll(): void {
    this.#version++;
    const rows = this.#engine.rows();
    const present = new Set<TorrentId>();
    for (const row of rows) {
      present.add(row.id);
      this.#take(row);
    }
    for (const id of [...this.#entries.keys()]) if (!present.has(id)) this.#forget(id);
  }

  #take(row: TorrentRow): void {
    const entry = this.#entries.get(row.id);
    if (entry === undefined) {
      if (!this.#hidden.has(row.id)) this.#meet(row);
      return;
    }
    const before = entry.row;
    const turned = before.state !== row.state || isComplete(before) !== isComplete(row);
    if (before.trackerHost !== row.trackerHost) this.#turned.add(entry);
    if (turned) {
      this.#count(entry);
      this.#isPositioned = false;
      this.#turned.add(entry);
    }
    if (before.name !== row.name) entry.nameKey = nameKeyOf(row.name);
    entry.row = row;
    entry.version = this.#version;
  }

  #meet(row: TorrentRow): void {
    const known = this.#waiting.get(row.id);
    this.#waiting.delete(row.id);
    if (known === undefined) this.#unsaved.add(row.id);
    const entry: BookEntry = {
      id: row.id,
      row,
      note: known ?? this.#newNote(row),
      nameKey: nameKeyOf(row.name),
      version: this.#version,
      countedMs: this.#clock.nowMs(),
      position: null,
    };
    this.#entries.set(row.id, entry);
    this.#turned.add(entry);
    this.#isPositioned = false;
  }

  #newNote(row: TorrentRow | null): TorrentNote {
    return {
      ...emptyNote,
      addedAtMs: this.#clock.wallMs(),
      rank: this.rankAt('bottom'),
      category: row?.category?.startsWith('\\') === false ? row.category : null,
      paused: row?.state === 'paused',
    };
  }

  #forget(id: TorrentId): void {
    if (!this.#entries.delete(id)) return;
    this.#isPositioned = false;
    this.#unsaved.add(id);
    this.#removed.push({ id, version: ++this.#version });
    if (this.#removed.length > bookLimits.removedCountMax) {
      this.#removed = this.#removed.slice(-bookLimits.removedCountMax / 2);
      this.#removedSince = this.#removed[0]!.version;
    }
  }

  #put(id: TorrentId, note: TorrentNote): void {
    this.#noteRank(note.rank);
    const entry = this.#entries.get(id);
    if (entry === undefined) {
      this.#waiting.set(id, note);
      return;
    }
    if (entry.note.rank !== note.rank) this.#isPositioned = false;
    entry.note = note;
    entry.version = this.#version;
  }

  #noteRank(rank: number): void {
    if (rank < this.#firstRank) this.#firstRank = rank;
    if (rank > this.#lastRank) this.#lastRank = rank;
  }

  /** Adds the time since the last call to what the state says; true when there was any to add. */
  #count(entry: BookEntry): boolean {
    const nowMs = this.#clock.nowMs();
    const { state } = entry.row;
    const isCounted = state === 'downloading' || state === 'metadata' || state === 'seeding';
    if (isCounted && nowMs > entry.countedMs) {
      entry.note = {
        ...entry.note,
        downloadingMs: downloadingMsOf(entry, nowMs),
        seedingMs: seedingMsOf(entry, nowMs),
      };
    }
    entry.countedMs = nowMs;
    return isCounted;
  }

  #position(): void {
    if (this.#isPositioned) return;
    this.#isPositioned = true;
    const queue = this.queue();
    const isMoved = (entry: BookEntry, position: number | null): boolean => entry.position !== position;
    this.#version++;
    for (const [position, entry] of queue.entries()) {
      if (!isMoved(entry, position)) continue;
      entry.position = position;
      entry.version = this.#version;
    }
    for (const entry of this.#entries.values()) {
      if (entry.position === null || isQueued(entry)) continue;
      entry.position = null;
      entry.version = this.#version;
    }
  }
}

/** All wanted content is there. */
export function isComplete(row: TorrentRow): boolean {
  return row.state === 'seeding' || (row.pieceCount > 0 && row.doneBytes >= row.wantedBytes);
}

function isQueued(entry: BookEntry): boolean {
  return !isComplete(entry.row);
}

export function ratioOf(row: TorrentRow): number {
  return row.wantedBytes > 0 ? row.uploadedBytes / row.wantedBytes : 0;
}

export function progressOf(row: TorrentRow): number {
  if (row.pieceCount === 0) return 0;
  return row.wantedBytes > 0 ? Math.min(1, row.doneBytes / row.wantedBytes) : 1;
}

export function downloadingMsOf({ row, note, countedMs }: BookEntry, nowMs: number): number {
  const runs = row.state === 'downloading' || row.state === 'metadata';
  return Math.round(note.downloadingMs + (runs ? Math.max(0, nowMs - countedMs) : 0));
}

export function seedingMsOf({ row, note, countedMs }: BookEntry, nowMs: number): number {
  return Math.round(note.seedingMs + (row.state === 'seeding' ? Math.max(0, nowMs - countedMs) : 0));
}

/** Lower case, without accents: `Éxodo` is found by `exodo`. */
export function nameKeyOf(name: string): string {
  return name.slice(0, bookLimits.nameKeyChars).normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
