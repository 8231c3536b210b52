/**
 * Torrents between two runs, in the node's database.
 *
 *   piece verified and written ─> applyChange ─ one transaction ─> committed ─> only now reported as kept
 *
 * The guarantee: a committed transaction survives the end of the process at any instant, and a piece is in it only
 * when its bytes were written before. So a kill loses no reported piece and claims none that was not verified. A
 * power failure may take back the last transactions, as a whole; what it may do to the files is judged at start
 * (core/resume.ts).
 *
 * Pieces are bits in rows of 4096, so that recording a few costs a few hundred bytes whatever the torrent's size.
 */
import { Bitfield, type Database, type Fault, NodeError } from '@tequio/kernel';
import type { ResumeChange, ResumeProgress, ResumeSession, SettledFile } from '../core/resume.ts';
import { decodeResumeRecord, encodeResumeRecord, type ResumeRecord } from '../core/resume-record.ts';

export type StoredTorrent = {
  readonly record: ResumeRecord;
  /** The torrent file; null while the metadata is not known. */
  readonly metainfo: Uint8Array | null;
  readonly progress: ResumeProgress;
};

export type LoadedTorrents = {
  readonly torrents: readonly StoredTorrent[];
  /** Left in the database, and not started. */
  readonly unreadable: readonly { readonly id: string; readonly fault: Fault }[];
};

/** What of a torrent is needed to show it, not to run it. */
export type ListedTorrent = {
  readonly record: ResumeRecord;
  /** All pieces are recorded, none lies in the part file, and no file was in doubt at the end. */
  readonly isComplete: boolean;
};

export interface ResumeStore {
  load(): LoadedTorrents;
  /** All of them, in the order in which they were added. */
  list(): { readonly torrents: readonly ListedTorrent[]; readonly unreadable: LoadedTorrents['unreadable'] };
  /** One torrent; null: there is none, or it cannot be read. */
  tryLoad(id: string): StoredTorrent | null;
  /** Adds or replaces the record. */
  save(record: ResumeRecord): void;
  /** Once, when the metadata is known. The torrent's record must be there. */
  saveMetainfo(id: string, torrentFile: Uint8Array): void;
  /** Lengths of its files, by which others find it. */
  saveLengths(id: string, lengths: readonly number[]): void;
  /** Torrents with a file of this length, at most `countMax`. */
  withLength(bytes: number, countMax: number): string[];
  /** Collections (BEP 38) that it belongs to. */
  saveCollections(id: string, names: readonly string[]): void;
  /** Torrents of a collection, at most `countMax`. */
  inCollection(name: string, countMax: number): string[];
  /** Records all of the change, or throws and records nothing. When it returns, it is committed. */
  applyChange(id: string, change: ResumeChange): void;
  /** Forgets everything about the torrent. */
  remove(id: string): void;
}

/** Pieces in one row. */
const chunkPieceCount = 4096;

/** Each is run once, in order, and never changed again. */
const migrations: readonly string[] = [
  `CREATE TABLE bittorrent_torrents (id TEXT PRIMARY KEY, record BLOB NOT NULL) STRICT;
   CREATE TABLE bittorrent_metainfo (
     torrent TEXT PRIMARY KEY REFERENCES bittorrent_torrents ON DELETE CASCADE, bytes BLOB NOT NULL) STRICT;
   CREATE TABLE bittorrent_pieces (
     torrent TEXT NOT NULL REFERENCES bittorrent_torrents ON DELETE CASCADE, chunk INTEGER NOT NULL,
     bits BLOB NOT NULL, PRIMARY KEY (torrent, chunk)) STRICT, WITHOUT ROWID;
   CREATE TABLE bittorrent_slots (
     torrent TEXT NOT NULL REFERENCES bittorrent_torrents ON DELETE CASCADE, piece INTEGER NOT NULL,
     slot INTEGER NOT NULL, PRIMARY KEY (torrent, piece)) STRICT, WITHOUT ROWID;
   CREATE TABLE bittorrent_settled (
     torrent TEXT NOT NULL REFERENCES bittorrent_torrents ON DELETE CASCADE, file INTEGER NOT NULL,
     bytes INTEGER NOT NULL, modified_ms REAL NOT NULL, PRIMARY KEY (torrent, file)) STRICT, WITHOUT ROWID;
   CREATE TABLE bittorrent_places (
     torrent TEXT PRIMARY KEY REFERENCES bittorrent_torrents ON DELETE CASCADE, placed BLOB NOT NULL) STRICT;
   CREATE TABLE bittorrent_sessions (
     torrent TEXT PRIMARY KEY REFERENCES bittorrent_torrents ON DELETE CASCADE, boot_id TEXT NOT NULL,
     started_ms REAL NOT NULL, alive_ms REAL NOT NULL) STRICT;`,
  `CREATE TABLE bittorrent_lengths (
     bytes INTEGER NOT NULL, torrent TEXT NOT NULL REFERENCES bittorrent_torrents ON DELETE CASCADE,
     PRIMARY KEY (bytes, torrent)) STRICT, WITHOUT ROWID;
   CREATE INDEX bittorrent_lengths_by_torrent ON bittorrent_lengths (torrent);`,
  `CREATE TABLE bittorrent_collections (
     name TEXT NOT NULL, torrent TEXT NOT NULL REFERENCES bittorrent_torrents ON DELETE CASCADE,
     PRIMARY KEY (name, torrent)) STRICT, WITHOUT ROWID;
   CREATE INDEX bittorrent_collections_by_torrent ON bittorrent_collections (torrent);`,
];

/** Brings the tables up to date. @throws NodeError `BITTORRENT_RESUME_NEWER` when a newer program made them */
export function createResumeStore(database: Database): ResumeStore {
  database.exec('CREATE TABLE IF NOT EXISTS bittorrent_schema (version INTEGER NOT NULL) STRICT');
  database.transaction(() => migrate(database));
  return new DatabaseResumeStore(database);
}

function migrate(database: Database): void {
  const version = Number(
    database.get('SELECT max(version) AS version FROM bittorrent_schema')?.['version'] ?? 0,
  );
  if (version > migrations.length) {
    throw new NodeError(
      'BITTORRENT_RESUME_NEWER',
      'The database was written by a newer version of the program.',
      {
        op: 'open',
        data: { version },
      },
    );
  }
  for (let at = version; at < migrations.length; at++) {
    database.exec(migrations[at]!);
    database.run('INSERT INTO bittorrent_schema VALUES (?)', at + 1);
  }
}

/** Bits of a row past the last piece are never set. */
function bitCountOf(bits: Uint8Array): number {
  return Bitfield.tryFromBytes(bits, bits.length * 8)?.setCount ?? 0;
}

class DatabaseResumeStore implements ResumeStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  load(): LoadedTorrents {
    const torrents: StoredTorrent[] = [];
    const unreadable: { id: string; fault: Fault }[] = [];
    for (const row of this.#database.all('SELECT id, record FROM bittorrent_torrents ORDER BY rowid')) {
      const record = decodeResumeRecord(row['record'] as Uint8Array);
      if (record.ok) torrents.push(this.#loadOne(record.value));
      else unreadable.push({ id: String(row['id']), fault: record.fault });
    }
    return { torrents, unreadable };
  }

  list(): { torrents: ListedTorrent[]; unreadable: { id: string; fault: Fault }[] } {
    const database = this.#database;
    const counts = new Map<string, number>();
    for (const row of database.all('SELECT torrent, bits FROM bittorrent_pieces')) {
      const id = String(row['torrent']);
      counts.set(id, (counts.get(id) ?? 0) + bitCountOf(row['bits'] as Uint8Array));
    }
    for (const row of database.all('SELECT DISTINCT torrent FROM bittorrent_slots'))
      counts.delete(String(row['torrent']));
    for (const row of database.all('SELECT DISTINCT torrent FROM bittorrent_settled WHERE modified_ms < 0'))
      counts.delete(String(row['torrent']));
    const torrents: ListedTorrent[] = [];
    const unreadable: { id: string; fault: Fault }[] = [];
    for (const row of database.all('SELECT id, record FROM bittorrent_torrents ORDER BY rowid')) {
      const record = decodeResumeRecord(row['record'] as Uint8Array);
      if (!record.ok) unreadable.push({ id: String(row['id']), fault: record.fault });
      else
        torrents.push({
          record: record.value,
          isComplete: counts.get(record.value.id) === record.value.pieceCount,
        });
    }
    return { torrents, unreadable };
  }

  tryLoad(id: string): StoredTorrent | null {
    const row = this.#database.get('SELECT record FROM bittorrent_torrents WHERE id = ?', id);
    const record = row === null ? null : decodeResumeRecord(row['record'] as Uint8Array);
    return record?.ok === true ? this.#loadOne(record.value) : null;
  }

  save(record: ResumeRecord): void {
    this.#database.run(
      'INSERT INTO bittorrent_torrents VALUES (?, ?) ON CONFLICT DO UPDATE SET record = excluded.record',
      record.id,
      encodeResumeRecord(record),
    );
  }

  saveMetainfo(id: string, torrentFile: Uint8Array): void {
    this.#database.run('INSERT OR REPLACE INTO bittorrent_metainfo VALUES (?, ?)', id, torrentFile);
  }

  saveLengths(id: string, lengths: readonly number[]): void {
    const database = this.#database;
    database.transaction(() => {
      for (const bytes of lengths)
        database.run('INSERT OR IGNORE INTO bittorrent_lengths VALUES (?, ?)', bytes, id);
    });
  }

  withLength(bytes: number, countMax: number): string[] {
    const query = 'SELECT torrent FROM bittorrent_lengths WHERE bytes = ? LIMIT ?';
    return this.#database.all(query, bytes, countMax).map((row) => String(row['torrent']));
  }

  saveCollections(id: string, names: readonly string[]): void {
    const database = this.#database;
    database.transaction(() => {
      for (const name of names)
        database.run('INSERT OR IGNORE INTO bittorrent_collections VALUES (?, ?)', name, id);
    });
  }

  inCollection(name: string, countMax: number): string[] {
    const query = 'SELECT torrent FROM bittorrent_collections WHERE name = ? LIMIT ?';
    return this.#database.all(query, name, countMax).map((row) => String(row['torrent']));
  }

  applyChange(id: string, change: ResumeChange): void {
    const database = this.#database;
    database.transaction(() => {
      this.#changePieces(id, change.kept ?? [], change.lost ?? []);
      for (const { piece, slot } of change.slots ?? []) {
        if (slot === null)
          database.run('DELETE FROM bittorrent_slots WHERE torrent = ? AND piece = ?', id, piece);
        else database.run('INSERT OR REPLACE INTO bittorrent_slots VALUES (?, ?, ?)', id, piece, slot);
      }
      for (const { file, as } of change.settled ?? []) {
        if (as === null)
          database.run('DELETE FROM bittorrent_settled WHERE torrent = ? AND file = ?', id, file);
        else
          database.run(
            'INSERT OR REPLACE INTO bittorrent_settled VALUES (?, ?, ?, ?)',
            id,
            file,
            as.bytes,
            as.modifiedMs,
          );
      }
      if (change.placed !== undefined)
        database.run('INSERT OR REPLACE INTO bittorrent_places VALUES (?, ?)', id, change.placed);
      if (change.session !== undefined) {
        const { bootId, startedMs, aliveMs } = change.session;
        database.run(
          'INSERT OR REPLACE INTO bittorrent_sessions VALUES (?, ?, ?, ?)',
          id,
          bootId,
          startedMs,
          aliveMs,
        );
      }
    });
  }

  remove(id: string): void {
    this.#database.run('DELETE FROM bittorrent_torrents WHERE id = ?', id);
  }

  #loadOne(record: ResumeRecord): StoredTorrent {
    const { id } = record;
    const database = this.#database;
    const metainfo = database.get('SELECT bytes FROM bittorrent_metainfo WHERE torrent = ?', id)?.['bytes'];
    const placed = database.get('SELECT placed FROM bittorrent_places WHERE torrent = ?', id)?.['placed'];
    const slots = new Map<number, number>();
    for (const row of database.all('SELECT piece, slot FROM bittorrent_slots WHERE torrent = ?', id)) {
      slots.set(Number(row['piece']), Number(row['slot']));
    }
    const settled = new Map<number, SettledFile>();
    for (const row of database.all('SELECT * FROM bittorrent_settled WHERE torrent = ?', id)) {
      const file = { bytes: Number(row['bytes']), modifiedMs: Number(row['modified_ms']) };
      settled.set(Number(row['file']), file);
    }
    const progress: ResumeProgress = {
      have: this.#loadPieces(id, record.pieceCount),
      settled,
      session: this.#loadSession(id),
      placed: placed instanceof Uint8Array ? placed : new Uint8Array(0),
      slots,
    };
    return { record, metainfo: metainfo instanceof Uint8Array ? metainfo : null, progress };
  }

  #loadPieces(id: string, pieceCount: number): Bitfield {
    const have = new Bitfield(pieceCount);
    const rows = this.#database.all('SELECT chunk, bits FROM bittorrent_pieces WHERE torrent = ?', id);
    for (const row of rows) {
      const first = Number(row['chunk']) * chunkPieceCount;
      const bits = Bitfield.tryFromBytes(row['bits'] as Uint8Array, chunkPieceCount);
      if (bits === null) continue;
      for (let at = bits.nextSet(0); at >= 0; at = bits.nextSet(at + 1)) {
        if (first + at < pieceCount) have.set(first + at);
      }
    }
    return have;
  }

  #loadSession(id: string): ResumeSession | null {
    const row = this.#database.get('SELECT * FROM bittorrent_sessions WHERE torrent = ?', id);
    if (row === null) return null;
    return {
      bootId: String(row['boot_id']),
      startedMs: Number(row['started_ms']),
      aliveMs: Number(row['alive_ms']),
    };
  }

  #changePieces(id: string, kept: readonly number[], lost: readonly number[]): void {
    const chunks = new Map<number, Bitfield>();
    for (const piece of kept) this.#chunk(id, chunks, piece).set(piece % chunkPieceCount);
    for (const piece of lost) this.#chunk(id, chunks, piece).clear(piece % chunkPieceCount);
    for (const [chunk, bits] of chunks) {
      this.#database.run('INSERT OR REPLACE INTO bittorrent_pieces VALUES (?, ?, ?)', id, chunk, bits.bytes);
    }
  }

  #chunk(id: string, chunks: Map<number, Bitfield>, piece: number): Bitfield {
    const chunk = Math.floor(piece / chunkPieceCount);
    let bits = chunks.get(chunk);
    if (bits === undefined) {
      const row = this.#database.get(
        'SELECT bits FROM bittorrent_pieces WHERE torrent = ? AND chunk = ?',
        id,
        chunk,
      );
      bits =
        (row === null ? null : Bitfield.tryFromBytes(row['bits'] as Uint8Array, chunkPieceCount)) ??
        new Bitfield(chunkPieceCount);
      chunks.set(chunk, bits);
    }
    return bits;
  }
}
