/**
 * The naive twin of the piece picker: plain objects and scans, written from the rules in its header, so that the fuzz
 * test can compare the two. Choices that the rules leave to chance are taken from the picks it is asked to explain.
 */
import type { Bitfield } from '@tequio/kernel';
import type { BlockPick, PeerKey, PickQuery } from './piece-picker.ts';

export type ModelPiece = {
  readonly index: number;
  priority: number;
  have: boolean;
  copies: number;
  deadlineMs: number | null;
  /** Order in which deadlines were set breaks ties. */
  deadlineSerial: number;
  blocks: { sender: PeerKey | null; requesters: PeerKey[] }[];
  exclusive: PeerKey | null;
  last: PeerKey | null;
  openedSerial: number;
};

export class PiecePickerModel {
  readonly pieces: ModelPiece[];
  seeds = 0;
  sequential = false;
  #serial = 0;

  constructor(blockCounts: readonly number[]) {
    this.pieces = blockCounts.map((count, index) => ({
      index,
      priority: 4,
      have: false,
      copies: 0,
      deadlineMs: null,
      deadlineSerial: 0,
      blocks: Array.from({ length: count }, () => ({ sender: null, requesters: [] })),
      exclusive: null,
      last: null,
      openedSerial: 0,
    }));
  }

  isOpen(piece: ModelPiece): boolean {
    return piece.blocks.some((block) => block.sender !== null || block.requesters.length > 0);
  }

  isWanted(piece: ModelPiece): boolean {
    return piece.priority > 0 && !piece.have;
  }

  isFull(piece: ModelPiece): boolean {
    return piece.blocks.every((block) => block.sender !== null);
  }

  freeCount(piece: ModelPiece): number {
    return piece.blocks.filter((block) => block.sender === null && block.requesters.length === 0).length;
  }

  openPieces(): ModelPiece[] {
    return this.pieces.filter((piece) => this.isOpen(piece)).sort((a, b) => a.openedSerial - b.openedSerial);
  }

  get wantedCount(): number {
    return this.pieces.filter((piece) => this.isWanted(piece)).length;
  }

  get wantedBlocksLeft(): number {
    let count = 0;
    for (const piece of this.pieces) {
      if (this.isWanted(piece)) count += piece.blocks.filter((block) => block.sender === null).length;
    }
    return count;
  }

  get isEndGame(): boolean {
    const wanted = this.pieces.filter((piece) => this.isWanted(piece));
    return (
      wanted.length > 0 &&
      wanted.every(
        (piece) => piece.copies + this.seeds === 0 || (this.isOpen(piece) && this.freeCount(piece) === 0),
      )
    );
  }

  setPriority(index: number, priority: number): boolean {
    const piece = this.pieces[index]!;
    piece.priority = priority;
    if (piece.have || priority > 0 || !this.isOpen(piece) || this.isFull(piece)) return false;
    this.#clear(piece);
    return true;
  }

  setDeadline(index: number, atMs: number | null): void {
    const piece = this.pieces[index]!;
    piece.deadlineMs = piece.have ? null : atMs;
    piece.deadlineSerial = ++this.#serial;
  }

  markRequested(index: number, block: number, peer: PeerKey, exclusive: boolean): void {
    const piece = this.pieces[index]!;
    this.#touch(piece);
    piece.blocks[block]!.requesters.push(peer);
    piece.last = peer;
    if (exclusive) piece.exclusive = peer;
  }

  markReleased(index: number, block: number, peer: PeerKey): boolean {
    const piece = this.pieces[index]!;
    const at = piece.blocks[block]!.requesters.indexOf(peer);
    if (at < 0) return false;
    piece.blocks[block]!.requesters.splice(at, 1);
    this.#closeIfEmpty(piece);
    return true;
  }

  releasePeer(peer: PeerKey): void {
    for (const piece of this.pieces) {
      for (let block = 0; block < piece.blocks.length; block++) this.markReleased(piece.index, block, peer);
    }
  }

  markReceived(index: number, block: number, peer: PeerKey): 'new' | 'duplicate' | 'unwanted' {
    const piece = this.pieces[index]!;
    if (piece.have) return 'duplicate';
    if (!this.isOpen(piece) && piece.priority === 0) return 'unwanted';
    const isThere = piece.blocks[block]!.sender !== null;
    this.#touch(piece);
    const { requesters } = piece.blocks[block]!;
    if (requesters.includes(peer)) requesters.splice(requesters.indexOf(peer), 1);
    if (isThere) return 'duplicate';
    piece.blocks[block]!.sender = peer;
    return 'new';
  }

  markHave(index: number): boolean {
    const piece = this.pieces[index]!;
    if (piece.have) return false;
    piece.have = true;
    piece.deadlineMs = null;
    this.#clear(piece);
    return true;
  }

  markFailed(index: number, bad: readonly number[] | null): void {
    const piece = this.pieces[index]!;
    piece.blocks.forEach((block, at) => {
      if (bad === null || bad.includes(at)) block.sender = null;
    });
    piece.exclusive = null;
    if (piece.priority === 0) this.#clear(piece);
    this.#closeIfEmpty(piece);
  }

  markMissing(index: number): void {
    this.pieces[index]!.have = false;
  }

  /**
   * Goes through the rules for this query. Where chance decides, the next of `picks` must be one of the permitted; the
   * picks that the rules give are returned, to be compared with those made.
   */
  explain(query: PickQuery, picks: readonly BlockPick[]): BlockPick[] {
    const run = new Explanation(this, query, picks);
    if (query.count > 0) run.go();
    return run.expected;
  }

  #touch(piece: ModelPiece): void {
    if (!this.isOpen(piece)) piece.openedSerial = ++this.#serial;
  }

  #closeIfEmpty(piece: ModelPiece): void {
    if (!this.isOpen(piece)) this.#clear(piece);
  }

  #clear(piece: ModelPiece): void {
    for (const block of piece.blocks) {
      block.sender = null;
      block.requesters = [];
    }
    piece.exclusive = null;
    piece.last = null;
  }
}

class Explanation {
  readonly expected: BlockPick[] = [];
  readonly #model: PiecePickerModel;
  readonly #query: PickQuery;
  readonly #picks: readonly BlockPick[];
  readonly #done = new Set<ModelPiece>();
  #openRoom: number;
  #hasLate = false;

  constructor(model: PiecePickerModel, query: PickQuery, picks: readonly BlockPick[]) {
    this.#model = model;
    this.#query = query;
    this.#picks = picks;
    this.#openRoom = query.openLimit;
  }

  get #room(): number {
    return this.#query.count - this.expected.length;
  }

  go(): void {
    this.#deadlines();
    this.#partials();
    const { allowed, suggested, mode, endGame } = this.#query;
    const model = this.#model;
    if (allowed === null && !model.sequential) {
      const top = Math.max(
        ...model.pieces.filter((piece) => this.#isClosed(piece)).map((piece) => piece.priority),
      );
      this.#newOnes(
        (piece) => suggested.slice(0, 64).includes(piece.index) && piece.priority === top,
        'rarest',
      );
    }
    const have = model.pieces.filter((piece) => piece.have).length;
    if (allowed !== null) this.#newOnes(() => true, 'rarest');
    else this.#newOnes(() => true, model.sequential ? 'index' : have < 4 ? 'any' : 'rarest');
    if (endGame && mode === 'normal' && !this.#hasLate) {
      const counts = model.isEndGame ? [1, 2] : this.#query.isShort === true ? [1] : [];
      for (const count of counts) for (const piece of model.openPieces()) this.#requested(piece, count);
    }
  }

  #deadlines(): void {
    const due = this.#model.pieces
      .filter((piece) => piece.deadlineMs !== null)
      .sort((a, b) => a.deadlineMs! - b.deadlineMs! || a.deadlineSerial - b.deadlineSerial);
    for (const piece of due) {
      if (!this.#mayAsk(piece) || this.#room === 0) continue;
      if (this.#isClosed(piece)) {
        if (this.#openRoom > 0) this.#takeNew(piece);
        continue;
      }
      const isLate = this.#query.nowMs >= piece.deadlineMs! - 2000;
      if (!this.#model.isOpen(piece) || this.#model.isFull(piece) || !this.#mayJoin(piece, isLate)) continue;
      this.#free(piece);
      this.#done.add(piece);
      const before = this.#room;
      if (isLate && this.#query.isFast === true && this.#query.mode === 'normal') this.#requested(piece, 1);
      if (this.#room < before) this.#hasLate = true;
    }
  }

  #partials(): void {
    const { peer } = this.#query;
    const own = (piece: ModelPiece): number =>
      piece.last === peer || piece.blocks.some((block) => block.requesters.includes(peer)) ? 1 : 0;
    const model = this.#model;
    const partials = model.pieces
      .filter((piece) => model.isOpen(piece) && model.freeCount(piece) > 0 && !this.#done.has(piece))
      .filter((piece) => this.#mayAsk(piece) && this.#mayJoin(piece, false))
      .sort((a, b) => {
        if (a.priority !== b.priority) return b.priority - a.priority;
        if (model.sequential) return a.index - b.index;
        return (
          own(b) - own(a) ||
          model.freeCount(a) - model.freeCount(b) ||
          a.copies - b.copies ||
          a.index - b.index
        );
      });
    for (const piece of partials) this.#free(piece);
  }

  #newOnes(filter: (piece: ModelPiece) => boolean, order: 'any' | 'index' | 'rarest'): void {
    for (;;) {
      const fit = this.#model.pieces.filter(
        (piece) => this.#isClosed(piece) && !this.#done.has(piece) && this.#mayAsk(piece) && filter(piece),
      );
      if (fit.length === 0 || this.#room === 0 || this.#openRoom === 0) return;
      const top = Math.max(...fit.map((piece) => piece.priority));
      const best = fit.filter((piece) => piece.priority === top);
      const least = Math.min(...best.map((piece) => Math.min(63, piece.copies)));
      const permitted =
        order === 'any'
          ? best
          : order === 'index'
            ? best.slice(0, 1)
            : best.filter((piece) => Math.min(63, piece.copies) === least);
      const made = this.#picks[this.expected.length];
      this.#takeNew(permitted.find((piece) => piece.index === made?.piece) ?? permitted[0]!);
    }
  }

  #takeNew(piece: ModelPiece): void {
    this.#openRoom--;
    this.#done.add(piece);
    piece.blocks.forEach((_, block) => {
      this.#take(piece, block);
    });
  }

  #free(piece: ModelPiece): void {
    piece.blocks.forEach(({ sender, requesters }, block) => {
      if (sender === null && requesters.length === 0) this.#take(piece, block);
    });
  }

  #requested(piece: ModelPiece, count: number): void {
    if (!this.#mayAsk(piece)) return;
    piece.blocks.forEach(({ sender, requesters }, block) => {
      if (sender === null && requesters.length === count && !requesters.includes(this.#query.peer)) {
        this.#take(piece, block);
      }
    });
  }

  #take(piece: ModelPiece, block: number): void {
    if (this.#room > 0) this.expected.push({ piece: piece.index, block });
  }

  #isClosed(piece: ModelPiece): boolean {
    return this.#model.isWanted(piece) && !this.#model.isOpen(piece);
  }

  #mayAsk(piece: ModelPiece): boolean {
    const { has, allowed } = this.#query;
    return (has as Bitfield | null)?.has(piece.index) !== false && allowed?.has(piece.index) !== false;
  }

  #mayJoin(piece: ModelPiece, urgent: boolean): boolean {
    const { peer, mode } = this.#query;
    if (mode === 'parole') {
      return piece.blocks.every(
        ({ sender, requesters }) =>
          (sender === null || sender === peer) && requesters.every((requester) => requester === peer),
      );
    }
    const owner = piece.exclusive;
    const isBusy = owner !== null && piece.blocks.some((block) => block.requesters.includes(owner));
    return urgent || !isBusy || owner === peer;
  }
}
