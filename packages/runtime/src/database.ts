/**
 * SQLite through the system library that comes with Node.js. Write-ahead log, `synchronous = NORMAL`: a transaction
 * that has returned survives the end of the process at any instant; a power failure may take the last ones back, as
 * a whole, and never leaves a damaged file.
 */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { assert, type Database, type DatabasePort, NodeError, type SqlValue } from '@tequio/kernel';

/** Prepared statements kept; the oldest goes. The program has fewer texts than this. */
const statementCountMax = 256;
/** How long a statement waits for another process that has the database locked. */
const busyTimeoutMs = 5000;

type Row = Readonly<Record<string, SqlValue>>;

export function createDatabases(): DatabasePort {
  return { open: (path) => new SqliteDatabase(openFile(path)) };
}

/** Makes the folder, for the user only, when it is missing; the file, and SQLite's beside it, are theirs alone too. */
function openFile(path: string): DatabaseSync {
  let file: DatabaseSync | null = null;
  try {
    if (path !== ':memory:') {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      makePrivateFile(path);
    }
    file = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
    file.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    return file;
  } catch (error) {
    file?.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new NodeError('DATABASE_OPEN', `The database "${path}" cannot be opened: ${reason}.`, {
      op: 'open',
      data: { path },
      cause: error,
    });
  }
}

/** The file for its owner alone, whether it is there already or not: SQLite would make it as the umask says. */
export function makePrivateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  try {
    chmodSync(path, 0o600);
  } catch {
    // Another user's, or on a file system without rights: then the folder decides.
  }
}

/** Primary result codes of SQLite that are the machine's doing, not a mistake of ours. */
const troubles: Readonly<Record<number, readonly [code: string, sentence: string]>> = {
  5: ['DATABASE_BUSY', 'Another program keeps the database locked; try again.'],
  8: ['DATABASE_READ_ONLY', 'The database cannot be written: its folder is read-only.'],
  10: ['DATABASE_IO', 'The disk of the data folder does not do as it is told; nothing was remembered.'],
  13: [
    'DATABASE_FULL',
    'The disk of the data folder is full: nothing can be remembered until there is room.',
  ],
};

/** What the machine cannot do is told as a sentence. @throws NodeError `DATABASE_…` */
function told<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    const code = (error as { errcode?: number }).errcode;
    const trouble = code === undefined ? undefined : troubles[code & 0xff];
    if (trouble === undefined) throw error;
    throw new NodeError(trouble[0], trouble[1], { op: 'write', retry: true, cause: error });
  }
}

class SqliteDatabase implements Database {
  readonly #file: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #inTransaction = false;

  constructor(file: DatabaseSync) {
    this.#file = file;
  }

  exec(sql: string): void {
    told(() => this.#file.exec(sql));
  }

  run(sql: string, ...values: SqlValue[]): void {
    told(() => this.#statement(sql).run(...values));
  }

  get(sql: string, ...values: SqlValue[]): Row | null {
    return told(() => (this.#statement(sql).get(...values) as Row | undefined) ?? null);
  }

  all(sql: string, ...values: SqlValue[]): readonly Row[] {
    return told(() => this.#statement(sql).all(...values) as Row[]);
  }

  transaction<Value>(work: () => Value): Value {
    assert(!this.#inTransaction, 'transactions do not nest');
    told(() => this.#file.exec('BEGIN IMMEDIATE'));
    this.#inTransaction = true;
    try {
      const value = work();
      told(() => this.#file.exec('COMMIT'));
      return value;
    } catch (error) {
      // Some errors (a full device) have ended it already.
      if (this.#file.isTransaction) this.#file.exec('ROLLBACK');
      throw error;
    } finally {
      this.#inTransaction = false;
    }
  }

  close(): void {
    if (!this.#file.isOpen) return;
    this.#statements.clear();
    this.#file.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= statementCountMax) {
      for (const oldest of this.#statements.keys()) {
        this.#statements.delete(oldest);
        break;
      }
    }
    const statement = this.#file.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
