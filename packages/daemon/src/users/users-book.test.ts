import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDatabases, createEntropy } from '@tequio/runtime';
import { VirtualClock } from '@tequio/simulator';
import { openNodeTables } from '../store/node-tables.ts';
import { UsersBook } from './users-book.ts';

const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;
const token = 'the-token-of-this-node';

function openBook(database = createDatabases().open(':memory:')) {
  openNodeTables(database);
  const handed: string[] = [];
  const book = new UsersBook({
    database,
    clock: new VirtualClock(),
    entropy: createEntropy(),
    token,
    usageOf: () => ({ usedBytes: 0, torrentCount: 0 }),
    handOver: (user) => void handed.push(user),
  });
  return { book, database, handed };
}

const ana = { name: 'ana', scope: 'write', folder: null, quotaBytes: 5000, torrentCountMax: null } as const;

test('a password lets in whoever it is of, and nobody else, also after a restart', async () => {
  const { book, database } = openBook();
  await book.putUser(ana);
  assert.equal(await book.tryPassword('ana', ''), null, 'a user without a password cannot come in');
  await book.setPassword('ana', 'correct horse');
  await book.setPassword(null, 'battery staple');
  const later = openBook(database).book;
  assert.deepEqual(await later.tryPassword('ana', 'correct horse'), { user: 'ana', scope: 'write' });
  assert.deepEqual(await later.tryPassword('admin', 'battery staple'), { user: null, scope: 'admin' });
  assert.equal(await later.tryPassword('ana', 'battery staple'), null);
  assert.equal(await later.tryPassword('nobody', 'correct horse'), null);
  await assert.rejects(later.setPassword('ana', 'short'), code('PASSWORD_WEAK'));
  await later.setPassword('ana', '');
  assert.equal(await later.tryPassword('ana', 'correct horse'), null);
  const kept = JSON.stringify(database.all('SELECT value FROM node_documents'));
  assert.ok(!kept.includes('battery') && !kept.includes('correct'), 'no password lies in the database');
});

test('a key opens what it says and no more than its user may, until it is removed', async () => {
  const { book, database, handed } = openBook();
  await book.putUser({ ...ana, scope: 'read' });
  const { key, id } = await book.makeKey({ name: 'sonarr', scope: 'write', user: 'ana' });
  assert.deepEqual(await book.tryKey(key), { user: 'ana', scope: 'read' });
  assert.deepEqual(await book.tryKey(token), { user: null, scope: 'admin' });
  assert.equal(await book.tryKey(`${key}x`), null);
  assert.equal(await book.tryKey(''), null);
  assert.ok(!JSON.stringify(database.all('SELECT value FROM node_documents')).includes(key));
  assert.deepEqual((await openBook(database).book.tryKey(key))?.user, 'ana');
  assert.equal((await book.keys())[0]?.id, id);
  await book.removeUser('ana');
  assert.deepEqual(handed, ['ana']);
  assert.equal(await book.tryKey(key), null);
});

test('names that would be somebody else’s, or no name, are refused', async () => {
  const { book } = openBook();
  for (const name of ['admin', '', 'Ana', '../x', 'a b', 'x'.repeat(65)])
    await assert.rejects(book.putUser({ ...ana, name }), code('USER_NAME'));
  await assert.rejects(book.makeKey({ name: 'x', scope: 'read', user: 'nobody' }), code('USER_MISSING'));
});

test('many guesses at once are turned away before they fill the memory', async () => {
  const { book } = openBook();
  const guesses = Array.from({ length: 40 }, () =>
    book.tryPassword('admin', 'guess').catch((error) => error.code),
  );
  const outcomes = await Promise.all(guesses);
  assert.equal(outcomes.filter((outcome) => outcome === 'PASSWORD_BUSY').length, 18);
  assert.equal(outcomes.filter((outcome) => outcome === null).length, 22);
});
