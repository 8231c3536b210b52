import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiskResult } from '@tequio/kernel';
import { makeTorrent } from './made-torrent.fixture.ts';
import type { PieceExpectation } from './piece-assembly.ts';
import { type CheckJob, checksAtOnce, PieceChecker } from './piece-checker.ts';
import { PieceLayout } from './piece-layout.ts';

const digests = (matched: boolean): DiskResult =>
  ({ ok: true, written: false, digests: { matched } }) as unknown as DiskResult;
const unreadable: DiskResult = {
  ok: false,
  fault: { code: 'io', message: 'It cannot be read.', file: null },
};

function setUp(version: 'v1' | 'v2' | 'hybrid' = 'v1', watched: readonly number[] = []) {
  const { info } = makeTorrent(version, 32_768, [32_768 * 19 + 5]).metainfo;
  const expectation: PieceExpectation = {
    sha1Of: (piece) => info.pieceHashes?.subarray(20 * piece, 20 * piece + 20) ?? null,
    rootOf: (piece) => (version === 'v1' ? null : new Uint8Array(32).fill(piece)),
    isWatched: (piece) => watched.includes(piece),
  };
  let id = 100;
  const checker = new PieceChecker(new PieceLayout(info), expectation, () => id++);
  const drain = (): CheckJob[] => {
    const out: CheckJob[] = [];
    checker.drainJobs(out);
    return out;
  };
  return { checker, drain };
}

test('pieces are read in the order in which they were named, a few at once, and each is done once', () => {
  const { checker, drain } = setUp();
  for (let piece = 0; piece < 20; piece++) checker.add(piece, 'doubt');
  const done: number[] = [];
  const jobs = drain();
  assert.deepEqual(
    jobs.map(({ piece }) => piece),
    [0, 1, 2, 3, 4, 5, 6, 7].slice(0, checksAtOnce),
  );
  assert.equal(checker.doubtCount, 20);
  while (jobs.length > 0) {
    const job = jobs.shift()!;
    assert.ok(checker.owns(job.id));
    const outcome = checker.handleChecked(job.id, digests(job.piece % 3 === 0));
    assert.deepEqual(
      [outcome?.piece, outcome?.matched, outcome?.purpose],
      [job.piece, job.piece % 3 === 0, 'doubt'],
    );
    assert.equal(checker.handleChecked(job.id, digests(true)), null, 'a result counts once');
    done.push(job.piece);
    jobs.push(...drain());
    assert.ok(jobs.length <= checksAtOnce);
  }
  assert.deepEqual(
    done,
    Array.from({ length: 20 }, (_, piece) => piece),
  );
  assert.equal(checker.doubtCount, 0);
});

test('what cannot be read does not match, whatever it was read for', () => {
  const { checker, drain } = setUp();
  for (const purpose of ['doubt', 'blocks', 'recover', 'leaves'] as const) {
    checker.add(3, purpose);
    const [job] = drain();
    const outcome = checker.handleChecked(job!.id, unreadable);
    assert.deepEqual([outcome?.purpose, outcome?.matched, outcome?.result], [purpose, false, unreadable]);
  }
  assert.equal(checker.doubtCount, 0, 'only doubts are counted');
});

test('it asks for the hashes that the version has, and for those of blocks where somebody may be to blame', () => {
  const jobOf = (
    version: 'v1' | 'v2' | 'hybrid',
    purpose: 'doubt' | 'blocks',
    watched: number[] = [],
  ): CheckJob => {
    const { checker, drain } = setUp(version, watched);
    checker.add(19, purpose);
    return drain()[0]!;
  };
  const v1 = jobOf('v1', 'doubt');
  assert.deepEqual(
    [v1.bytes, v1.digest.sha1, v1.digest.sha1Blocks, v1.digest.merkle],
    [5, true, false, null],
  );
  const v2 = jobOf('v2', 'doubt').digest;
  assert.deepEqual([v2.sha1, v2.merkle, v2.expect?.sha1], [false, { leafCount: 2, bytes: 5 }, null]);
  assert.equal(jobOf('hybrid', 'doubt').digest.sha1, true);
  assert.equal(jobOf('v1', 'blocks').digest.sha1Blocks, true);
  assert.equal(jobOf('v1', 'doubt', [19]).digest.sha1Blocks, true);
});

test('cancelled: what has begun still ends, the rest is forgotten, and new checks begin', () => {
  const { checker, drain } = setUp();
  for (let piece = 0; piece < 20; piece++) checker.add(piece, piece % 2 === 0 ? 'doubt' : 'leaves');
  const jobs = drain();
  checker.cancel();
  assert.equal(checker.doubtCount, checksAtOnce / 2);
  for (const job of jobs) checker.handleChecked(job.id, digests(true));
  assert.deepEqual([drain(), checker.doubtCount], [[], 0]);
  checker.add(5, 'doubt');
  assert.deepEqual(
    drain().map(({ piece }) => piece),
    [5],
  );
});
