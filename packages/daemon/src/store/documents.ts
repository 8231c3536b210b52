import type { Database } from '@tequio/kernel';

/**
 * Small things by name that the node remembers: categories, users, feeds. All of one kind are kept in memory; a
 * change is committed when the call returns. What cannot be read is left out, and stays in the database.
 */
export class Documents<Value> {
  readonly #database: Database;
  readonly #kind: string;
  readonly #values = new Map<string, Value>();

  constructor(database: Database, kind: string) {
    this.#database = database;
    this.#kind = kind;
    for (const row of database.all(
      'SELECT key, value FROM node_documents WHERE kind = ? ORDER BY key',
      kind,
    )) {
      const value = tryParse(String(row['value']));
      if (value !== undefined) this.#values.set(String(row['key']), value as Value);
    }
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): Value | null {
    return this.#values.get(key) ?? null;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** By key, in the order in which they were made in this run, after those of earlier runs. */
  entries(): readonly (readonly [string, Value])[] {
    return [...this.#values];
  }

  values(): readonly Value[] {
    return [...this.#values.values()];
  }

  put(key: string, value: Value): void {
    this.#database.run(
      'INSERT INTO node_documents VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
      this.#kind,
      key,
      JSON.stringify(value),
    );
    this.#values.set(key, value);
  }

  /** False: there was none. */
  remove(key: string): boolean {
    this.#database.run('DELETE FROM node_documents WHERE kind = ? AND key = ?', this.#kind, key);
    return this.#values.delete(key);
  }
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
