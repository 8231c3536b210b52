import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { Bitfield, type FileId, Prng } from '@tequio/kernel';
import { infoOf } from './file-map.fixture.ts';
import { FileMap, FilePriorities, FileProgress, type FileSlice } from './file-map.ts';

/** Byte by byte: file and offset of each byte of the space. */
function bytesOf(files: readonly { bytes: number }[]): [number, number][] {
  return files.flatMap((file, index) =>
    Array.from({ length: file.bytes }, (_, offset): [number, number] => [index, offset]),
  );
}

function expand(slices: readonly FileSlice[]): [number, number][] {
  return slices.flatMap((slice) =>
    Array.from({ length: slice.bytes }, (_, i): [number, number] => [slice.file, slice.offset + i]),
  );
}

/** Small random torrents with empty files and pads. */
function randomInfo(prng: Prng): ReturnType<typeof infoOf> {
  const sizes: number[] = Array.from({ length: prng.between(1, 12) }, () =>
    prng.chance(0.3) ? 0 : prng.between(1, 40),
  );
  const pads = sizes.map((_, i) => i > 0 && prng.chance(0.25));
  if (!sizes.some((size) => size > 0)) sizes[0] = 5;
  return infoOf(prng.between(1, 20), sizes, pads);
}

test('slices are the bytes of the space, in order, one a file', () => {
  for (let seed = 0; seed < 300; seed++) {
    const prng = new Prng(seed);
    const info = randomInfo(prng);
    const [map, space] = [new FileMap(info), bytesOf(info.files)];
    for (let round = 0; round < 20; round++) {
      const piece = prng.below(info.pieceCount);
      const offset = prng.below(info.pieceBytes);
      const bytes = prng.between(0, info.pieceBytes - offset);
      const from = piece * info.pieceBytes + offset;
      const slices = map.slicesOf(piece, offset, bytes);
      deepEqual(expand(slices), space.slice(from, from + bytes), `seed ${seed}`);
      equal(new Set(slices.map((slice) => slice.file)).size, slices.length);
      const spans = map.spansOf(piece, offset, bytes, (file) => (file + 100) as FileId);
      deepEqual(
        spans,
        slices.map((slice) => ({
          file: slice.pad ? null : slice.file + 100,
          offset: slice.pad ? 0 : slice.offset,
          bytes: slice.bytes,
        })),
      );
    }
    info.files.forEach((file, index) => {
      const pieces = space.flatMap(([at], i) => (at === index ? [Math.floor(i / info.pieceBytes)] : []));
      const range = map.piecesOf(index);
      deepEqual(range, file.bytes === 0 ? null : { first: pieces[0], last: pieces.at(-1) });
    });
  }
});

test('a piece has the highest priority of its files, also after changes', () => {
  for (let seed = 0; seed < 300; seed++) {
    const prng = new Prng(seed);
    const info = randomInfo(prng);
    const [map, space] = [new FileMap(info), bytesOf(info.files)];
    const wanted = info.files.map(() => prng.below(4));
    const priorities = new FilePriorities(map, wanted);
    for (let round = 0; round < 10; round++) {
      const effective = [...wanted];
      info.files.forEach((file, i) => {
        if (file.pad) effective[i] = i > 0 ? effective[i - 1]! : 0;
      });
      const expected = Array.from({ length: info.pieceCount }, (_, piece) =>
        Math.max(
          ...space.slice(piece * info.pieceBytes, (piece + 1) * info.pieceBytes).map(([f]) => effective[f]!),
        ),
      );
      deepEqual([...priorities.pieces], expected, `seed ${seed} round ${round}`);
      const file = prng.below(info.files.length);
      if (info.files[file]!.pad) continue;
      wanted[file] = prng.below(4);
      const before = priorities.pieces.slice();
      const range = priorities.set(file, wanted[file]);
      equal(priorities.fileAt(file), wanted[file]);
      before.forEach((priority, piece) => {
        const inside = range !== null && piece >= range.first && piece <= range.last;
        if (!inside) equal(priorities.pieces[piece], priority);
      });
    }
  }
});

test('done bytes follow the pieces', () => {
  for (let seed = 0; seed < 200; seed++) {
    const prng = new Prng(seed);
    const info = randomInfo(prng);
    const [map, space] = [new FileMap(info), bytesOf(info.files)];
    const have = new Bitfield(info.pieceCount);
    for (let piece = 0; piece < info.pieceCount; piece++) if (prng.chance(0.4)) have.set(piece);
    const progress = new FileProgress(map, have);
    for (let round = 0; round < 20; round++) {
      const done = new Array<number>(info.files.length).fill(0);
      space.forEach(([file], at) => {
        if (have.has(Math.floor(at / info.pieceBytes))) done[file]!++;
      });
      deepEqual([...progress.doneBytes], done, `seed ${seed}`);
      const piece = prng.below(info.pieceCount);
      if (have.clear(piece)) {
        progress.markLost(piece);
        continue;
      }
      have.set(piece);
      const incomplete = info.files.flatMap((file, i) =>
        file.bytes > 0 && !progress.isComplete(i) ? [i] : [],
      );
      const completed = progress.markHave(piece);
      deepEqual(
        completed,
        incomplete.filter((i) => !info.files[i]!.pad && progress.isComplete(i)),
      );
    }
  }
});

test('the last piece ends with the torrent', () => {
  const map = new FileMap(infoOf(10, [25]));
  deepEqual(map.pieceSlices(2), [{ file: 0, offset: 20, bytes: 5, pad: false }]);
  deepEqual(map.slicesOf(2, 3, 100), [{ file: 0, offset: 23, bytes: 2, pad: false }]);
});
