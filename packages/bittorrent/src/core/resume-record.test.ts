import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { decodeBencode, encodeBencode } from '../wire/bencode.ts';
import { decodeResumeRecord, encodeResumeRecord, isSafePath, type ResumeRecord } from './resume-record.ts';

const record: ResumeRecord = {
  id: 'ab'.repeat(20),
  infoHashV1: new Uint8Array(20).fill(7),
  infoHashV2: new Uint8Array(32).fill(8),
  name: 'Año nuevo',
  folder: '/home/u/Downloads',
  pieceCount: 12,
  trackers: [['http://a/announce', 'udp://b:1'], ['http://c/']],
  webSeeds: ['http://w/'],
  renamed: new Map([[3, 'other/name.txt']]),
  filePriorities: Uint8Array.of(4, 0, 7, 1),
  pendingMove: null,
  filesFolder: null,
  ahead: null,
  paused: true,
  sequential: false,
  superSeed: true,
  title: 'mine',
  category: 'films',
  hasOwnTrackers: true,
  content: { private: true, pieceBytes: 65_536, fileCount: 3, totalBytes: 2 ** 40, wantedBytes: 5 },
  hasOwnWebSeeds: false,
  edgesFirst: true,
  activeMs: 1_700_000_000_123,
  preallocate: false,
  limitDown: 1000,
  limitUp: null,
  addedMs: 1_700_000_000_000,
  finishedMs: null,
  downloadedBytes: 2 ** 45,
  uploadedBytes: 5,
  wastedBytes: 0,
};

test('a record comes back as it was', () => {
  deepEqual(decodeResumeRecord(encodeResumeRecord(record)), { ok: true, value: record });
  for (const pendingMove of [
    { folder: '/new' },
    { folder: '/new', files: [0, 9, 17] },
    { file: 2, path: 'a/b' },
  ]) {
    const moving = { ...record, pendingMove };
    deepEqual(decodeResumeRecord(encodeResumeRecord(moving)), { ok: true, value: moving });
  }
  const ahead = { ...record, filesFolder: '/done', ahead: { folder: '/e', files: new Set([0, 1000]) } };
  deepEqual(decodeResumeRecord(encodeResumeRecord(ahead)), { ok: true, value: ahead });
  const bare = { ...record, infoHashV1: null, limitUp: 0, finishedMs: 1, renamed: new Map(), trackers: [] };
  deepEqual(decodeResumeRecord(encodeResumeRecord(bare)), { ok: true, value: bare });
});

test('a newer version and other bytes are faults', () => {
  const newer = decodeResumeRecord(encodeBencode({ version: 2, id: record.id, folder: '/' }));
  equal(!newer.ok && newer.fault.code, 'BITTORRENT_RESUME_VERSION');
  for (const bytes of [
    new Uint8Array(0),
    encodeBencode({}),
    encodeBencode({ version: 1, id: 'x', folder: '/' }),
  ]) {
    const result = decodeResumeRecord(bytes);
    equal(!result.ok && result.fault.code, 'BITTORRENT_RESUME_RECORD');
  }
});

test('odd fields get their defaults', () => {
  const odd = decodeResumeRecord(
    encodeBencode({
      version: 1,
      id: record.id,
      folder: '/x',
      hash1: 'short',
      renamed: [[1, '../../etc/passwd'], [2, '/abs'], [-1, 'a'], [3, 'fine'], 7, []],
      trackers: [[], 5, ['a', 6]],
      priorities: Uint8Array.of(200),
      downloaded: -5,
    }),
  );
  ok(odd.ok);
  equal(odd.value.infoHashV1, null);
  deepEqual([...odd.value.renamed], [[3, 'fine']]);
  deepEqual(odd.value.trackers, [['a']]);
  deepEqual([...odd.value.filePriorities], [7]);
  equal(odd.value.downloadedBytes, 0);
});

test('damaged records never throw', () => {
  const good = encodeResumeRecord(record);
  for (let seed = 0; seed < 2000; seed++) {
    const prng = new Prng(seed);
    const bytes = good.slice(0, prng.chance(0.3) ? prng.below(good.length) : good.length);
    for (let i = prng.between(1, 4); i > 0 && bytes.length > 0; i--)
      bytes[prng.below(bytes.length)] = prng.below(256);
    const result = decodeResumeRecord(bytes);
    if (result.ok) ok(decodeBencode(encodeResumeRecord(result.value)).ok, `seed ${seed}`);
  }
});

test('paths that could leave the folder are not safe', () => {
  for (const path of ['', '/', '/a', 'a/', 'a//b', '.', 'a/../b', '..', 'a\0', 'a\\..\\b'])
    equal(isSafePath(path), false);
  for (const path of ['a', 'a/b', '...', '.hidden/x']) equal(isSafePath(path), true);
});
