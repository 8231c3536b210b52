/**
 * What libp2p remembers (peers with their addresses, records of the DHT) in one table of the node's database. Writes
 * wait a moment and go down together: peers change by the hundred, and each alone would be a transaction.
 */

import { NotFoundError } from '@libp2p/interface';
import { assert, type Clock, type Database, type Timer } from '@tequio/kernel';
import { BaseDatastore } from 'datastore-core';
import { Key, type KeyQuery, type Pair, type Query } from 'interface-datastore';
import { limits } from './limits.ts';

const { flushMs, pendingCount } = limits.store;

/** Where libp2p keeps them; what is older or more than the limit goes. */
const kinds = [
  { prefix: '/peers/', lastMs: limits.peers.lastMs, count: limits.peers.count },
  { prefix: '/dht', lastMs: limits.records.lastMs, count: limits.records.count },
] as const;

export class RecordStore extends BaseDatastore {
  readonly #database: Database;
  readonly #clock: Clock;
  /** Not written yet; null: to be removed. */
  readonly #pending = new Map<string, Uint8Array | null>();
  #timer: Timer | null = null;
  #sweepTimer: Timer | null = null;
  #isClosed = false;

  constructor(database: Database, clock: Clock) {
    super();
    this.#database = database;
    this.#clock = clock;
  }

  start(): void {
    this.#database.exec(
      `CREATE TABLE IF NOT EXISTS overlay_records (
         key TEXT PRIMARY KEY, value BLOB NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID`,
    );
    this.#sweep();
  }

  /** Written. What libp2p still says after this, as it does, is forgotten. */
  close(): void {
    this.#sweepTimer?.cancel();
    this.flush();
    this.#isClosed = true;
  }

  override put(key: Key, value: Uint8Array): Key {
    this.#set(key.toString(), value);
    return key;
  }

  override get(key: Key): Uint8Array {
    const value = this.#tryGet(key.toString());
    if (value === null) throw new NotFoundError();
    return value;
  }

  override has(key: Key): boolean {
    return this.#tryGet(key.toString()) !== null;
  }

  override delete(key: Key): void {
    this.#set(key.toString(), null);
  }

  override *_all(query: Query): Generator<Pair> {
    for (const { key, value } of this.#rows(query.prefix))
      yield { key: new Key(String(key)), value: asBytes(value) };
  }

  override *_allKeys(query: KeyQuery): Generator<Key> {
    for (const { key } of this.#rows(query.prefix)) yield new Key(String(key));
  }

  /** All that waits is written. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#pending.size === 0) return;
    const atMs = Math.floor(this.#clock.wallMs());
    this.#database.transaction(() => {
      for (const [key, value] of this.#pending) {
        if (value === null) this.#database.run('DELETE FROM overlay_records WHERE key = ?', key);
        else this.#database.run('INSERT OR REPLACE INTO overlay_records VALUES (?, ?, ?)', key, value, atMs);
      }
    });
    this.#pending.clear();
  }

  #set(key: string, value: Uint8Array | null): void {
    if (this.#isClosed) return;
    this.#pending.set(key, value);
    if (this.#pending.size >= pendingCount) this.flush();
    else this.#timer ??= this.#clock.setTimer(flushMs, () => this.flush());
  }

  #tryGet(key: string): Uint8Array | null {
    const pending = this.#pending.get(key);
    if (pending !== undefined || this.#isClosed) return pending ?? null;
    const row = this.#database.get('SELECT value FROM overlay_records WHERE key = ?', key);
    return row === null ? null : asBytes(row.value);
  }

  #rows(prefix = '/'): ReturnType<Database['all']> {
    if (this.#isClosed) return [];
    this.flush();
    // Keys are ASCII: nothing that begins with the prefix is behind this.
    return this.#database.all(
      'SELECT key, value FROM overlay_records WHERE key >= ? AND key < ?',
      prefix,
      `${prefix}\x7f`,
    );
  }

  /** What nobody has renewed goes, and of too many the oldest. */
  #sweep(): void {
    const nowMs = Math.floor(this.#clock.wallMs());
    for (const { prefix, lastMs, count } of kinds) {
      const range = [prefix, `${prefix}\x7f`] as const;
      this.#database.run(
        'DELETE FROM overlay_records WHERE key >= ? AND key < ? AND at_ms < ?',
        ...range,
        nowMs - lastMs,
      );
      this.#database.run(
        `DELETE FROM overlay_records WHERE key IN (SELECT key FROM overlay_records
           WHERE key >= ? AND key < ? ORDER BY at_ms DESC LIMIT -1 OFFSET ?)`,
        ...range,
        count,
      );
    }
    this.#sweepTimer = this.#clock.setTimer(limits.records.sweepMs, () => this.#sweep());
  }
}

function asBytes(value: unknown): Uint8Array {
  assert(value instanceof Uint8Array, 'the table holds bytes');
  return value;
}
