/**
 * Where the bytes of files that nobody wanted go, when a piece that is wanted holds some of them.
 *
 * Specification: every file is placed either in itself or in the part file, and moves only from the part file to
 * itself. A file is placed in the part file while it is not wanted and nothing of it exists; once it has begun, or
 * was there before us, it stays a file for good, whatever becomes of its priority. A piece that holds bytes of a file
 * placed in the part file has a slot there of one piece's length, and those bytes lie at their place within the
 * piece; the part file is sparse, so bytes that lie in the files themselves take no room in it.
 *
 *   unwanted, absent ─ piece stored ─> slot (new) ─ verified ─> slot (kept, recorded) ─ file wanted ─> moved out, freed
 *
 * Slots have no header on disk: which piece has which slot is kept with the torrent's other state, and is committed
 * with the piece itself. A crash before that leaves an unnamed slot, which is used again. After a move the bytes are
 * in both places until the change of place is committed, and a slot is free only after that.
 * Cost: two numbers for each piece on an edge between wanted and unwanted files, of which a file has at most two.
 */
import { assert, Bitfield, type FileId, type FileSpan } from '@tequio/kernel';
import type { FileMap } from './file-map.ts';

/** A recorded slot; `slot` null: it is free again. */
export type SlotChange = { readonly piece: number; readonly slot: number | null };

/** Bytes that go from the part file to their own file. */
export type PartMove = {
  readonly piece: number;
  readonly partOffset: number;
  readonly fileOffset: number;
  readonly bytes: number;
};

export class PartFile {
  readonly #map: FileMap;
  readonly #placed: Bitfield;
  readonly #slots = new Map<number, number>();
  readonly #kept = new Set<number>();
  readonly #used: Bitfield;

  /**
   * @param placed files whose place is the part file, a bit a file
   * @param slots as recorded; what cannot be true is left out, and its piece then has no bytes here
   */
  constructor(map: FileMap, placed: Bitfield, slots: Iterable<readonly [piece: number, slot: number]> = []) {
    assert(placed.bitCount === map.info.files.length, 'there is a place for each file');
    this.#map = map;
    this.#placed = placed.clone();
    this.#used = new Bitfield(map.info.pieceCount);
    for (const [piece, slot] of slots) this.#restore(piece, slot);
  }

  /** True when the file's bytes are in the part file, so that the file itself does not exist. */
  isPlacedHere(file: number): boolean {
    return this.#placed.has(file);
  }

  /** Files whose place is the part file, a bit a file. */
  get placed(): Bitfield {
    return this.#placed;
  }

  /** No piece has bytes in it: it need not exist. */
  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }

  slotOf(piece: number): number | null {
    return this.#slots.get(piece) ?? null;
  }

  /** Where to write a run of a piece; gives the piece a slot when it needs one. */
  spansToStore(
    piece: number,
    offset: number,
    bytes: number,
    idOf: (file: number) => FileId,
    part: () => FileId,
  ): FileSpan[] {
    if (!this.#slots.has(piece) && this.#needsSlot(piece)) this.#take(piece);
    return this.trySpansToLoad(piece, offset, bytes, idOf, part)!;
  }

  /** Where to read a run of a piece; null when bytes of it are nowhere, for it was never stored. */
  trySpansToLoad(
    piece: number,
    offset: number,
    bytes: number,
    idOf: (file: number) => FileId,
    part: () => FileId,
  ): FileSpan[] | null {
    if (this.#placed.isEmpty) return this.#map.spansOf(piece, offset, bytes, idOf);
    const slot = this.#slots.get(piece);
    const spans: FileSpan[] = [];
    let at = offset;
    for (const slice of this.#map.slicesOf(piece, offset, bytes)) {
      if (slice.pad) spans.push({ file: null, offset: 0, bytes: slice.bytes });
      else if (!this.#placed.has(slice.file)) {
        spans.push({ file: idOf(slice.file), offset: slice.offset, bytes: slice.bytes });
      } else if (slot === undefined) return null;
      else spans.push({ file: part(), offset: slot * this.#map.info.pieceBytes + at, bytes: slice.bytes });
      at += slice.bytes;
    }
    return spans;
  }

  /** A stored piece was verified: its slot, to be recorded with it; null when it has none. */
  markStored(piece: number): SlotChange | null {
    const slot = this.#slots.get(piece);
    if (slot === undefined || this.#kept.has(piece)) return null;
    this.#kept.add(piece);
    return { piece, slot };
  }

  /** A stored piece was not what it should be, or was given up: its slot is free if it is a new one. */
  markDropped(piece: number): void {
    if (!this.#kept.has(piece)) this.markFreed([{ piece, slot: null }]);
  }

  /** A file of which nothing exists is not wanted any more: its bytes will go here. */
  markUnwanted(file: number): void {
    this.#placed.set(file);
  }

  /** The file's bytes are read from, and written to, itself from now on: all {@link movesOf} it have been made. */
  markWanted(file: number): void {
    this.#placed.clear(file);
  }

  /** Verified bytes of the file that lie here. */
  movesOf(file: number): PartMove[] {
    const range = this.#map.piecesOf(file);
    const moves: PartMove[] = [];
    if (range === null) return moves;
    const { pieceBytes, files } = this.#map.info;
    for (const piece of this.#piecesIn(range.first, range.last)) {
      if (!this.#kept.has(piece)) continue;
      const start = Math.max(files[file]!.offset, piece * pieceBytes);
      const end = Math.min(files[file]!.offset + files[file]!.bytes, (piece + 1) * pieceBytes);
      const slotStart = this.#slots.get(piece)! * pieceBytes;
      const partOffset = slotStart + start - piece * pieceBytes;
      moves.push({ piece, partOffset, fileOffset: start - files[file]!.offset, bytes: end - start });
    }
    return moves;
  }

  /** After its bytes were moved: slots that no file needs any more. To be recorded, and then freed. */
  spareSlotsOf(file: number): SlotChange[] {
    const range = this.#map.piecesOf(file);
    if (range === null) return [];
    const spare = this.#piecesIn(range.first, range.last).filter((piece) => !this.#needsSlot(piece));
    return spare.map((piece) => ({ piece, slot: null }));
  }

  /** After the record says so. */
  markFreed(changes: readonly SlotChange[]): void {
    for (const { piece } of changes) {
      const slot = this.#slots.get(piece);
      if (slot === undefined) continue;
      this.#slots.delete(piece);
      this.#kept.delete(piece);
      this.#used.clear(slot);
    }
  }

  #needsSlot(piece: number): boolean {
    if (this.#placed.isEmpty) return false;
    return this.#map.pieceSlices(piece).some((slice) => !slice.pad && this.#placed.has(slice.file));
  }

  #take(piece: number): void {
    const slot = this.#used.nextClear(0);
    assert(slot >= 0, 'there is a slot for each piece');
    this.#used.set(slot);
    this.#slots.set(piece, slot);
  }

  #restore(piece: number, slot: number): void {
    const { pieceCount } = this.#map.info;
    const possible = piece >= 0 && piece < pieceCount && slot >= 0 && slot < pieceCount;
    if (!possible || this.#slots.has(piece) || !this.#used.set(slot)) return;
    this.#slots.set(piece, slot);
    this.#kept.add(piece);
  }

  /** Pieces with a slot in a range, by whichever is shorter: the range or the list of slots. */
  #piecesIn(first: number, last: number): number[] {
    if (last - first < this.#slots.size) {
      const pieces: number[] = [];
      for (let piece = first; piece <= last; piece++) if (this.#slots.has(piece)) pieces.push(piece);
      return pieces;
    }
    return [...this.#slots.keys()].filter((piece) => piece >= first && piece <= last).sort((a, b) => a - b);
  }
}
