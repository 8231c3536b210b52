/** The resume store in memory: for simulations and tests, and for a node that keeps nothing. Outlives what uses it. */
import { Bitfield } from '@tequio/kernel';
import type { ResumeChange, ResumeProgress, ResumeSession, SettledFile } from '../core/resume.ts';
import type { ResumeRecord } from '../core/resume-record.ts';
import type { ListedTorrent, LoadedTorrents, ResumeStore, StoredTorrent } from './resume-store.ts';

type Entry = {
  record: ResumeRecord;
  metainfo: Uint8Array | null;
  lengths: ReadonlySet<number>;
  collections: ReadonlySet<string>;
  readonly pieces: Set<number>;
  readonly settled: Map<number, SettledFile>;
  readonly slots: Map<number, number>;
  placed: Uint8Array;
  session: ResumeSession | null;
};

export class MemoryResumeStore implements ResumeStore {
  readonly #entries = new Map<string, Entry>();

  load(): LoadedTorrents {
    return { torrents: [...this.#entries.values()].map(storedOf), unreadable: [] };
  }

  list(): { torrents: ListedTorrent[]; unreadable: [] } {
    const torrents = Array.from(this.#entries.values(), ({ record, pieces, slots, settled }) => ({
      record,
      isComplete:
        pieces.size === record.pieceCount &&
        slots.size === 0 &&
        ![...settled.values()].some(({ modifiedMs }) => modifiedMs < 0),
    }));
    return { torrents, unreadable: [] };
  }

  tryLoad(id: string): StoredTorrent | null {
    const entry = this.#entries.get(id);
    return entry === undefined ? null : storedOf(entry);
  }

  save(record: ResumeRecord): void {
    const entry = this.#entries.get(record.id);
    if (entry !== undefined) {
      entry.record = record;
      return;
    }
    this.#entries.set(record.id, {
      record,
      metainfo: null,
      lengths: new Set(),
      collections: new Set(),
      pieces: new Set(),
      settled: new Map(),
      slots: new Map(),
      placed: new Uint8Array(0),
      session: null,
    });
  }

  saveMetainfo(id: string, torrentFile: Uint8Array): void {
    this.#entry(id).metainfo = torrentFile.slice();
  }

  saveLengths(id: string, lengths: readonly number[]): void {
    this.#entry(id).lengths = new Set(lengths);
  }

  withLength(bytes: number, countMax: number): string[] {
    const found = [...this.#entries.values()].filter(({ lengths }) => lengths.has(bytes));
    return found.slice(0, countMax).map(({ record }) => record.id);
  }

  saveCollections(id: string, names: readonly string[]): void {
    this.#entry(id).collections = new Set(names);
  }

  inCollection(name: string, countMax: number): string[] {
    const found = [...this.#entries.values()].filter(({ collections }) => collections.has(name));
    return found.slice(0, countMax).map(({ record }) => record.id);
  }

  applyChange(id: string, change: ResumeChange): void {
    const entry = this.#entry(id);
    for (const piece of change.kept ?? []) entry.pieces.add(piece);
    for (const piece of change.lost ?? []) entry.pieces.delete(piece);
    for (const { piece, slot } of change.slots ?? []) setOrDelete(entry.slots, piece, slot);
    for (const { file, as } of change.settled ?? []) setOrDelete(entry.settled, file, as);
    if (change.placed !== undefined) entry.placed = change.placed.slice();
    if (change.session !== undefined) entry.session = change.session;
  }

  remove(id: string): void {
    this.#entries.delete(id);
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new Error(`torrent ${id} has no record`);
    return entry;
  }
}

function storedOf(entry: Entry): StoredTorrent {
  return { record: entry.record, metainfo: entry.metainfo, progress: progressOf(entry) };
}

function progressOf(entry: Entry): ResumeProgress {
  const have = new Bitfield(entry.record.pieceCount);
  for (const piece of entry.pieces) if (piece < have.bitCount) have.set(piece);
  return {
    have,
    settled: new Map(entry.settled),
    session: entry.session,
    placed: entry.placed.slice(),
    slots: new Map(entry.slots),
  };
}

function setOrDelete<Value>(map: Map<number, Value>, key: number, value: Value | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}
