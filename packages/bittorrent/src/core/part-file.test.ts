import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Bitfield, type FileId, type FileSpan, Prng } from '@tequio/kernel';
import { infoOf } from './file-map.fixture.ts';
import { FileMap } from './file-map.ts';
import { PartFile } from './part-file.ts';

const partId = 9999 as FileId;
const idOf = (file: number): FileId => (file + 1) as FileId;
const part = (): FileId => partId;

function placedOf(fileCount: number, files: readonly number[]): Bitfield {
  const placed = new Bitfield(fileCount);
  for (const file of files) placed.set(file);
  return placed;
}

/** Bytes by file id, as a disk would keep them. */
class Bytes {
  readonly #files = new Map<number, Map<number, number>>();

  write(spans: readonly FileSpan[], bytes: readonly number[]): void {
    let at = 0;
    for (const span of spans) {
      for (let i = 0; i < span.bytes; i++, at++) this.#put(span.file, span.offset + i, bytes[at]!);
    }
    equal(at, bytes.length);
  }

  read(spans: readonly FileSpan[]): (number | undefined)[] {
    return spans.flatMap((span) =>
      Array.from({ length: span.bytes }, (_, i) =>
        span.file === null ? 0 : this.#files.get(span.file)?.get(span.offset + i),
      ),
    );
  }

  has(file: number): boolean {
    return this.#files.has(file);
  }

  #put(file: FileId | null, at: number, value: number): void {
    if (file === null) return;
    if (!this.#files.has(file)) this.#files.set(file, new Map());
    this.#files.get(file)!.set(at, value);
  }
}

test('bytes of an unwanted file go to a slot of the piece, those of its neighbours to themselves', () => {
  const map = new FileMap(infoOf(10, [15, 12, 13]));
  const parts = new PartFile(map, placedOf(3, [1]));
  equal(parts.isEmpty, true);
  deepEqual(parts.spansToStore(1, 0, 10, idOf, part), [
    { file: 1, offset: 10, bytes: 5 },
    { file: partId, offset: 5, bytes: 5 },
  ]);
  deepEqual(parts.spansToStore(2, 2, 8, idOf, part), [
    { file: partId, offset: 12, bytes: 5 },
    { file: 3, offset: 0, bytes: 3 },
  ]);
  deepEqual(parts.spansToStore(0, 0, 10, idOf, part), [{ file: 1, offset: 0, bytes: 10 }]);
  equal(parts.slotOf(0), null);
  deepEqual(parts.markStored(1), { piece: 1, slot: 0 });
  equal(parts.markStored(1), null);
  equal(parts.markStored(0), null);
});

test('only verified bytes are moved out, and a slot is used again only when it was freed', () => {
  const map = new FileMap(infoOf(10, [15, 12, 13]));
  const parts = new PartFile(map, placedOf(3, [1]));
  parts.spansToStore(1, 0, 10, idOf, part);
  parts.spansToStore(2, 0, 10, idOf, part);
  parts.markStored(2);
  parts.markWanted(1);
  deepEqual(parts.movesOf(1), [{ piece: 2, partOffset: 10, fileOffset: 5, bytes: 7 }]);
  deepEqual(parts.trySpansToLoad(2, 0, 10, idOf, part), [
    { file: 2, offset: 5, bytes: 7 },
    { file: 3, offset: 0, bytes: 3 },
  ]);
  const spare = parts.spareSlotsOf(1);
  deepEqual(spare, [
    { piece: 1, slot: null },
    { piece: 2, slot: null },
  ]);
  equal(parts.isEmpty, false);
  parts.markFreed(spare);
  equal(parts.isEmpty, true);
});

test('a piece that was never stored has no place to load from', () => {
  const map = new FileMap(infoOf(10, [15, 12]));
  const parts = new PartFile(map, placedOf(2, [1]));
  equal(parts.trySpansToLoad(1, 0, 10, idOf, part), null);
  ok(parts.trySpansToLoad(1, 0, 5, idOf, part));
});

test('recorded slots that cannot be true are left out', () => {
  const map = new FileMap(infoOf(10, [15, 12, 13]));
  const recorded = [
    [1, 3],
    [2, 3],
    [99, 0],
    [0, 99],
    [-1, 0],
    [3, -1],
    [1, 0],
  ] as const;
  const parts = new PartFile(map, placedOf(3, [1]), recorded);
  equal(parts.slotOf(1), 3);
  equal(parts.slotOf(2), null);
  equal(parts.slotOf(3), null);
});

test('whatever becomes wanted when, every verified piece reads back, also after a restart', () => {
  for (let seed = 0; seed < 200; seed++) {
    const prng = new Prng(seed);
    const sizes = Array.from({ length: prng.between(2, 8) }, () => prng.between(0, 30));
    sizes[0]! += 1;
    const pads = sizes.map((_, i) => i > 0 && prng.chance(0.2));
    const info = infoOf(prng.between(2, 16), sizes, pads);
    const map = new FileMap(info);
    const unwanted = info.files.filter((file) => !file.pad && prng.chance(0.5)).map((file) => file.index);
    let parts = new PartFile(map, placedOf(sizes.length, unwanted));
    const disk = new Bytes();
    const recorded = new Map<number, number>();
    const verified = new Map<number, number[]>();
    for (let round = 0; round < 30; round++) {
      const piece = prng.below(info.pieceCount);
      const action = prng.below(4);
      if (action < 2) {
        const bytes = map
          .pieceSlices(piece)
          .flatMap((slice) =>
            Array.from({ length: slice.bytes }, () => (slice.pad ? 0 : prng.between(1, 255))),
          );
        disk.write(parts.spansToStore(piece, 0, info.pieceBytes, idOf, part), bytes);
        const change = parts.markStored(piece);
        if (change !== null) recorded.set(piece, change.slot!);
        verified.set(piece, bytes);
      } else if (action === 2 && unwanted.length > 0) {
        const file = prng.pick(unwanted);
        parts.markWanted(file);
        for (const move of parts.movesOf(file)) {
          const bytes = disk.read([{ file: partId, offset: move.partOffset, bytes: move.bytes }]);
          disk.write([{ file: idOf(file), offset: move.fileOffset, bytes: move.bytes }], bytes as number[]);
        }
        const spare = parts.spareSlotsOf(file);
        for (const change of spare) recorded.delete(change.piece);
        parts.markFreed(spare);
        unwanted.splice(unwanted.indexOf(file), 1);
      } else parts = new PartFile(map, parts.placed, recorded);
      for (const file of unwanted) equal(disk.has(idOf(file)), false, `seed ${seed}: file ${file} exists`);
      for (const [at, bytes] of verified) {
        const spans = parts.trySpansToLoad(at, 0, info.pieceBytes, idOf, part);
        ok(spans !== null, `seed ${seed} piece ${at}`);
        deepEqual(disk.read(spans), bytes, `seed ${seed} piece ${at}`);
      }
    }
  }
});
