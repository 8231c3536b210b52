/** What this node has published under names, over restarts: a table of the repository's database. */
import type { Database } from '@tequio/kernel';

export type PublishedName = {
  readonly name: Uint8Array;
  /** The newest record, as it was spread. */
  readonly record: Uint8Array;
  readonly value: string;
  readonly lifetimeMs: number;
  readonly ttlMs: number;
  readonly viaPubsub: boolean;
};

/** Where {@link PublishedName}s are kept. */
export interface PublishedStore {
  load(): readonly PublishedName[];
  save(published: PublishedName): void;
  remove(name: Uint8Array): void;
}

/** See the top of the file. */
export class PublishedNames implements PublishedStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
    database.exec(
      `CREATE TABLE IF NOT EXISTS published_names (
         name BLOB PRIMARY KEY, record BLOB NOT NULL, value TEXT NOT NULL, lifetime_ms INTEGER NOT NULL,
         ttl_ms INTEGER NOT NULL, via_pubsub INTEGER NOT NULL) STRICT`,
    );
  }

  load(): readonly PublishedName[] {
    return this.#database.all('SELECT * FROM published_names').map((row) => ({
      name: row['name'] as Uint8Array,
      record: row['record'] as Uint8Array,
      value: String(row['value']),
      lifetimeMs: Number(row['lifetime_ms']),
      ttlMs: Number(row['ttl_ms']),
      viaPubsub: row['via_pubsub'] === 1,
    }));
  }

  save({ name, record, value, lifetimeMs, ttlMs, viaPubsub }: PublishedName): void {
    this.#database.run(
      'INSERT OR REPLACE INTO published_names VALUES (?, ?, ?, ?, ?, ?)',
      name,
      record,
      value,
      Math.round(lifetimeMs),
      Math.round(ttlMs),
      viaPubsub ? 1 : 0,
    );
  }

  remove(name: Uint8Array): void {
    this.#database.run('DELETE FROM published_names WHERE name = ?', name);
  }
}

/** For whoever keeps nothing: tests, and nodes without a repository. */
export class ForgottenNames implements PublishedStore {
  readonly #names = new Map<string, PublishedName>();

  load(): readonly PublishedName[] {
    return [...this.#names.values()];
  }

  save(published: PublishedName): void {
    this.#names.set(String.fromCharCode(...published.name), published);
  }

  remove(name: Uint8Array): void {
    this.#names.delete(String.fromCharCode(...name));
  }
}
