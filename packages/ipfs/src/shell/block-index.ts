/**
 * Where each block lies, what is pinned and what the segments hold, in a database of the store's own.
 *
 *   blocks    key -> number, place (a segment, or minus a file's id), at (of its record, or bytes in a file), bytes
 *   segments  how long each is as far as it is recorded, what of it is in use, how much is surely on the device
 *   files     files of the user in which blocks lie in place, as they were when they were read
 *
 * A block is recorded when its bytes have been written, in one transaction with the segment's new length: so what a
 * segment holds beyond its recorded length was never promised to anybody.
 */
import { assert, type Database, NodeError } from '@tequio/kernel';
import { recordBytesOf } from '../wire/block-record.ts';

export type BlockRow = {
  readonly number: number;
  /** A segment's id; below zero: minus a file's. */
  readonly place: number;
  readonly at: number;
  /** Of the payload. */
  readonly bytes: number;
};

export type NewBlock = {
  readonly key: Uint8Array;
  readonly at: number;
  readonly bytes: number;
  /** Of its record. */
  readonly recordBytes: number;
  /** It is only moved from there, if it still lies there; null: it is new. */
  readonly from: { readonly place: number; readonly at: number } | null;
};

export type SegmentRow = {
  readonly id: number;
  /** Recorded; the file may be longer. */
  bytes: number;
  usedBytes: number;
  usedCount: number;
  /** Surely on the device. */
  syncedBytes: number;
};

export type FileRow = {
  readonly id: number;
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
};

type Row = Readonly<Record<string, unknown>>;

/** Each is run once, in order, and never changed again. */
const migrations: readonly string[] = [
  `CREATE TABLE blocks (key BLOB PRIMARY KEY, number INTEGER NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL,
     bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE segments (id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, used_bytes INTEGER NOT NULL,
     used_count INTEGER NOT NULL, synced_bytes INTEGER NOT NULL) STRICT;
   CREATE TABLE files (id INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, bytes INTEGER NOT NULL,
     modified_ms REAL NOT NULL) STRICT;
   CREATE TABLE pins (key BLOB NOT NULL, cid BLOB NOT NULL, mode TEXT NOT NULL, name TEXT NOT NULL,
     PRIMARY KEY (cid)) STRICT, WITHOUT ROWID;
   CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
];

/** See the top of the file. */
export class BlockIndex {
  readonly database: Database;
  readonly segments = new Map<number, SegmentRow>();
  #nextNumber: number;
  #lossCount = 0;

  /** @throws NodeError `IPFS_STORE_NEWER` when a newer program made the tables */
  constructor(database: Database) {
    this.database = database;
    database.exec(`PRAGMA cache_size = -8192;
      CREATE TABLE IF NOT EXISTS schema (version INTEGER NOT NULL) STRICT`);
    database.transaction(() => migrate(database));
    for (const row of database.all('SELECT * FROM segments ORDER BY id')) {
      const segment = segmentOf(row);
      this.segments.set(segment.id, segment);
    }
    this.#nextNumber = Number(this.state('next') ?? 1);
  }

  /** That the next block gets. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** Grows when blocks are forgotten, or are from now on read out of a file of the user. */
  get lossCount(): number {
    return this.#lossCount;
  }

  get lastSegment(): number {
    return Math.max(0, ...this.segments.keys());
  }

  find(key: Uint8Array): BlockRow | null {
    const row = this.database.get('SELECT number, place, at, bytes FROM blocks WHERE key = ?', key);
    return row === null ? null : blockOf(row);
  }

  /** Records what has been written to a segment, which is `bytes` long now. */
  add(segment: number, bytes: number, blocks: readonly NewBlock[]): void {
    const before = this.segments.get(segment);
    let [number, usedBytes, usedCount] = [this.#nextNumber, before?.usedBytes ?? 0, before?.usedCount ?? 0];
    const freed: (BlockRow & { readonly keyBytes: number })[] = [];
    this.database.transaction(() => {
      for (const block of blocks) {
        const known = this.find(block.key);
        if (!isNews(known, block)) continue;
        if (known !== null) freed.push({ ...known, keyBytes: block.key.length });
        this.database.run(
          'INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?, ?)',
          block.key,
          block.from === null ? number++ : known!.number,
          segment,
          block.at,
          block.bytes,
        );
        usedBytes += block.recordBytes;
        usedCount++;
      }
      this.#saveSegment({ id: segment, bytes, usedBytes, usedCount, syncedBytes: before?.syncedBytes ?? 0 });
      this.#saveState('next', String(number));
      for (const row of freed) this.#saveFreed(row, row.keyBytes);
    });
    this.#nextNumber = number;
    this.#reload(segment, ...freed.map((row) => row.place));
  }

  /** Gives blocks that are put again a new number. */
  renew(keys: readonly Uint8Array[]): void {
    let number = this.#nextNumber;
    this.database.transaction(() => {
      for (const key of keys) this.database.run('UPDATE blocks SET number = ? WHERE key = ?', number++, key);
      this.#saveState('next', String(number));
    });
    this.#nextNumber = number;
  }

  /** Forgets blocks. What a row says is looked up again, so that one that was moved or renewed is judged as it is. */
  remove(keys: readonly Uint8Array[], mayGo: (row: BlockRow) => boolean): { count: number; bytes: number } {
    const places = new Set<number>();
    let [count, bytes] = [0, 0];
    this.database.transaction(() => {
      for (const key of keys) {
        const row = this.find(key);
        if (row === null || !mayGo(row)) continue;
        this.database.run('DELETE FROM blocks WHERE key = ?', key);
        this.#saveFreed(row, key.length);
        places.add(row.place);
        count++;
        bytes += row.bytes;
      }
    });
    if (count > 0) this.#lossCount++;
    this.#reload(...places);
    return { count, bytes };
  }

  /** Blocks in the order of their keys, behind one of them. */
  page(after: Uint8Array | null, count: number): readonly (BlockRow & { readonly key: Uint8Array })[] {
    const rows = this.database.all(
      'SELECT * FROM blocks WHERE key > ? ORDER BY key LIMIT ?',
      after ?? new Uint8Array(0),
      count,
    );
    return rows.map((row) => ({ key: row['key'] as Uint8Array, ...blockOf(row) }));
  }

  /** What should lie in a segment or file from `at` on. Looks at every block that there is: for rare things. */
  blocksIn(place: number, at = 0): readonly (BlockRow & { readonly key: Uint8Array })[] {
    const rows = this.database.all('SELECT * FROM blocks WHERE place = ? AND at >= ? ORDER BY at', place, at);
    return rows.map((row) => ({ key: row['key'] as Uint8Array, ...blockOf(row) }));
  }

  /** So much of the segment is on the device. */
  markSynced(id: number, syncedBytes: number): void {
    this.database.run('UPDATE segments SET synced_bytes = ? WHERE id = ?', syncedBytes, id);
    this.#reload(id);
  }

  /** The segment ends there; what it held beyond is no longer known. */
  cutSegment(id: number, bytes: number): void {
    const segment = this.segments.get(id);
    if (segment === undefined) return;
    segment.bytes = bytes;
    segment.syncedBytes = Math.min(bytes, segment.syncedBytes);
    this.database.run(
      'UPDATE segments SET bytes = ?, synced_bytes = ? WHERE id = ?',
      bytes,
      segment.syncedBytes,
      id,
    );
  }

  /** The segment is no more; nothing is known to lie in it. */
  dropSegment(id: number): void {
    assert((this.segments.get(id)?.usedCount ?? 0) === 0, 'a segment goes when nothing in it is in use');
    this.durably(() => void this.database.run('DELETE FROM segments WHERE id = ?', id));
    this.segments.delete(id);
  }

  /** Blocks in place, where nothing is known of them yet. @returns how many were news */
  addInFile(
    file: Omit<FileRow, 'id'>,
    blocks: readonly { readonly key: Uint8Array; readonly at: number; readonly bytes: number }[],
    isInstead: boolean,
  ): number {
    let [number, count] = [this.#nextNumber, 0];
    const freed = new Set<number>();
    this.database.transaction(() => {
      this.database.run(
        `INSERT INTO files (path, bytes, modified_ms) VALUES (?, ?, ?)
         ON CONFLICT (path) DO UPDATE SET bytes = excluded.bytes, modified_ms = excluded.modified_ms`,
        file.path,
        file.bytes,
        file.modifiedMs,
      );
      const id = Number(this.database.get('SELECT id FROM files WHERE path = ?', file.path)!['id']);
      for (const { key, at, bytes } of blocks) {
        const known = this.find(key);
        if (known !== null && known.place > 0 && !isInstead) continue;
        if (known !== null && known.place > 0) {
          this.#saveFreed(known, key.length);
          freed.add(known.place);
        }
        this.database.run(
          'INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?, ?)',
          key,
          number++,
          -id,
          at,
          bytes,
        );
        if (known === null) count++;
      }
      this.#saveState('next', String(number));
    });
    this.#nextNumber = number;
    if (freed.size > 0) this.#lossCount++;
    this.#reload(...freed);
    return count;
  }

  file(id: number): FileRow | null {
    const row = this.database.get('SELECT * FROM files WHERE id = ?', id);
    return row === null ? null : fileOf(row);
  }

  fileAt(path: string): FileRow | null {
    const row = this.database.get('SELECT * FROM files WHERE path = ?', path);
    return row === null ? null : fileOf(row);
  }

  /** What lay in the file lies in another one; if that has blocks of its own, they lie in the same now. */
  moveFile(id: number, to: Omit<FileRow, 'id'>): void {
    this.database.transaction(() => {
      const there = this.fileAt(to.path);
      if (there !== null && there.id !== id) {
        this.database.run('UPDATE blocks SET place = ? WHERE place = ?', -id, -there.id);
        this.database.run('DELETE FROM files WHERE id = ?', there.id);
      }
      const { path, bytes, modifiedMs } = to;
      this.database.run(
        'UPDATE files SET path = ?, bytes = ?, modified_ms = ? WHERE id = ?',
        ...[path, bytes, modifiedMs, id],
      );
    });
  }

  /** Files that no block lies in any more are forgotten. */
  forgetUnusedFiles(): void {
    this.database.run('DELETE FROM files WHERE -id NOT IN (SELECT place FROM blocks WHERE place < 0)');
  }

  /** All that was recorded until now, and this, outlives a power failure. */
  durably(work: () => void): void {
    this.database.exec('PRAGMA synchronous = FULL');
    try {
      this.database.transaction(work);
    } finally {
      this.database.exec('PRAGMA synchronous = NORMAL');
    }
  }

  state(name: string): string | null {
    const row = this.database.get('SELECT value FROM state WHERE name = ?', name);
    return row === null ? null : String(row['value']);
  }

  setState(name: string, value: string): void {
    this.durably(() => this.#saveState(name, value));
  }

  /** Blocks in all, and bytes of them. Those in files are counted one by one. */
  count(): { readonly count: number; readonly bytes: number } {
    const row = this.database.get('SELECT count(*) AS count, coalesce(sum(bytes), 0) AS bytes FROM blocks')!;
    return { count: Number(row['count']), bytes: Number(row['bytes']) };
  }

  #saveState(name: string, value: string): void {
    this.database.run('INSERT OR REPLACE INTO state VALUES (?, ?)', name, value);
  }

  #saveSegment({ id, bytes, usedBytes, usedCount, syncedBytes }: SegmentRow): void {
    this.database.run(
      'INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, ?)',
      id,
      bytes,
      usedBytes,
      usedCount,
      syncedBytes,
    );
  }

  /** A block of a segment is no longer used. */
  #saveFreed({ place, bytes }: BlockRow, keyBytes: number): void {
    if (place < 0) return;
    this.database.run(
      'UPDATE segments SET used_bytes = used_bytes - ?, used_count = used_count - 1 WHERE id = ?',
      recordBytesOf(keyBytes, bytes),
      place,
    );
  }

  /** The memory's copy of rows that a transaction has changed. */
  #reload(...ids: readonly number[]): void {
    for (const id of new Set(ids)) {
      const row = id < 0 ? null : this.database.get('SELECT * FROM segments WHERE id = ?', id);
      if (row !== null) this.segments.set(id, segmentOf(row));
    }
  }
}

/** Nothing is known of the block, or it lay in a file, or it is moved from where it is said to lie. */
function isNews(known: BlockRow | null, { from }: NewBlock): boolean {
  if (from !== null) return known !== null && known.place === from.place && known.at === from.at;
  return known === null || known.place < 0;
}

function migrate(database: Database): void {
  const version = Number(database.get('SELECT max(version) AS version FROM schema')?.['version'] ?? 0);
  if (version > migrations.length) {
    throw new NodeError(
      'IPFS_STORE_NEWER',
      'The block store was written by a newer version of the program: use that one.',
      { op: 'open', data: { version } },
    );
  }
  for (let at = version; at < migrations.length; at++) {
    database.exec(migrations[at]!);
    database.run('INSERT INTO schema VALUES (?)', at + 1);
  }
}

function blockOf(row: Row): BlockRow {
  return {
    number: Number(row['number']),
    place: Number(row['place']),
    at: Number(row['at']),
    bytes: Number(row['bytes']),
  };
}

function segmentOf(row: Row): SegmentRow {
  return {
    id: Number(row['id']),
    bytes: Number(row['bytes']),
    usedBytes: Number(row['used_bytes']),
    usedCount: Number(row['used_count']),
    syncedBytes: Number(row['synced_bytes']),
  };
}

function fileOf(row: Row): FileRow {
  return {
    id: Number(row['id']),
    path: String(row['path']),
    bytes: Number(row['bytes']),
    modifiedMs: Number(row['modified_ms']),
  };
}
