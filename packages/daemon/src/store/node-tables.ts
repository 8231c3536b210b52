/**
 * The node's own tables, beside those of the applications in the same database. Each migration is run once, in order,
 * and never changed again.
 */
import { type Database, NodeError } from '@tequio/kernel';

const migrations: readonly string[] = [
  `CREATE TABLE node_documents (
     kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID;
   CREATE TABLE node_torrents (id TEXT PRIMARY KEY, note TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
];

/** Brings the tables up to date. @throws NodeError `DATABASE_NEWER` when a newer program made them */
export function openNodeTables(database: Database): void {
  database.exec('CREATE TABLE IF NOT EXISTS node_schema (version INTEGER NOT NULL) STRICT');
  database.transaction(() => {
    const version = Number(database.get('SELECT max(version) AS version FROM node_schema')?.['version'] ?? 0);
    if (version > migrations.length) {
      throw new NodeError(
        'DATABASE_NEWER',
        'The data folder was used by a newer version of the program; start that one, or choose another folder by --data.',
        { op: 'open', data: { version } },
      );
    }
    for (let at = version; at < migrations.length; at++) {
      database.exec(migrations[at]!);
      database.run('INSERT INTO node_schema VALUES (?)', at + 1);
    }
  });
}
