import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { withPads } from '../wire/metainfo-v2.ts';
import { type ListedFile, uniquePaths } from '../wire/unique-paths.ts';
import { ContentLayout } from './content-layout.ts';

const pieceBytes = 32_768;

function listed(sizes: readonly number[]): ListedFile[] {
  const plain = { pad: false, executable: false, hidden: false, link: null, piecesRoot: null };
  return sizes.map((bytes, i) => ({ elements: [`f${i}`], bytes, ...plain }));
}

function layoutOf(files: readonly ListedFile[], isV1: boolean, isV2: boolean): ContentLayout {
  return new ContentLayout(uniquePaths(files, 'd').files, pieceBytes, { isV1, isV2 });
}

/** Which file each byte of the linear space belongs to, one by one: `null` for pads. */
function ownersOf(layout: ContentLayout): { file: number | null; offset: number }[] {
  return layout.files.flatMap((file, index) =>
    Array.from({ length: file.bytes }, (_, offset) => ({ file: file.pad ? null : index, offset })),
  );
}

test('v1 pieces: every byte once, in order, however small the files', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const prng = new Prng(seed);
    const sizes = Array.from({ length: prng.between(1, 12) }, () => prng.pick([0, 0, 1, 5, 32_768, 40_000]));
    const layout = layoutOf(listed([...sizes, 1]), true, false);
    const owners = ownersOf(layout);
    let at = 0;
    for (let piece = 0; piece < layout.pieceCount; piece++) {
      const content = layout.pieceOf(piece);
      assert.equal(content.tree, null);
      assert.equal(content.bytes, Math.min(pieceBytes, layout.totalBytes - piece * pieceBytes));
      for (const span of content.spans) {
        assert.ok(span.bytes > 0);
        assert.deepEqual(owners[at], { file: span.file, offset: span.offset }, `seed ${seed}`);
        at += span.bytes;
      }
    }
    assert.equal(at, layout.totalBytes);
    layout.files.forEach((file, index) => {
      const pieces = layout.piecesOf(index);
      let bytes = 0;
      for (let piece = pieces?.first ?? 0; pieces !== null && piece <= pieces.last; piece++) {
        const inPiece = layout.bytesInPiece(index, piece);
        assert.ok(inPiece > 0);
        bytes += inPiece;
      }
      assert.equal(bytes, file.bytes);
    });
  }
});

test('v2 and hybrid pieces belong to one file; only a hybrid reads padding', () => {
  const files = withPads(listed([40_000, 0, 5, 65_536, 20_000]), pieceBytes, true);
  for (const isV1 of [false, true]) {
    const layout = layoutOf(files, isV1, true);
    const pieces = Array.from({ length: layout.pieceCount }, (_, piece) => layout.pieceOf(piece));
    assert.deepEqual(
      pieces.map(({ tree }) => tree),
      [
        { file: 0, bytes: 32_768, leafCount: 2 },
        { file: 0, bytes: 7_232, leafCount: 2 },
        { file: 3, bytes: 5, leafCount: 1 },
        { file: 5, bytes: 32_768, leafCount: 2 },
        { file: 5, bytes: 32_768, leafCount: 2 },
        { file: 6, bytes: 20_000, leafCount: 2 },
      ],
    );
    assert.deepEqual(pieces[1]!.spans, [
      { file: 0, offset: 32_768, bytes: 7_232 },
      ...(isV1 ? [{ file: null, offset: 0, bytes: 25_536 }] : []),
    ]);
    for (const { spans, bytes } of pieces)
      assert.equal(
        spans.reduce((sum, span) => sum + span.bytes, 0),
        bytes,
      );
  }
});
