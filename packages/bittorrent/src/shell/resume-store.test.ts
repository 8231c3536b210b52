import { deepEqual, equal, throws } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { createDatabases } from '@tequio/runtime';
import type { ResumeChange } from '../core/resume.ts';
import type { ResumeRecord } from '../core/resume-record.ts';
import { createResumeStore, type ResumeStore } from './resume-store.ts';
import { MemoryResumeStore } from './resume-store-memory.ts';

const base = mkdtempSync(join(tmpdir(), 'tequio-resume-'));
after(() => rmSync(base, { recursive: true, force: true }));
const databases = createDatabases();

function recordOf(id: string, pieceCount = 10_000): ResumeRecord {
  return {
    id,
    infoHashV1: new Uint8Array(20),
    infoHashV2: null,
    name: 'name',
    folder: '/folder',
    pieceCount,
    trackers: [],
    webSeeds: [],
    renamed: new Map(),
    filePriorities: new Uint8Array(0),
    pendingMove: null,
    filesFolder: null,
    ahead: null,
    paused: false,
    sequential: false,
    superSeed: false,
    title: null,
    category: null,
    hasOwnTrackers: false,
    content: null,
    hasOwnWebSeeds: false,
    edgesFirst: false,
    activeMs: null,
    preallocate: false,
    limitDown: null,
    limitUp: null,
    addedMs: 1,
    finishedMs: null,
    downloadedBytes: 0,
    uploadedBytes: 0,
    wastedBytes: 0,
  };
}

const [idA, idB] = ['aa'.repeat(20), 'bb'.repeat(32)];

/** What a store holds, in a form that can be compared. */
function contentOf(store: ResumeStore): unknown {
  const { torrents, unreadable } = store.load();
  const plain = torrents.map(({ record, metainfo, progress }) => ({
    record,
    metainfo,
    have: progress.have.bytes.join(),
    settled: [...progress.settled].sort(([a], [b]) => a - b),
    slots: [...progress.slots].sort(([a], [b]) => a - b),
    placed: progress.placed,
    session: progress.session,
  }));
  return { plain, unreadable };
}

function randomChange(prng: Prng): ResumeChange {
  const pieces = (): number[] => Array.from({ length: prng.below(4) }, () => prng.below(10_000));
  const settled = Array.from({ length: prng.below(3) }, () => ({
    file: prng.between(-1, 4),
    as: prng.chance(0.3) ? null : { bytes: prng.below(2 ** 31) * 1000, modifiedMs: prng.nextFloat() * 1e12 },
  }));
  const slots = Array.from({ length: prng.below(3) }, () => ({
    piece: prng.below(5),
    slot: prng.chance(0.3) ? null : prng.below(9),
  }));
  return {
    kept: pieces(),
    lost: pieces(),
    slots,
    settled,
    ...(prng.chance(0.3) ? { placed: prng.bytes(2).slice() } : {}),
    ...(prng.chance(0.5)
      ? { session: { bootId: `b${prng.below(3)}`, startedMs: 0.5, aliveMs: prng.below(99) } }
      : {}),
  };
}

test('the database and its twin in memory hold the same, also after it is opened again', () => {
  const path = join(base, 'twin.sqlite');
  const prng = new Prng(5);
  let database = databases.open(path);
  let store = createResumeStore(database);
  const twin = new MemoryResumeStore();
  for (let round = 0; round < 300; round++) {
    const id = prng.chance(0.5) ? idA : idB;
    const action = prng.below(12);
    const known = twin.load().torrents.some(({ record }) => record.id === id);
    for (const each of [store, twin]) {
      if (!known) each.save(recordOf(id));
      else if (action === 0) each.remove(id);
      else if (action === 1) each.save({ ...recordOf(id), name: `name ${round}` });
      else if (action === 2) each.saveMetainfo(id, Uint8Array.of(round & 255));
    }
    if (known && action > 2) {
      const change = randomChange(prng);
      store.applyChange(id, change);
      twin.applyChange(id, change);
    }
    if (action === 3) {
      database.close();
      database = databases.open(path);
      store = createResumeStore(database);
    }
    deepEqual(contentOf(store), contentOf(twin), `round ${round}`);
  }
  database.close();
});

test('a change is recorded whole or not at all', () => {
  const database = databases.open(':memory:');
  const store = createResumeStore(database);
  throws(() => store.applyChange(idA, { kept: [1] }), /FOREIGN KEY/);
  store.save(recordOf(idA));
  store.applyChange(idA, { kept: [1] });
  const before = contentOf(store);
  const broken = { kept: [2], settled: [{ file: 0, as: { bytes: Number.NaN, modifiedMs: 1 } }] };
  throws(() => store.applyChange(idA, broken));
  deepEqual(contentOf(store), before);
  database.close();
});

test('a record that cannot be read is named and left alone, the others load', () => {
  const database = databases.open(':memory:');
  const store = createResumeStore(database);
  store.save(recordOf(idA));
  store.save(recordOf(idB));
  database.run('UPDATE bittorrent_torrents SET record = ? WHERE id = ?', Uint8Array.of(1, 2), idA);
  const { torrents, unreadable } = store.load();
  deepEqual(
    torrents.map(({ record }) => record.id),
    [idB],
  );
  deepEqual(
    unreadable.map(({ id, fault }) => [id, fault.code]),
    [[idA, 'BITTORRENT_RESUME_RECORD']],
  );
  database.close();
});

test('pieces beyond the torrent and damaged rows are left out', () => {
  const database = databases.open(':memory:');
  const store = createResumeStore(database);
  store.save(recordOf(idA, 5000));
  store.applyChange(idA, { kept: [0, 4095, 4096, 4999, 5000, 9000] });
  equal(store.load().torrents[0]!.progress.have.setCount, 4);
  database.run('UPDATE bittorrent_pieces SET bits = ? WHERE chunk = 0', Uint8Array.of(255));
  const { have } = store.load().torrents[0]!.progress;
  deepEqual([have.has(0), have.has(4096), have.setCount], [false, true, 2]);
  database.close();
});

test('a database of a newer program is not touched', () => {
  const database = databases.open(':memory:');
  createResumeStore(database);
  createResumeStore(database);
  database.run('INSERT INTO bittorrent_schema VALUES (99)');
  throws(() => createResumeStore(database), { code: 'BITTORRENT_RESUME_NEWER' });
  database.close();
});
