/**
 * The content of one torrent on the disk: where each byte goes, which pieces are kept, which files are settled.
 * It owns the facts "kept" and "doubtful"; the driver runs the jobs.
 *
 *   open ─> judge ─> have (believed) and doubtful (driver checks them: keep or lose)
 *   spansToStore ─> store job (driver) ─> keep [commits, then true] or drop
 *   trySpansToLoad ─> load or check job (driver)
 *   file complete ─> settle: fdatasync, length and time are recorded
 *
 * fsync policy: none for a piece. A file is synced some time after it is complete and when the torrent is closed; what
 * lies between is lost only by a power failure, is then doubtful, and is checked. The part file counts as a file.
 *
 * Each piece begun by `spansToStore` ends with `keep` or `drop`. Links of a torrent (BEP 47) are not made, and its
 * executable bits are not set: both would let a stranger's torrent do more than hold data.
 */
import {
  assert,
  Bitfield,
  byteCountOf,
  type DiskFault,
  type FileId,
  type FileSpan,
  type FileStat,
} from '@tequio/kernel';
import { FileMap, FilePriorities, FileProgress, type PieceRange } from '../core/file-map.ts';
import { PartFile, type SlotChange } from '../core/part-file.ts';
import { type Doubt, judgeResume, partFileIndex, type ResumeChange } from '../core/resume.ts';
import type { TorrentInfo } from '../wire/torrent-info.ts';
import { FileMoves } from './file-moves.ts';
import { SettledFiles } from './settled-files.ts';
import { partRefOf, TorrentFiles } from './torrent-files.ts';
import type { TorrentStorageDeps, TorrentStorageOptions } from './torrent-storage-options.ts';

export type { StoragePlace, TorrentStorageDeps, TorrentStorageOptions } from './torrent-storage-options.ts';

const normalPriority = 4;

export class TorrentStorage {
  readonly info: TorrentInfo;
  readonly map: FileMap;
  readonly priorities: FilePriorities;
  /** Verified and recorded. */
  readonly have: Bitfield;
  /** Recorded, but to be checked again before use. */
  readonly doubtful: Bitfield;
  readonly #options: TorrentStorageOptions;
  readonly #deps: TorrentStorageDeps;
  readonly #files: TorrentFiles;
  readonly #startedMs: number;
  readonly #settled: SettledFiles;
  readonly #moves: FileMoves;
  /** Files that exist, or that we have begun to write. */
  readonly #begun = new Set<number>();
  readonly #inFlight = new Set<number>();
  readonly #partId = (): FileId => this.#files.idOf(partFileIndex);
  readonly #idOf = (file: number): FileId => this.#files.idOf(file);
  #parts: PartFile;
  #progress: FileProgress;
  #stats = new Map<number, FileStat>();
  #turn: Promise<unknown> = Promise.resolve();
  /** Changes of the files that go on or wait. */
  #turnCount = 0;
  #idle: (() => void)[] = [];

  constructor(options: TorrentStorageOptions, deps: TorrentStorageDeps) {
    const { info, progress } = options;
    this.#options = options;
    this.#deps = deps;
    this.info = info;
    this.map = new FileMap(info);
    const given = options.filePriorities;
    const priorities = given.length === info.files.length ? given : info.files.map(() => normalPriority);
    this.priorities = new FilePriorities(this.map, priorities);
    this.have = new Bitfield(info.pieceCount);
    this.doubtful = new Bitfield(info.pieceCount);
    this.#progress = new FileProgress(this.map, this.have);
    this.#parts = new PartFile(this.map, new Bitfield(info.files.length));
    this.#startedMs = deps.clock.wallMs();
    const partRef = partRefOf(options.partsFolder, options.id);
    this.#files = new TorrentFiles(info, deps.disk, { ...options.place, partRef });
    this.#settled = new SettledFiles(progress?.settled ?? new Map(), {
      clock: deps.clock,
      delayMs: options.settleDelayMs ?? 0,
      disk: deps.disk,
      files: this.#files,
      record: (change) => this.#record(change),
      isDoubtful: (file) => this.#isDoubtful(file),
    });
    this.#moves = new FileMoves({ ...deps, files: this.#files, settled: this.#settled });
  }

  get folder(): string {
    return this.#files.folder;
  }

  pathOf(file: number): string {
    return this.#files.pathOf(file);
  }

  /** Verified bytes of a file. */
  doneBytesOf(file: number): number {
    return this.#progress.doneBytes[file]!;
  }

  /** Bytes of all wanted files, and those of them that are verified; pads do not count. */
  get wanted(): { readonly wantedBytes: number; readonly doneBytes: number } {
    let [wantedBytes, doneBytes] = [0, 0];
    for (const { index, bytes, pad } of this.info.files) {
      if (pad || this.priorities.fileAt(index) === 0) continue;
      wantedBytes += bytes;
      doneBytes += this.#progress.doneBytes[index]!;
    }
    return { wantedBytes, doneBytes };
  }

  /** Nothing is being written or moved, waits to be synced, or lies in a place that is not its own. */
  get isSettled(): boolean {
    if (this.#turnCount > 0) return false;
    return this.#inFlight.size === 0 && this.#settled.isDone && this.#parts.isEmpty && this.doubtful.isEmpty;
  }

  /** The torrent's file that a fault is about; null: none, or the part file. */
  fileOf(fault: DiskFault): number | null {
    const index = fault.file === null ? null : this.#files.indexOf(fault.file);
    return index === partFileIndex ? null : index;
  }

  /**
   * First of all: ends a move that was interrupted, looks at the files, and judges what was remembered. After it
   * `have` and `doubtful` are filled. Nothing is made or written but what an interrupted move or a change of the
   * wanted files asks for.
   */
  async open(): Promise<readonly Doubt[]> {
    const { pendingMove } = this.#options.place;
    if (pendingMove !== null) await this.#moves.run(pendingMove);
    const real = this.info.files.map((file) => file.index).filter((file) => this.#files.isReal(file));
    this.#stats = await this.#files.statAll([partFileIndex, ...real]);
    for (const file of this.#stats.keys()) this.#begun.add(file);
    this.#decidePlaces(real);
    const doubts = this.#judge();
    const unsettled = this.#filesWithPieces().filter((file) => !this.#settled.has(file));
    await this.#settled.settle(unsettled);
    for (const file of real) {
      if (this.priorities.fileAt(file) > 0 && this.#parts.isPlacedHere(file)) await this.#moveOut(file);
    }
    return doubts;
  }

  /** Pieces whose bytes could all be there, by the lengths of the files as `open` saw them: worth a full check. */
  presentPieces(): Bitfield {
    const present = new Bitfield(this.info.pieceCount);
    for (let piece = 0; piece < this.info.pieceCount; piece++) {
      const places = this.#placesOf(piece);
      const isThere = (place: { file: number; offset: number; bytes: number }): boolean =>
        (this.#stats.get(place.file)?.bytes ?? -1) >= place.offset + place.bytes;
      if (places?.every(isThere) === true) present.set(piece);
    }
    return present;
  }

  /**
   * Where to write a run of a piece. The first call for a piece begins it: `keep` or `drop` must end it. Files that
   * were settled are recorded as not settled before this returns.
   */
  spansToStore(piece: number, offset: number, bytes: number): FileSpan[] {
    const spans = this.#parts.spansToStore(piece, offset, bytes, this.#idOf, this.#partId);
    this.#inFlight.add(piece);
    for (const { file } of spans) if (file !== null) this.#touch(this.#files.indexOf(file)!);
    return spans;
  }

  /** Where to read a run of a piece; null when bytes of it were never stored anywhere. */
  trySpansToLoad(piece: number, offset: number, bytes: number): FileSpan[] | null {
    return this.#parts.trySpansToLoad(piece, offset, bytes, this.#idOf, this.#partId);
  }

  /**
   * Pieces that were verified, and whose bytes are written. They are committed when this returns: only now may
   * anybody be told. Returns the files that became complete; they are settled in the background.
   */
  keep(pieces: readonly number[]): number[] {
    const fresh = pieces.filter((piece) => !this.have.has(piece));
    const slots: SlotChange[] = [];
    const unsettled = new Set<number>();
    for (const piece of pieces) {
      const slot = this.#parts.markStored(piece);
      if (slot !== null) slots.push(slot);
      if (!this.#inFlight.has(piece)) continue;
      for (const { file } of this.#placesOf(piece) ?? []) if (this.#settled.has(file)) unsettled.add(file);
    }
    const news = fresh.filter((piece) => !this.doubtful.has(piece));
    if (news.length > 0 || slots.length > 0 || unsettled.size > 0) {
      for (const file of unsettled) this.#settled.markUnsettled(file);
      this.#record({ kept: news, slots, settled: [...unsettled].map((file) => ({ file, as: null })) });
    }
    const completed: number[] = [];
    for (const piece of fresh) {
      this.have.set(piece);
      completed.push(...this.#progress.markHave(piece));
    }
    for (const piece of pieces) this.#resolveDoubt(piece);
    this.#endFlights(pieces);
    this.#settled.settleLater(completed);
    return completed;
  }

  /** A piece that was begun is not going to be kept: it failed, or was given up. */
  drop(piece: number): void {
    this.#parts.markDropped(piece);
    this.#endFlights([piece]);
  }

  /** Pieces that were kept or doubtful are not there: a check or a failed read has shown it. */
  lose(pieces: readonly number[]): void {
    const lost = pieces.filter((piece) => this.have.has(piece) || this.doubtful.has(piece));
    if (lost.length === 0) return;
    this.#record({ lost });
    for (const piece of lost) {
      if (this.have.clear(piece)) this.#progress.markLost(piece);
      this.#resolveDoubt(piece);
    }
  }

  /** What is kept of these files (null: of all) becomes doubtful, also after a restart, until it is checked. */
  doubt(files: readonly number[] | null): void {
    const doubted: number[] = [];
    for (const file of files ?? [partFileIndex, ...this.info.files.keys()]) {
      const range = this.#rangeOf(file);
      const before = this.doubtful.setCount;
      for (let piece = this.have.nextSet(range.first); piece >= 0 && piece <= range.last; ) {
        if (file !== partFileIndex || this.#parts.slotOf(piece) !== null) this.#markDoubtful(piece);
        piece = this.have.nextSet(piece + 1);
      }
      if (this.doubtful.setCount > before) doubted.push(file);
    }
    this.#settled.markDoubted(doubted);
  }

  /**
   * Changes what is wanted. Bytes of the file that lie in the part file are moved to it first, so this can take a
   * moment; the pieces whose priority changed come back (see `priorities.pieces`), or null when none has.
   */
  setPriority(file: number, priority: number): Promise<PieceRange | null> {
    return this.#inTurn(async () => {
      if (priority > 0 && this.#parts.isPlacedHere(file)) await this.#moveOut(file);
      const range = this.priorities.set(file, priority);
      if (priority === 0) await this.#placeApart(file);
      return range;
    });
  }

  /** Makes the wanted files that are empty, as users expect them beside the others. */
  finish(): Promise<void> {
    return this.#inTurn(async () => {
      for (const { index, bytes } of this.info.files) {
        if (bytes > 0 || !this.#files.isReal(index) || this.priorities.fileAt(index) === 0) continue;
        if ((await this.#files.stat(index)) !== null) continue;
        await this.#deps.disk.allocate(this.#idOf(index), 0, 'sparse');
        this.#begun.add(index);
      }
    });
  }

  /** Reserves the space of all wanted files. Without it they are sparse and grow. @throws NodeError DISK_* */
  allocate(): Promise<void> {
    return this.#inTurn(async () => {
      for (const { index, bytes } of this.info.files) {
        const isHere = this.#files.isReal(index) && !this.#parts.isPlacedHere(index);
        if (bytes === 0 || !isHere || this.priorities.fileAt(index) === 0) continue;
        if (((await this.#files.stat(index))?.bytes ?? 0) >= bytes) continue;
        this.#touch(index);
        await this.#deps.disk.allocate(this.#idOf(index), bytes, 'full');
      }
    });
  }

  /** Sends the files that are complete to where the torrent will be, each for itself. */
  sendAhead(folder: string): Promise<void> {
    return this.#inTurn(() => {
      const { doneBytes } = this.#progress;
      const complete = this.info.files.filter(
        ({ index, bytes }) => bytes > 0 && doneBytes[index] === bytes && !this.#parts.isPlacedHere(index),
      );
      return this.#moves.sendAhead(
        complete.map(({ index }) => index),
        folder,
      );
    });
  }

  /** Moves all files while jobs go on; all or none. @throws NodeError `DISK_EXISTS` and other DISK_* */
  move(folder: string): Promise<void> {
    return this.#inTurn(() => this.#moves.run({ folder }));
  }

  /** @throws NodeError `BITTORRENT_FILE_NAME`, DISK_* */
  renameFile(file: number, path: string): Promise<void> {
    return this.#inTurn(() => {
      this.#files.checkName(file, path);
      return this.#moves.run({ file, path });
    });
  }

  /** Is the file there? Null: yes. For a probe of `StorageTrouble`. */
  look(file: number | null): Promise<DiskFault | null> {
    return file === null ? Promise.resolve(null) : this.#files.look(file);
  }

  /** Closes all files once the jobs that were given are done; the next job opens what stands there then. */
  reopen(): Promise<void> {
    return this.#inTurn(() => this.#files.forgetAll());
  }

  /** Removes what is ours: files that were wanted or hold pieces, and the part file. Then the torrent is closed. */
  removeContent(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#settled.settleRest(() => true);
      const ours = this.info.files
        .map((file) => file.index)
        .filter((file) => this.#files.isReal(file) && !this.#parts.isPlacedHere(file))
        .filter(
          (file) =>
            this.priorities.fileAt(file) > 0 || this.#settled.isTouched(file) || this.doneBytesOf(file) > 0,
        );
      // Jobs that the disk still has are done first.
      await this.#files.forgetAll();
      await this.#files.remove([...ours, partFileIndex]);
      await this.#files.forgetAll();
    });
  }

  /**
   * Settles what was written, and closes the files. When `isLate` says so the rest is left unsettled: it is then
   * believed at the next start only if the machine was not restarted.
   */
  close(isLate: () => boolean = () => false): Promise<void> {
    return this.#inTurn(async () => {
      await this.#settled.settleRest(isLate);
      await this.#files.forgetAll();
    });
  }

  /** One change of the files after the other. */
  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    this.#turnCount++;
    const run = this.#turn.then(work).finally(() => this.#turnCount--);
    this.#turn = run.catch(() => undefined);
    return run;
  }

  #record(change: ResumeChange): void {
    const { bootId } = this.#options;
    const session = { bootId, startedMs: this.#startedMs, aliveMs: this.#deps.clock.wallMs() };
    this.#deps.record({ ...change, session });
  }

  #decidePlaces(real: readonly number[]): void {
    const { progress } = this.#options;
    const fileCount = this.info.files.length;
    const remembered =
      progress?.placed.length === byteCountOf(fileCount)
        ? Bitfield.tryFromBytes(progress.placed, fileCount)
        : null;
    const placed = remembered ?? new Bitfield(fileCount);
    if (remembered === null) {
      for (const file of real) {
        const isEmpty = this.info.files[file]!.bytes === 0;
        if (!isEmpty && this.priorities.fileAt(file) === 0 && !this.#stats.has(file)) placed.set(file);
      }
    }
    this.#parts = new PartFile(this.map, placed, progress?.slots);
    if (remembered === null && !placed.isEmpty) this.#deps.record({ placed: placed.bytes });
  }

  #judge(): readonly Doubt[] {
    const { progress, bootId } = this.#options;
    if (progress === null || progress.have.bitCount !== this.info.pieceCount) return [];
    const statOf = (file: number): FileStat | null => this.#stats.get(file) ?? null;
    const verdict = judgeResume(this.map, progress, statOf, bootId, (piece) => this.#placesOf(piece));
    const { believed, doubtful } = verdict;
    for (let piece = believed.nextSet(0); piece >= 0; piece = believed.nextSet(piece + 1))
      this.have.set(piece);
    for (let piece = doubtful.nextSet(0); piece >= 0; piece = doubtful.nextSet(piece + 1))
      this.doubtful.set(piece);
    this.#progress = new FileProgress(this.map, this.have);
    return verdict.doubts;
  }

  /** Runs of files, by index, that hold a piece; null when bytes of it are nowhere. */
  #placesOf(piece: number): { file: number; offset: number; bytes: number }[] | null {
    const spans = this.trySpansToLoad(piece, 0, this.info.pieceBytes);
    if (spans === null) return null;
    const places: { file: number; offset: number; bytes: number }[] = [];
    for (const { file, offset, bytes } of spans) {
      if (file !== null) places.push({ file: this.#files.indexOf(file)!, offset, bytes });
    }
    return places;
  }

  /** Files of which something is believed, none of it doubtful. */
  #filesWithPieces(): number[] {
    const files = new Set<number>();
    for (let piece = this.have.nextSet(0); piece >= 0; piece = this.have.nextSet(piece + 1)) {
      for (const { file } of this.#placesOf(piece) ?? []) files.add(file);
    }
    return [...files].filter((file) => !this.#isDoubtful(file));
  }

  #isDoubtful(file: number): boolean {
    if (this.doubtful.isEmpty) return false;
    const range = this.#rangeOf(file);
    const next = this.doubtful.nextSet(range.first);
    return next >= 0 && next <= range.last;
  }

  /** Pieces that may have bytes in the file; any may in the part file. */
  #rangeOf(file: number): PieceRange {
    const all = { first: 0, last: this.info.pieceCount - 1 };
    return file === partFileIndex ? all : (this.map.piecesOf(file) ?? { first: 0, last: -1 });
  }

  /** The file is about to be written to. */
  #touch(file: number): void {
    this.#begun.add(file);
    if (file !== partFileIndex && !this.doubtful.isEmpty) this.#loseDoubtful(this.#rangeOf(file));
    this.#settled.markTouched(file);
  }

  /** Once a file is written to its time proves nothing any more: what was still to be checked in it is given up. */
  #loseDoubtful(range: PieceRange): void {
    const lost: number[] = [];
    for (let piece = this.doubtful.nextSet(range.first); piece >= 0 && piece <= range.last; ) {
      lost.push(piece);
      piece = this.doubtful.nextSet(piece + 1);
    }
    this.lose(lost);
  }

  #markDoubtful(piece: number): void {
    this.have.clear(piece);
    this.#progress.markLost(piece);
    this.doubtful.set(piece);
  }

  #resolveDoubt(piece: number): void {
    if (!this.doubtful.clear(piece)) return;
    const files = (this.#placesOf(piece) ?? []).map((place) => place.file);
    this.#settled.settleLater(files.filter((file) => !this.#isDoubtful(file)));
  }

  #endFlights(pieces: readonly number[]): void {
    for (const piece of pieces) this.#inFlight.delete(piece);
    const waiting = this.#idle;
    this.#idle = [];
    for (const resolve of waiting) resolve();
  }

  /** A file of which nothing exists goes to the part file from now on. */
  async #placeApart(file: number): Promise<void> {
    if (!this.#files.isReal(file) || this.info.files[file]!.bytes === 0) return;
    if (this.#begun.has(file) || this.#parts.isPlacedHere(file)) return;
    if ((await this.#files.stat(file)) !== null || this.#begun.has(file)) return;
    this.#parts.markUnwanted(file);
    this.#record({ placed: this.#parts.placed.bytes });
  }

  /** Bytes of the file go from the part file to itself; then, at one instant, it is its own place. */
  async #moveOut(file: number): Promise<void> {
    const range = this.map.piecesOf(file);
    assert(range !== null, 'an empty file is never placed in the part file');
    const moved = new Set<number>();
    for (;;) {
      if (this.#isStoring(range)) {
        await new Promise<void>((resolve) => this.#idle.push(resolve));
        continue;
      }
      const moves = this.#parts.movesOf(file).filter((move) => !moved.has(move.piece));
      // From here to the change of place nothing waits: no piece can be begun in between.
      if (moves.length === 0) break;
      this.#begun.add(file);
      this.#settled.markTouched(file);
      for (const { piece, partOffset, fileOffset, bytes } of moves) {
        await this.#files.copyOut(partOffset, file, fileOffset, bytes);
        moved.add(piece);
      }
      await this.#deps.disk.sync(this.#idOf(file));
    }
    if (this.#isDoubtful(file)) this.#settled.markDoubted([file]);
    this.#parts.markWanted(file);
    const slots = this.#parts.spareSlotsOf(file);
    this.#record({ placed: this.#parts.placed.bytes, slots });
    this.#parts.markFreed(slots);
    if (this.#parts.isEmpty) await this.#files.remove([partFileIndex]);
  }

  #isStoring(range: PieceRange): boolean {
    for (const piece of this.#inFlight) if (piece >= range.first && piece <= range.last) return true;
    return false;
  }
}
