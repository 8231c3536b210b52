import { deepEqual, equal, throws } from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createDatabases } from './database.ts';

const base = fs.mkdtempSync(join(tmpdir(), 'tequio-database-'));
after(() => fs.rmSync(base, { recursive: true, force: true }));
const databases = createDatabases();

test('values come back as they went in', () => {
  const database = databases.open(':memory:');
  database.exec('CREATE TABLE t (a, b, c, d); CREATE TABLE u (x)');
  database.run('INSERT INTO t VALUES (?, ?, ?, ?)', 1.5, 'text', Uint8Array.of(1, 2), null);
  deepEqual({ ...database.get('SELECT * FROM t') }, { a: 1.5, b: 'text', c: Uint8Array.of(1, 2), d: null });
  equal(database.get('SELECT * FROM t WHERE a = ?', 9), null);
  deepEqual(database.all('SELECT * FROM u'), []);
  database.close();
  database.close();
});

test('a transaction is kept whole, or not at all when it throws', () => {
  const path = join(base, 'folder', 'state.sqlite');
  const database = databases.open(path);
  database.exec('CREATE TABLE t (a INTEGER UNIQUE)');
  equal(
    database.transaction(() => {
      database.run('INSERT INTO t VALUES (?)', 1);
      return 'done';
    }),
    'done',
  );
  const insertTwice = (): void => {
    database.run('INSERT INTO t VALUES (?)', 2);
    database.run('INSERT INTO t VALUES (?)', 1);
  };
  throws(() => database.transaction(insertTwice), /UNIQUE/);
  throws(() => database.transaction(() => database.transaction(() => 1)), /nest/);
  const other = databases.open(path);
  deepEqual(
    other.all('SELECT a FROM t').map((row) => row['a']),
    [1],
  );
  other.close();
  database.run('INSERT INTO t VALUES (?)', 3);
  database.close();
});

test('foreign keys hold and the log is written ahead', () => {
  const database = databases.open(join(base, 'keys'));
  database.exec('CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p ON DELETE CASCADE)');
  throws(() => database.run('INSERT INTO c VALUES (7)'), /FOREIGN KEY/);
  equal(database.get('PRAGMA journal_mode')?.['journal_mode'], 'wal');
  equal(database.get('PRAGMA synchronous')?.['synchronous'], 1);
  database.close();
});

test('more statements than are kept', () => {
  const database = databases.open(':memory:');
  for (let i = 0; i < 300; i++) equal(database.get(`SELECT ${i} AS n`)?.['n'], i);
  for (let i = 0; i < 300; i++) equal(database.get(`SELECT ${i} AS n`)?.['n'], i);
  database.close();
});

test('what is no database cannot be opened', () => {
  const path = join(base, 'text');
  fs.writeFileSync(path, 'this is certainly not a database file, only a text'.repeat(100));
  throws(() => databases.open(path), { code: 'DATABASE_OPEN' });
  throws(() => databases.open(join(path, 'below')), { code: 'DATABASE_OPEN' });
});
