import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { Bitfield, type FileStat } from '@tequio/kernel';
import { infoOf } from './file-map.fixture.ts';
import { FileMap } from './file-map.ts';
import { judgeResume, partFileIndex, type ResumeProgress, resumeLimits, type SettledFile } from './resume.ts';

// Pieces of 10: 0 in a; 1 in a and b; 2 in b; 3 in b and c; 4 in c.
const map = new FileMap(infoOf(10, [15, 20, 15]));
const session = { bootId: 'boot', startedMs: 10_000, aliveMs: 50_000 };
const settledAll: [number, SettledFile][] = [15, 20, 15].map((bytes, i) => [
  i,
  { bytes, modifiedMs: 700 + i },
]);
const asSettled = (file: number): FileStat => settledAll[file]![1];

function progressOf(settled: [number, SettledFile][], pieces = [0, 1, 2, 3, 4]): ResumeProgress {
  const have = new Bitfield(5);
  for (const piece of pieces) have.set(piece);
  return { have, settled: new Map(settled), session, placed: new Uint8Array(0), slots: new Map() };
}

function judged(
  progress: ResumeProgress,
  statOf: (file: number) => FileStat | null,
  bootId = 'boot',
): [believed: number[], doubtful: number[], doubts: string[]] {
  const verdict = judgeResume(map, progress, statOf, bootId);
  const list = (field: Bitfield): number[] => [0, 1, 2, 3, 4].filter((piece) => field.has(piece));
  const doubts = verdict.doubts.map(({ file, reason }) => `${file} ${reason}`);
  return [list(verdict.believed), list(verdict.doubtful), doubts];
}

test('settled files that are as remembered are believed, on any boot', () => {
  deepEqual(judged(progressOf(settledAll), asSettled), [[0, 1, 2, 3, 4], [], []]);
  deepEqual(judged(progressOf(settledAll), asSettled, 'other'), [[0, 1, 2, 3, 4], [], []]);
  deepEqual(judged(progressOf(settledAll, [2, 4]), asSettled), [[2, 4], [], []]);
});

test('pieces of a missing, shorter, longer or touched file are doubtful, and its neighbours are not', () => {
  const cases: [FileStat | null, string][] = [
    [null, '1 missing'],
    [{ bytes: 19, modifiedMs: 701 }, '1 short'],
    [{ bytes: 21, modifiedMs: 701 }, '1 changed'],
    [{ bytes: 20, modifiedMs: 702 }, '1 changed'],
    [{ bytes: 20, modifiedMs: 700 }, '1 changed'],
  ];
  for (const [stat, doubt] of cases) {
    const found = judged(progressOf(settledAll), (file) => (file === 1 ? stat : asSettled(file)));
    deepEqual(found, [[0, 4], [1, 2, 3], [doubt]]);
  }
});

test('a file that was being written is believed after a kill, and doubtful after a power failure', () => {
  const progress = progressOf([settledAll[0]!, settledAll[2]!]);
  const at =
    (modifiedMs: number, bytes = 20) =>
    (file: number) =>
      file === 1 ? { bytes, modifiedMs } : asSettled(file);
  const all = [[0, 1, 2, 3, 4], [], []];
  deepEqual(judged(progress, at(30_000)), all);
  deepEqual(judged(progress, at(session.startedMs - resumeLimits.clockStepMs)), all);
  deepEqual(judged(progress, at(session.aliveMs + resumeLimits.graceMs)), all);
  deepEqual(judged(progress, at(30_000), 'other'), [[0, 4], [1, 2, 3], ['1 unsettled']]);
  deepEqual(judged(progress, at(session.startedMs - resumeLimits.clockStepMs - 1))[2], ['1 changed']);
  deepEqual(judged(progress, at(session.aliveMs + resumeLimits.graceMs + 1))[2], ['1 changed']);
});

test('a file that was being written and is too short loses just the pieces past its end', () => {
  const progress = progressOf([settledAll[0]!, settledAll[2]!]);
  const found = judged(progress, (file) =>
    file === 1 ? { bytes: 15, modifiedMs: 30_000 } : asSettled(file),
  );
  deepEqual(found, [[0, 1, 2, 4], [3], []]);
});

test('without a run that wrote it, nothing unsettled is believed', () => {
  const progress = { ...progressOf([]), session: null };
  deepEqual(judged(progress, () => ({ bytes: 20, modifiedMs: 30_000 }))[0], []);
});

test('pieces in the part file are judged by the part file, and those that are nowhere are doubtful', () => {
  const progress = progressOf([settledAll[0]!, [partFileIndex, { bytes: 100, modifiedMs: 5 }]], [0, 1, 2]);
  const asked: number[] = [];
  const verdict = judgeResume(
    map,
    progress,
    (file) => {
      asked.push(file);
      return file === partFileIndex ? { bytes: 100, modifiedMs: 5 } : asSettled(file);
    },
    'boot',
    (piece) => {
      if (piece === 2) return null;
      return [
        { file: 0, offset: 0, bytes: 10 },
        { file: partFileIndex, offset: 10 * piece, bytes: 5 },
      ];
    },
  );
  equal(verdict.believed.has(0) && verdict.believed.has(1) && verdict.doubtful.has(2), true);
  deepEqual(asked, [0, partFileIndex]);
});
