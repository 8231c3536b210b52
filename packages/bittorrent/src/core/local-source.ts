/**
 * What a torrent can take from the files of other torrents of this node (BEP 38, and beyond it): a peer among the
 * peers, whose blocks are verified like anybody's.
 *
 * A file of another torrent with the same length may be the same file. With equal merkle roots (BEP 52) it is, and is
 * `sure`; without, one piece of ours is hashed from its bytes first:
 *
 *   guessed ─ the piece matches ─> tried        guessed ─ it does not ─> dropped
 *   tried ─ a piece that was taken from it is wrong ─> dropped            sure ─ the same ─> dropped (its disk lies)
 *
 * Only bytes that the other torrent has verified are taken, and as it downloads more there is more to take: one file is
 * fed from the swarms of all torrents that have it. A piece that spans several files needs all of them.
 *
 * Attacker: a torrent made so that its files have the lengths of others costs one read of a piece for each of at most
 * `twinCountMax` files. Cost: one look at a piece for each piece that the other torrent gets.
 */
import { Bitfield, bytesEqual } from '@tequio/kernel';
import type { TorrentInfo } from '../wire/torrent-info.ts';
import type { FeedSource } from './block-feeder.ts';
import type { FileMap, FileSlice } from './file-map.ts';

export const localSourceLimits = {
  /** Files of others that one torrent looks at. */
  twinCountMax: 10_000,
  /** Of one file of ours. */
  twinsPerFileMax: 4,
  /** Of one piece that did not match: how often a file may have been part of such a piece. */
  strikesMax: 2,
} as const;

/** A file of another torrent that may be one of ours. */
type Twin = {
  readonly torrent: string;
  readonly info: TorrentInfo;
  /** What the other torrent has verified; one for all its files. */
  readonly have: Bitfield;
  readonly file: number;
  readonly ownFile: number;
  state: 'guessed' | 'tried' | 'sure';
  strikes: number;
  /** There was no piece to try it by; there may be one when the other torrent has more. */
  isLooked: boolean;
};

/** A run of bytes in a piece of another torrent; `torrent` null: zeros. */
export type LocalSlice = {
  readonly torrent: string | null;
  readonly piece: number;
  readonly offset: number;
  readonly bytes: number;
};

/** A piece to be hashed from the files of others. */
export type Probe = { readonly piece: number; readonly twins: readonly object[] };

export class LocalSource implements FeedSource {
  readonly isLocal = true;
  /** 1 MiB: a few milliseconds of one thread. */
  readonly runBlockCountMax = 64;
  readonly pieces: Bitfield;
  state: 'idle' | 'busy' = 'idle';
  readonly #info: TorrentInfo;
  readonly #map: FileMap;
  readonly #own: Bitfield;
  readonly #twinsByFile = new Map<number, Twin[]>();
  readonly #twinsByTorrent = new Map<string, Twin[]>();

  /** @param own what we have, as it grows */
  constructor(info: TorrentInfo, map: FileMap, own: Bitfield) {
    this.#info = info;
    this.#map = map;
    this.#own = own;
    this.pieces = new Bitfield(info.pieceCount);
  }

  /** Whether files of this torrent are among those looked at. */
  knows(torrent: string): boolean {
    return this.#twinsByTorrent.has(torrent);
  }

  /** Looks at the files of another torrent; copies `have`. */
  addTorrent(torrent: string, info: TorrentInfo, have: Bitfield): void {
    if (this.knows(torrent)) return;
    const copy = have.clone();
    const byLength = new Map<number, TorrentInfo['files'][number][]>();
    for (const file of info.files) {
      if (file.pad || file.bytes === 0 || file.symlink !== null) continue;
      const same = byLength.get(file.bytes);
      if (same === undefined) byLength.set(file.bytes, [file]);
      else same.push(file);
    }
    const twins: Twin[] = [];
    for (const own of this.#info.files) {
      if (own.pad || own.bytes === 0 || own.symlink !== null) continue;
      const found = (byLength.get(own.bytes) ?? [])
        .map((file) => ({ file: file.index, likeness: likenessOf(own, file) }))
        .filter(({ likeness }) => likeness > 0)
        .sort((a, b) => b.likeness - a.likeness);
      const known = this.#twinsByFile.get(own.index) ?? [];
      for (const { file, likeness } of found) {
        const isMuch = twins.length >= localSourceLimits.twinCountMax;
        if (isMuch || known.length >= localSourceLimits.twinsPerFileMax) break;
        const state = likeness === rootLikeness ? 'sure' : 'guessed';
        const twin = { torrent, info, have: copy, file, ownFile: own.index, strikes: 0, isLooked: false };
        known.push({ ...twin, state });
        twins.push(known[known.length - 1]!);
      }
      if (known.length > 0) this.#twinsByFile.set(own.index, known);
    }
    if (twins.length === 0) return;
    this.#twinsByTorrent.set(torrent, twins);
    for (const twin of twins) if (twin.state === 'sure') this.#lookAtFile(twin.ownFile);
  }

  /** The other torrent has verified these. */
  handleKept(torrent: string, pieces: readonly number[]): void {
    const twins = this.#twinsByTorrent.get(torrent);
    const first = twins?.[0];
    if (twins === undefined || first === undefined) return;
    const { have, info } = first;
    for (const piece of pieces) if (piece < have.bitCount) have.set(piece);
    for (const twin of twins) {
      twin.isLooked = false;
      if (twin.state === 'guessed') continue;
      const { offset, bytes } = info.files[twin.file]!;
      const own = this.#info.files[twin.ownFile]!;
      for (const piece of pieces) {
        const from = Math.max(piece * info.pieceBytes, offset);
        const to = Math.min((piece + 1) * info.pieceBytes, offset + bytes);
        if (from < to) this.#lookAt(own.offset + from - offset, own.offset + to - offset);
      }
    }
  }

  /** We have these: nothing is to be taken of them. */
  handleOwn(pieces: readonly number[]): void {
    for (const piece of pieces) this.pieces.clear(piece);
  }

  /** It cannot be read, and is not looked at again. */
  dropTorrent(torrent: string): void {
    const twins = this.#twinsByTorrent.get(torrent);
    for (const twin of twins ?? []) this.#drop(twin);
    if (twins !== undefined) this.#recount();
  }

  /** It is gone. */
  forgetTorrent(torrent: string): void {
    this.dropTorrent(torrent);
    this.#twinsByTorrent.delete(torrent);
  }

  /** A piece that was taken from here is wrong: guesses were, or a disk is. */
  handleBan(): void {
    const all = [...this.#twinsByFile.values()].flat();
    const guesses = all.filter(({ state }) => state === 'tried');
    for (const twin of guesses.length > 0 ? guesses : all) this.#drop(twin);
    this.#recount();
  }

  /** Where a run of bytes can be taken from; null: not all of it can. @param isProbe guesses may be used too */
  trySlices(piece: number, offset: number, bytes: number, isProbe = false): LocalSlice[] | null {
    const slices: LocalSlice[] = [];
    for (const slice of this.#map.slicesOf(piece, offset, bytes)) {
      if (slice.pad) {
        slices.push({ torrent: null, piece: 0, offset: 0, bytes: slice.bytes });
        continue;
      }
      const twin = this.#twinOf(slice, isProbe);
      if (twin === null) return null;
      pushSlices(twin, slice, slices);
    }
    return slices;
  }

  /** A piece by which files can be told to be the same; null: there is none at present. */
  nextProbe(): Probe | null {
    for (const twins of this.#twinsByFile.values()) {
      for (const twin of twins) {
        if (twin.state !== 'guessed' || twin.isLooked) continue;
        const piece = this.#pieceToTry(twin);
        if (piece !== null) return { piece, twins: this.#guessesOf(piece) };
        twin.isLooked = true;
      }
    }
    return null;
  }

  handleProbe({ piece, twins }: Probe, isMatch: boolean): void {
    const guesses = (twins as readonly Twin[]).filter(({ state }) => state === 'guessed');
    for (const twin of guesses) {
      if (isMatch) {
        twin.state = 'tried';
        this.#lookAtFile(twin.ownFile);
      } else if (guesses.length === 1 || ++twin.strikes >= localSourceLimits.strikesMax) this.#drop(twin);
    }
    if (isMatch) this.#lookAtPiece(piece);
  }

  /** The middle piece of the file if it can be had, for beginnings are often alike; else any. */
  #pieceToTry(twin: Twin): number | null {
    const range = this.#map.piecesOf(twin.ownFile)!;
    const middle = (range.first + range.last) >> 1;
    for (let step = 0; step <= range.last - range.first; step++) {
      const piece =
        middle + step <= range.last ? middle + step : range.first + (middle + step - range.last - 1);
      const ofTwin = this.#map.pieceSlices(piece).find(({ file }) => file === twin.ownFile);
      if (ofTwin === undefined || !hasSlice(twin, ofTwin)) continue;
      if (
        this.#twinOf(ofTwin, true) === twin &&
        this.trySlices(piece, 0, this.#info.pieceBytes, true) !== null
      )
        return piece;
    }
    return null;
  }

  #guessesOf(piece: number): Twin[] {
    const used = this.#map.pieceSlices(piece).map((slice) => (slice.pad ? null : this.#twinOf(slice, true)));
    return [...new Set(used)].filter((twin): twin is Twin => twin?.state === 'guessed');
  }

  /** The file that the bytes can be taken from. */
  #twinOf(slice: FileSlice, isProbe: boolean): Twin | null {
    const twins = this.#twinsByFile.get(slice.file) ?? [];
    const fit = twins.find((twin) => twin.state !== 'guessed' && hasSlice(twin, slice));
    if (fit !== undefined || !isProbe) return fit ?? null;
    return twins.find((twin) => !twin.isLooked && hasSlice(twin, slice)) ?? null;
  }

  #lookAtFile(file: number): void {
    const { offset, bytes } = this.#info.files[file]!;
    this.#lookAt(offset, offset + bytes);
  }

  /** @param from first byte in our linear space */
  #lookAt(from: number, to: number): void {
    const { pieceBytes } = this.#info;
    for (let piece = Math.floor(from / pieceBytes); piece * pieceBytes < to; piece++)
      this.#lookAtPiece(piece);
  }

  #lookAtPiece(piece: number): void {
    if (this.pieces.has(piece) || this.#own.has(piece)) return;
    if (this.trySlices(piece, 0, this.#info.pieceBytes) !== null) this.pieces.set(piece);
  }

  #drop(twin: Twin): void {
    const others = (this.#twinsByFile.get(twin.ownFile) ?? []).filter((other) => other !== twin);
    if (others.length > 0) this.#twinsByFile.set(twin.ownFile, others);
    else this.#twinsByFile.delete(twin.ownFile);
    const rest = this.#twinsByTorrent.get(twin.torrent)?.filter((other) => other !== twin);
    if (rest !== undefined) this.#twinsByTorrent.set(twin.torrent, rest);
  }

  #recount(): void {
    for (let piece = this.pieces.nextSet(0); piece >= 0; piece = this.pieces.nextSet(piece + 1))
      if (this.trySlices(piece, 0, this.#info.pieceBytes) === null) this.pieces.clear(piece);
  }
}

const rootLikeness = 3;

/** 0: they are not the same file. */
function likenessOf(own: TorrentInfo['files'][number], other: TorrentInfo['files'][number]): number {
  if (own.piecesRoot !== null && other.piecesRoot !== null)
    return bytesEqual(own.piecesRoot, other.piecesRoot) ? rootLikeness : 0;
  return nameOf(own.path) === nameOf(other.path) ? 2 : 1;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The other torrent has verified these bytes of the file. */
function hasSlice({ info, have, file }: Twin, { offset, bytes }: FileSlice): boolean {
  const from = info.files[file]!.offset + offset;
  const last = Math.floor((from + bytes - 1) / info.pieceBytes);
  for (let piece = Math.floor(from / info.pieceBytes); piece <= last; piece++)
    if (!have.has(piece)) return false;
  return true;
}

/** The same bytes, cut where the other torrent's pieces end. */
function pushSlices({ torrent, info, file }: Twin, { offset, bytes }: FileSlice, out: LocalSlice[]): void {
  const from = info.files[file]!.offset + offset;
  for (let at = from; at < from + bytes; ) {
    const piece = Math.floor(at / info.pieceBytes);
    const inPiece = at - piece * info.pieceBytes;
    const length = Math.min(from + bytes - at, info.pieceBytes - inPiece);
    out.push({ torrent, piece, offset: inPiece, bytes: length });
    at += length;
  }
}
