import { deepEqual, equal, ok } from 'node:assert/strict';
import { test } from 'node:test';
import { Bitfield, Prng } from '@tequio/kernel';
import type { TorrentFile, TorrentInfo } from '../wire/torrent-info.ts';
import { FileMap } from './file-map.ts';
import { LocalSource } from './local-source.ts';

type Entry = {
  readonly path: string;
  readonly bytes: number;
  readonly root?: number;
  readonly pad?: boolean;
};

function infoOf(pieceBytes: number, entries: readonly Entry[]): TorrentInfo {
  let offset = 0;
  const files = entries.map(({ path, bytes, root, pad }, index): TorrentFile => {
    const start = offset;
    offset += bytes;
    const piecesRoot = root === undefined ? null : new Uint8Array(32).fill(root);
    const rest = { executable: false, hidden: false, symlink: null, piecesRoot };
    return { index, path, bytes, offset: start, pad: pad === true, ...rest };
  });
  return {
    name: 'x',
    infoBytes: new Uint8Array(0),
    infoHashV1: new Uint8Array(20),
    infoHashV2: null,
    pieceBytes,
    pieceCount: Math.ceil(offset / pieceBytes),
    totalBytes: offset,
    private: false,
    files,
    pieceHashes: null,
    source: null,
    similar: [],
    collections: [],
    nameChanges: [],
  };
}

function sourceOf(info: TorrentInfo): LocalSource {
  return new LocalSource(info, new FileMap(info), new Bitfield(info.pieceCount));
}

function setBits(field: Bitfield): number[] {
  return Array.from({ length: field.bitCount }, (_, bit) => bit).filter((bit) => field.has(bit));
}

test('equal roots are believed, other roots never, and lengths only when a piece has matched', () => {
  const own = infoOf(100, [{ path: 'x/a', bytes: 400, root: 1 }]);
  const same = infoOf(50, [{ path: 'y/b', bytes: 400, root: 1 }]);
  const other = infoOf(50, [{ path: 'y/b', bytes: 400, root: 2 }]);
  const unknown = infoOf(50, [{ path: 'y/b', bytes: 400 }]);
  const [sure, never, guess] = [sourceOf(own), sourceOf(own), sourceOf(own)];
  sure.addTorrent('same', same, Bitfield.full(8));
  ok(sure.pieces.isFull);
  equal(sure.nextProbe(), null);
  never.addTorrent('other', other, Bitfield.full(8));
  ok(never.pieces.isEmpty);
  equal(never.nextProbe(), null);
  guess.addTorrent('unknown', unknown, Bitfield.full(8));
  ok(guess.pieces.isEmpty);
  const probe = guess.nextProbe()!;
  equal(guess.trySlices(probe.piece, 0, 100), null);
  ok(guess.trySlices(probe.piece, 0, 100, true) !== null);
  guess.handleProbe(probe, true);
  ok(guess.pieces.isFull);
  guess.handleBan();
  ok(guess.pieces.isEmpty);
  equal(guess.nextProbe(), null);
});

test('a guess that was wrong is given up; with several in the piece, after two', () => {
  const entries = [
    { path: 'x/a', bytes: 60 },
    { path: 'x/b', bytes: 50 },
  ];
  const [alone, together] = [sourceOf(infoOf(100, entries)), sourceOf(infoOf(200, entries))];
  alone.addTorrent('y', infoOf(10, [{ path: 'y', bytes: 60 }]), Bitfield.full(6));
  equal(alone.nextProbe(), null, 'no piece lies in the file');
  together.addTorrent('y', infoOf(10, entries), Bitfield.full(11));
  for (let round = 0; round < 2; round++) {
    const probe = together.nextProbe()!;
    deepEqual([probe.piece, probe.twins.length], [0, 2]);
    together.handleProbe(probe, false);
  }
  equal(together.nextProbe(), null);
});

test('pieces that can be had are those all of whose bytes somebody has verified', () => {
  const prng = new Prng(3);
  for (let round = 0; round < 200; round++) {
    const lengths = Array.from({ length: prng.between(1, 5) }, (_, at) => 1000 * (at + 1) + prng.below(999));
    const entries = lengths.map((bytes, at) => ({ path: `x/${at}`, bytes, root: at }));
    const own = infoOf(64 + prng.below(400), entries);
    const source = sourceOf(own);
    const others = Array.from({ length: prng.between(1, 4) }, (_, at) => {
      const some = entries.filter(() => prng.chance(0.7));
      const pads = some.flatMap((entry) => [entry, { path: '.pad', bytes: 1 + prng.below(99), pad: true }]);
      const info = infoOf(32 + prng.below(500), pads.length > 0 ? pads : [{ path: 'none', bytes: 1 }]);
      const have = new Bitfield(info.pieceCount);
      for (let piece = 0; piece < info.pieceCount; piece++) if (prng.chance(0.5)) have.set(piece);
      source.addTorrent(`t${at}`, info, have);
      return { info, have };
    });
    for (const [at, { info, have }] of others.entries()) {
      const kept = Array.from({ length: info.pieceCount }, (_, piece) => piece).filter(() =>
        prng.chance(0.6),
      );
      for (const piece of kept) have.set(piece);
      source.handleKept(`t${at}`, kept);
    }
    // A slice is taken from one file whole, so a piece may be missed that two could have filled: never the reverse.
    for (const piece of setBits(source.pieces)) {
      const slices = source.trySlices(piece, 0, own.pieceBytes)!;
      let at = piece * own.pieceBytes;
      for (const { torrent, piece: from, offset, bytes } of slices) {
        const other = others[Number(torrent!.slice(1))]!;
        const file = own.files.find((one) => at >= one.offset && at < one.offset + one.bytes)!;
        const twin = other.info.files.find(({ path, pad }) => !pad && path === file.path)!;
        equal(from * other.info.pieceBytes + offset - twin.offset, at - file.offset, 'the same bytes');
        ok(other.have.has(from) && offset + bytes <= other.info.pieceBytes);
        at += bytes;
      }
      equal(at, Math.min((piece + 1) * own.pieceBytes, own.totalBytes));
    }
    for (let piece = 0; piece < own.pieceCount; piece++) {
      const slices = new FileMap(own).pieceSlices(piece);
      const isThere = slices.every(({ file, offset, bytes }) =>
        others.some((other) =>
          Array.from({ length: bytes }, (_, step) => offset + step).every((at) =>
            hasAt(other, own.files[file]!, at),
          ),
        ),
      );
      equal(source.pieces.has(piece), isThere, `round ${round}, piece ${piece}`);
    }
    source.handleOwn(setBits(source.pieces));
    ok(source.pieces.isEmpty);
  }
});

function hasAt(
  { info, have }: { readonly info: TorrentInfo; readonly have: Bitfield },
  file: TorrentFile,
  at: number,
): boolean {
  const twin = info.files.find(({ path, pad }) => !pad && path === file.path);
  return twin !== undefined && have.has(Math.floor((twin.offset + at) / info.pieceBytes));
}

test('a torrent that is gone gives nothing, and may come again', () => {
  const own = infoOf(100, [{ path: 'x/a', bytes: 400, root: 1 }]);
  const source = sourceOf(own);
  source.addTorrent('y', own, Bitfield.full(4));
  ok(source.pieces.isFull && source.knows('y'));
  source.dropTorrent('y');
  ok(source.pieces.isEmpty && source.knows('y'));
  source.forgetTorrent('y');
  source.addTorrent('y', own, Bitfield.full(4));
  ok(source.pieces.isFull);
});
