/**
 * Which bytes of which files a run of the torrent's linear space is, and back.
 *
 * Specification: files lie one after the other in `[0, totalBytes)`; empty ones lie nowhere. A run of bytes becomes
 * slices in order, together as long as the run; pads (BEP 47) are slices of their own. Nothing is trusted but what
 * `TorrentInfo` promises (offsets rise without gaps).
 * Cost: 12 bytes a file; a look-up is one binary search and then one step a slice. An attacker's torrent of a million
 * one-byte files costs a slice for each byte of the piece at hand, never more than was received.
 */
import type { Bitfield, FileId, FileSpan } from '@tequio/kernel';
import type { TorrentInfo } from '../wire/torrent-info.ts';

/** A run of bytes of one file, by its index in the torrent. */
export type FileSlice = {
  readonly file: number;
  readonly offset: number;
  readonly bytes: number;
  readonly pad: boolean;
};

/** Both ends included. */
export type PieceRange = { readonly first: number; readonly last: number };

/** The highest that there is. */
const edgePriority = 7;

type Layout = Pick<TorrentInfo, 'pieceBytes' | 'pieceCount' | 'totalBytes' | 'files'>;

export class FileMap {
  readonly info: Layout;
  /** Of files that are not empty, in order: first byte, index in the torrent. */
  readonly #starts: Float64Array;
  readonly #indexes: Int32Array;

  constructor(info: Layout) {
    this.info = info;
    const filled = info.files.filter((file) => file.bytes > 0);
    this.#starts = Float64Array.from(filled, (file) => file.offset);
    this.#indexes = Int32Array.from(filled, (file) => file.index);
  }

  /** The slices of `bytes` bytes at `offset` of a piece; what lies past the torrent's end is left out. */
  slicesOf(piece: number, offset: number, bytes: number): FileSlice[] {
    const slices: FileSlice[] = [];
    const from = piece * this.info.pieceBytes + offset;
    this.#visit(from, from + bytes, (slice) => slices.push(slice));
    return slices;
  }

  /** The same as spans for the disk; `idOf` is asked for files that are no pads. */
  spansOf(piece: number, offset: number, bytes: number, idOf: (file: number) => FileId): FileSpan[] {
    const spans: FileSpan[] = [];
    const from = piece * this.info.pieceBytes + offset;
    this.#visit(from, from + bytes, (slice) => {
      const id = slice.pad ? null : idOf(slice.file);
      spans.push({ file: id, offset: slice.pad ? 0 : slice.offset, bytes: slice.bytes });
    });
    return spans;
  }

  /** The slices of a whole piece. */
  pieceSlices(piece: number): FileSlice[] {
    return this.slicesOf(piece, 0, this.info.pieceBytes);
  }

  /** Pieces that hold bytes of the file; null for an empty file. */
  piecesOf(file: number): PieceRange | null {
    const { offset, bytes } = this.info.files[file]!;
    if (bytes === 0) return null;
    const { pieceBytes } = this.info;
    return { first: Math.floor(offset / pieceBytes), last: Math.floor((offset + bytes - 1) / pieceBytes) };
  }

  #visit(from: number, to: number, visit: (slice: FileSlice) => void): void {
    const end = Math.min(to, this.info.totalBytes);
    for (let place = this.#placeAt(from), at = from; at < end; place++) {
      const file = this.info.files[this.#indexes[place]!]!;
      const bytes = Math.min(end, file.offset + file.bytes) - at;
      visit({ file: file.index, offset: at - file.offset, bytes, pad: file.pad });
      at += bytes;
    }
  }

  /** Place of the last file that is not empty and starts at or before `at`. */
  #placeAt(at: number): number {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#starts[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/**
 * Priorities of pieces from those of files: the highest of the files that a piece holds bytes of. A pad counts as
 * the file before it, so that a piece of nothing but padding is wanted with its neighbour. 0: not wanted. On request
 * the first and the last piece of every wanted file come before all others.
 */
export class FilePriorities {
  readonly #map: FileMap;
  readonly #files: Uint8Array;
  /** By piece. */
  readonly pieces: Uint8Array;
  #edgesFirst = false;

  /** @param priorities one a file, 0 to 7; what stands for pads does not matter */
  constructor(map: FileMap, priorities: ArrayLike<number>) {
    this.#map = map;
    this.#files = Uint8Array.from(priorities);
    this.pieces = new Uint8Array(map.info.pieceCount);
    const { files } = map.info;
    for (let file = 0; file < files.length; file++) {
      if (files[file]!.pad) this.#files[file] = file > 0 ? this.#files[file - 1]! : 0;
    }
    // Each file raises its pieces: every byte is passed once however many files share a piece.
    for (let file = 0; file < files.length; file++) this.#raise(file);
  }

  fileAt(file: number): number {
    return this.#files[file]!;
  }

  /** Changes one file's priority; the pieces whose priority may have changed, or null when none has. */
  set(file: number, priority: number): PieceRange | null {
    const { files } = this.#map.info;
    let end = file + 1;
    while (end < files.length && files[end]!.pad) end++;
    let range: PieceRange | null = null;
    for (let at = file; at < end; at++) {
      if (this.#files[at] === priority) continue;
      this.#files[at] = priority;
      const pieces = this.#map.piecesOf(at);
      if (pieces === null) continue;
      this.#recount(pieces);
      range = range === null ? pieces : { first: range.first, last: pieces.last };
    }
    return range;
  }

  /** Whether the ends of files come first; the pieces whose priority may have changed, or null when none has. */
  setEdgesFirst(on: boolean): PieceRange | null {
    if (this.#edgesFirst === on) return null;
    this.#edgesFirst = on;
    const { files, pieceCount } = this.#map.info;
    for (let file = 0; file < files.length; file++) {
      const range = this.#map.piecesOf(file);
      if (range === null || files[file]!.pad || this.#files[file] === 0) continue;
      for (const piece of [range.first, range.last]) {
        if (on) this.pieces[piece] = edgePriority;
        else this.#recount({ first: piece, last: piece });
      }
    }
    return { first: 0, last: pieceCount - 1 };
  }

  #raise(file: number): void {
    const range = this.#map.piecesOf(file);
    const priority = this.#files[file]!;
    if (range === null || priority === 0) return;
    for (let piece = range.first; piece <= range.last; piece++) {
      if (this.pieces[piece]! < priority) this.pieces[piece] = priority;
    }
  }

  #recount(range: PieceRange): void {
    for (let piece = range.first; piece <= range.last; piece++) {
      let highest = 0;
      for (const slice of this.#map.pieceSlices(piece)) highest = Math.max(highest, this.#priorityIn(slice));
      this.pieces[piece] = highest;
    }
  }

  /** What a slice makes of its piece. */
  #priorityIn({ file, offset, bytes, pad }: FileSlice): number {
    const priority = this.#files[file]!;
    const isEdge = offset === 0 || offset + bytes === this.#map.info.files[file]!.bytes;
    return this.#edgesFirst && isEdge && !pad && priority > 0 ? edgePriority : priority;
  }
}

/** Verified bytes of each file, kept up to date piece by piece. */
export class FileProgress {
  readonly #map: FileMap;
  /** By file. */
  readonly doneBytes: Float64Array;

  constructor(map: FileMap, have: Bitfield) {
    this.#map = map;
    this.doneBytes = new Float64Array(map.info.files.length);
    for (let piece = have.nextSet(0); piece >= 0; piece = have.nextSet(piece + 1)) this.#add(piece, 1);
  }

  isComplete(file: number): boolean {
    return this.doneBytes[file] === this.#map.info.files[file]!.bytes;
  }

  /** A piece is there now; the files that became complete by it (never pads or empty files). */
  markHave(piece: number): number[] {
    this.#add(piece, 1);
    const completed: number[] = [];
    for (const slice of this.#map.pieceSlices(piece)) {
      if (!slice.pad && this.isComplete(slice.file)) completed.push(slice.file);
    }
    return completed;
  }

  /** A piece that was there is not any more. */
  markLost(piece: number): void {
    this.#add(piece, -1);
  }

  #add(piece: number, sign: 1 | -1): void {
    for (const slice of this.#map.pieceSlices(piece)) this.doneBytes[slice.file]! += sign * slice.bytes;
  }
}
