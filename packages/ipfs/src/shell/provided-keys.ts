/** What the DHT was told of what is here, and when, over restarts: a table of the repository's database. */
import type { Clock, Database, Timer } from '@tequio/kernel';
import type { ProvidedStore } from './providing.ts';

/** Keys are told by the thousand: what is to be remembered waits a moment, and is written in one go. */
const flushMs = 1000;
const pendingMax = 5000;

/** See the top of the file. What a crash loses of it is told once more. */
export class ProvidedKeys implements ProvidedStore {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #pending = new Map<
    string,
    { readonly key: Uint8Array; readonly toldMs: number | null | 'gone' }
  >();
  #timer: Timer | null = null;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    database.exec(
      'CREATE TABLE IF NOT EXISTS provided_keys (key BLOB PRIMARY KEY, told_ms INTEGER) STRICT, WITHOUT ROWID',
    );
  }

  *load(): Generator<{ readonly key: Uint8Array; readonly toldMs: number | null }> {
    for (const row of this.#database.all('SELECT key, told_ms FROM provided_keys')) {
      const toldMs = row['told_ms'];
      yield { key: row['key'] as Uint8Array, toldMs: typeof toldMs === 'number' ? toldMs : null };
    }
  }

  save(key: Uint8Array, toldMs: number | null): void {
    this.#set(key, toldMs);
  }

  remove(key: Uint8Array): void {
    this.#set(key, 'gone');
  }

  /** All that waits is written; before the database is closed. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#pending.size === 0) return;
    this.#database.transaction(() => {
      for (const { key, toldMs } of this.#pending.values()) {
        if (toldMs === 'gone') this.#database.run('DELETE FROM provided_keys WHERE key = ?', key);
        else
          this.#database.run(
            'INSERT OR REPLACE INTO provided_keys VALUES (?, ?)',
            key,
            toldMs === null ? null : Math.floor(toldMs),
          );
      }
    });
    this.#pending.clear();
  }

  #set(key: Uint8Array, toldMs: number | null | 'gone'): void {
    this.#pending.set(String.fromCharCode(...key), { key, toldMs });
    if (this.#pending.size >= pendingMax) this.flush();
    else this.#timer ??= this.#clock.setTimer(flushMs, () => this.flush());
  }
}
