import { assert, Bitfield, type Prng } from '@tequio/kernel';
import { blockBytes } from '../wire/torrent-info.ts';
import { Basket, type BlockPick, mayAsk, mayJoin, type PickQuery } from './piece-picker-basket.ts';
import { ClosedPieces, normalPriority, priorityMax } from './piece-picker-closed.ts';
import { OpenPiece, type OpenPieceView, type PeerKey, requestersPerBlockMax } from './piece-picker-open.ts';

export type { BlockPick, PickQuery } from './piece-picker-basket.ts';
export { normalPriority, priorityMax } from './piece-picker-closed.ts';
export type { OpenPieceView, PeerKey } from './piece-picker-open.ts';

export type PiecePickerOptions = {
  readonly pieceCount: number;
  readonly pieceBytes: number;
  readonly totalBytes: number;
  readonly prng: Prng;
  readonly sequential?: boolean;
  /** Blocks to fetch of a piece, at least 1, where it ends in padding; by default those of its bytes. */
  readonly blockCountOf?: (piece: number) => number;
};

/** Pieces with deadlines at once; a player's window is far smaller. */
const deadlinesMax = 1024;
/** A block that is missing this shortly before its deadline is asked of a second peer. */
const deadlineMarginMs = 2000;
/** Complete pieces from which on rarity counts. */
const firstPieceCount = 4;
/** Open pieces kept for use again. */
const sparesMax = 32;

/**
 * Which block to ask of whom, and the one owner of every block's state.
 *
 *                    markRequested                 markReceived (last block)        markHave
 *   unwanted <--> closed ----------> open (partial) ----------------------> received ----------> had
 *        setPriority   <----------                  <----------------------          <----------
 *                  all released                       markFailed                    markMissing (-> closed)
 *
 * Who is asked what, in this order:
 * 1. Pieces with a deadline, earliest first. Their missing blocks, when the deadline is within 2 s, may be asked of a
 *    second peer if it is fast. Rationale: a player stalls on the one slow peer that holds the next block.
 * 2. Open pieces before new ones, for each open piece costs memory and a piece is of use to others only when whole.
 *    Among them: higher priority; in sequential mode lower index; one that this peer works on already (fewer peers a
 *    piece: blame is easier, and slow peers do not hold up the fast ones' pieces); nearest to completion; rarer.
 * 3. What the peer suggested (its disk has it in memory), if it is of the highest priority that is left.
 * 4. New pieces: highest priority, then rarest first, random among equals; by index in sequential mode. The first four
 *    are random: a rare piece comes slowly, and who has nothing complete has nothing to trade.
 * 5. End game: when each block that anyone connected has is requested or received, blocks are asked again of up to
 *    three peers, those with fewest requesters first. Blocks of pieces that nobody has do not hold it off.
 * Blocks of a piece go in ascending order, so that it can be hashed and written as it grows.
 *
 * A peer on parole works alone: it is given only pieces where all requests and blocks are its own, and others leave
 * that piece to it (`exclusive`) while it has requests there, or until the end game. So a wrong piece names its liar.
 *
 * Attacker: HAVE floods cost one swap each; a peer with nothing for us costs a bounded search (see ClosedPieces); one
 * that leaves a piece unfinished costs an open piece, of which the caller's `openLimit` bounds the number.
 * Cost: every transition O(1) but for markFailed and releasePeer (blocks of open pieces), addField (its bits) and the
 * deadline list. pick: O(partial pieces + picks) and the search. Memory: 13.5 bytes a piece, 17 a block of open pieces.
 */
export class PiecePicker {
  /** What we have, verified. To be read only. */
  readonly have: Bitfield;
  readonly #pieceCount: number;
  readonly #blockCount: number;
  readonly #lastBlockCount: number;
  readonly #blockCountOf: ((piece: number) => number) | null;
  /** Without seeds, which are counted once for all pieces. */
  readonly #copyCount: Uint16Array;
  #seedCount = 0;
  readonly #priority: Uint8Array;
  readonly #closed: ClosedPieces;
  readonly #open = new Map<number, OpenPiece>();
  /** Open pieces with free blocks, in no order. */
  readonly #partial: OpenPiece[] = [];
  readonly #spares: OpenPiece[] = [];
  /** Sorted by time. */
  readonly #deadlines: { readonly piece: number; readonly atMs: number }[] = [];
  readonly #basket = new Basket((piece) => this.blockCountOf(piece));
  #sequential: boolean;
  #wantedCount: number;
  #wantedBlocksLeft = 0;
  #pickSerial = 0;

  constructor(options: PiecePickerOptions) {
    const { pieceCount, pieceBytes, totalBytes } = options;
    assert(pieceCount > 0 && totalBytes > (pieceCount - 1) * pieceBytes, 'the pieces cover the bytes');
    this.#pieceCount = pieceCount;
    this.#blockCount = Math.ceil(Math.min(pieceBytes, totalBytes) / blockBytes);
    this.#lastBlockCount = Math.ceil((totalBytes - (pieceCount - 1) * pieceBytes) / blockBytes);
    this.#blockCountOf = options.blockCountOf ?? null;
    this.have = new Bitfield(pieceCount);
    this.#copyCount = new Uint16Array(pieceCount);
    this.#priority = new Uint8Array(pieceCount).fill(normalPriority);
    this.#closed = new ClosedPieces(pieceCount, options.prng);
    this.#sequential = options.sequential ?? false;
    this.#wantedCount = pieceCount;
    for (let piece = 0; piece < pieceCount; piece++) this.#wantedBlocksLeft += this.blockCountOf(piece);
  }

  // Availability

  addHave(piece: number): void {
    this.#changeCopies(piece, 1);
  }

  removeHave(piece: number): void {
    this.#changeCopies(piece, -1);
  }

  addField(field: Bitfield): void {
    for (let piece = field.nextSet(0); piece >= 0; piece = field.nextSet(piece + 1))
      this.#changeCopies(piece, 1);
  }

  removeField(field: Bitfield): void {
    for (let piece = field.nextSet(0); piece >= 0; piece = field.nextSet(piece + 1))
      this.#changeCopies(piece, -1);
  }

  /** A peer that has everything: one number, no piece is touched. */
  addSeed(): void {
    this.#seedCount++;
  }

  removeSeed(): void {
    assert(this.#seedCount > 0, 'a seed that leaves had come');
    this.#seedCount--;
  }

  /** Connected peers that have the piece. */
  availabilityOf(piece: number): number {
    return this.#copyCount[piece]! + this.#seedCount;
  }

  // Wishes

  /**
   * closed <-> unwanted, or another class. An open piece that is no longer wanted is forgotten with all its requests
   * (true is returned: the caller drops its bytes and cancels), unless it only waits for its hash.
   */
  setPriority(piece: number, priority: number): boolean {
    assert(priority >= 0 && priority <= priorityMax, 'a priority is 0 to 7');
    const before = this.#priority[piece]!;
    this.#priority[piece] = priority;
    if (before === priority || this.have.has(piece)) return false;
    const open = this.#open.get(piece);
    if ((before === 0) !== (priority === 0)) {
      const sign = priority === 0 ? -1 : 1;
      this.#wantedCount += sign;
      this.#wantedBlocksLeft += sign * (this.blockCountOf(piece) - (open?.receivedCount ?? 0));
    }
    if (open !== undefined) {
      if (priority > 0 || open.isFull) return false;
      this.#drop(open);
      return true;
    }
    if (before === 0) this.#closed.add(piece, priority, this.#copyCount[piece]!);
    else if (priority === 0) this.#closed.remove(piece);
    else this.#closed.change(piece, priority, this.#copyCount[piece]!);
    return false;
  }

  priorityOf(piece: number): number {
    return this.#priority[piece]!;
  }

  /** Pieces by index instead of by rarity. */
  setSequential(on: boolean): void {
    this.#sequential = on;
  }

  /** When the piece is needed; null: no longer. Past 1024 deadlines the latest is given up. */
  setDeadline(piece: number, atMs: number | null): void {
    const list = this.#deadlines;
    const old = list.findIndex((entry) => entry.piece === piece);
    if (old >= 0) list.splice(old, 1);
    if (atMs === null || this.have.has(piece)) return;
    let at = list.length;
    while (at > 0 && list[at - 1]!.atMs > atMs) at--;
    list.splice(at, 0, { piece, atMs });
    if (list.length > deadlinesMax) list.pop();
  }

  hasDeadline(piece: number): boolean {
    return this.#deadlines.some((entry) => entry.piece === piece);
  }

  // Block transitions

  /**
   * none -> requested; requested -> requested by one more. The first one opens the piece.
   * @param exclusive the peer is on parole: leave this piece to it
   */
  markRequested(piece: number, block: number, peer: PeerKey, exclusive = false): void {
    const open = this.#open.get(piece) ?? this.#begin(piece);
    open.addRequester(block, peer);
    if (exclusive) open.exclusivePeer = peer;
    this.#settle(open);
  }

  /**
   * Rejected, timed out, choked, cancelled: requested -> requested by one less, or none. False when that peer had not
   * been asked. Whoever was sent a CANCEL is released too, also of a block that has arrived.
   */
  markReleased(piece: number, block: number, peer: PeerKey): boolean {
    const open = this.#open.get(piece);
    if (open === undefined || !open.removeRequester(block, peer)) return false;
    this.#settle(open);
    return true;
  }

  /** All requests of a peer -> none. O(open pieces + blocks of those where it has requests). */
  releasePeer(peer: PeerKey): void {
    for (const open of [...this.#open.values()]) {
      for (let block = 0; open.requestsOf(peer) > 0; block++) open.removeRequester(block, peer);
      this.#settle(open);
    }
  }

  /**
   * requested or none -> received (`new`). `duplicate`: it was there; `unwanted`: nobody wants the piece (any more).
   * Others who were asked for the block too stay its requesters: see {@link requestersOf}.
   */
  markReceived(piece: number, block: number, peer: PeerKey): 'new' | 'duplicate' | 'unwanted' {
    let open = this.#open.get(piece);
    if (open === undefined) {
      if (this.have.has(piece)) return 'duplicate';
      if (this.#priority[piece] === 0) return 'unwanted';
      open = this.#begin(piece);
    }
    if (open.isReceived(block)) {
      open.removeRequester(block, peer);
      return 'duplicate';
    }
    open.receive(block, peer);
    this.#wantedBlocksLeft--;
    this.#settle(open);
    return 'new';
  }

  /** Appends everyone who is still asked for this block (after markReceived: whom to send a CANCEL). */
  requestersOf(piece: number, block: number, out: PeerKey[]): void {
    const open = this.#open.get(piece);
    if (open === undefined) return;
    for (let i = 0; i < open.requesterCountOf(block); i++) out.push(open.requesterOf(block, i));
  }

  /** All blocks have arrived and the piece waits for its hash. */
  isPieceReceived(piece: number): boolean {
    return this.#open.get(piece)?.isFull ?? false;
  }

  isBlockReceived(piece: number, block: number): boolean {
    return this.have.has(piece) || (this.#open.get(piece)?.isReceived(block) ?? false);
  }

  /** Who sent each block of an open piece, -1 where none has arrived; empty when the piece is not open. */
  contributorsOf(piece: number): PeerKey[] {
    const open = this.#open.get(piece);
    if (open === undefined) return [];
    return Array.from({ length: open.blockCount }, (_, block) => open.senderOf(block));
  }

  /** Verified (also from resume data): anything -> had. False when it was. */
  markHave(piece: number): boolean {
    if (!this.have.set(piece)) return false;
    const open = this.#open.get(piece);
    if (this.#priority[piece]! > 0) {
      this.#wantedCount--;
      this.#wantedBlocksLeft -= this.blockCountOf(piece) - (open?.receivedCount ?? 0);
    }
    if (open !== undefined) this.#drop(open);
    else if (this.#priority[piece]! > 0) this.#closed.remove(piece);
    if (this.#deadlines.length > 0) this.setDeadline(piece, null);
    return true;
  }

  /** The hash was wrong: these blocks, or all, received -> none. */
  markFailed(piece: number, badBlocks: readonly number[] | null): void {
    const open = this.#open.get(piece);
    assert(open !== undefined, 'only an open piece can fail');
    const receivedCount = open.receivedCount;
    if (badBlocks === null) for (let block = 0; block < open.blockCount; block++) open.forget(block);
    else for (const block of badBlocks) open.forget(block);
    open.exclusivePeer = -1;
    if (this.#priority[piece] === 0) {
      this.#drop(open);
      return;
    }
    this.#wantedBlocksLeft += receivedCount - open.receivedCount;
    this.#settle(open);
  }

  /** had -> closed (or unwanted): its bytes are gone. */
  markMissing(piece: number): void {
    if (!this.have.clear(piece) || this.#priority[piece] === 0) return;
    this.#wantedCount++;
    this.#wantedBlocksLeft += this.blockCountOf(piece);
    this.#closed.add(piece, this.#priority[piece]!, this.#copyCount[piece]!);
  }

  // Observations

  isWanted(piece: number): boolean {
    return this.#priority[piece]! > 0 && !this.have.has(piece);
  }

  get wantedCount(): number {
    return this.#wantedCount;
  }

  get wantedBlocksLeft(): number {
    return this.#wantedBlocksLeft;
  }

  get isFinished(): boolean {
    return this.#wantedCount === 0;
  }

  get openCount(): number {
    return this.#open.size;
  }

  openPieces(): IterableIterator<OpenPieceView> {
    return this.#open.values();
  }

  openPiece(piece: number): OpenPieceView | null {
    return this.#open.get(piece) ?? null;
  }

  blockCountOf(piece: number): number {
    if (this.#blockCountOf !== null) return this.#blockCountOf(piece);
    return piece === this.#pieceCount - 1 ? this.#lastBlockCount : this.#blockCount;
  }

  /** True when every block that somebody connected has is requested or received. O(partial pieces). */
  get isEndGame(): boolean {
    const obtainableCount =
      this.#seedCount > 0 ? this.#closed.count : this.#closed.count - this.#closed.uncopiedCount;
    if (obtainableCount > 0 || this.#wantedCount === 0) return false;
    return this.#partial.every((open) => this.availabilityOf(open.piece) === 0);
  }

  // Picking

  /** Appends up to `query.count` picks to `out`; changes nothing: the caller marks what it really requests. */
  pick(query: PickQuery, out: BlockPick[]): void {
    if (query.count <= 0 || this.#wantedCount === 0) return;
    const basket = this.#basket;
    basket.start(query, out);
    this.#pickSerial++;
    if (this.#deadlines.length > 0) this.#pickDeadlines(query, basket);
    while (basket.room > 0) {
      const open = this.#bestPartial(query);
      if (open === null) break;
      basket.takeFree(open);
      open.stamp = this.#pickSerial;
    }
    if (basket.room > 0 && basket.openRoom > 0 && this.#closed.count > 0) this.#pickNew(query, basket);
    if (basket.room > 0 && !basket.hasLate && query.endGame && query.mode === 'normal') {
      const requestersMax = this.isEndGame ? requestersPerBlockMax : query.isShort === true ? 2 : 1;
      for (let count = 1; count < requestersMax; count++) this.#pickAgain(query, basket, count);
    }
    basket.end();
  }

  #pickDeadlines(query: PickQuery, basket: Basket): void {
    for (const { piece, atMs } of this.#deadlines) {
      if (basket.room === 0) return;
      if (!mayAsk(query, piece)) continue;
      const open = this.#open.get(piece);
      if (open === undefined) {
        if (basket.openRoom > 0 && this.#closed.has(piece)) basket.takeNew(piece);
        continue;
      }
      if (open.stamp === this.#pickSerial || open.isFull) continue;
      const isLate = query.nowMs >= atMs - deadlineMarginMs;
      if (!mayJoin(query, open, isLate)) continue;
      basket.takeFree(open);
      open.stamp = this.#pickSerial;
      if (isLate && query.isFast === true && query.mode === 'normal') basket.takeLate(open, query.peer);
    }
  }

  #bestPartial(query: PickQuery): OpenPiece | null {
    let best: OpenPiece | null = null;
    for (const open of this.#partial) {
      if (open.stamp === this.#pickSerial || !mayAsk(query, open.piece)) continue;
      if (best !== null && !this.#isBetter(open, best, query.peer)) continue;
      if (mayJoin(query, open, false)) best = open;
    }
    return best;
  }

  #isBetter(a: OpenPiece, b: OpenPiece, peer: PeerKey): boolean {
    const byPriority = this.#priority[a.piece]! - this.#priority[b.piece]!;
    if (byPriority !== 0) return byPriority > 0;
    if (this.#sequential) return a.piece < b.piece;
    const ownA = a.lastPeer === peer || a.requestsOf(peer) > 0;
    const ownB = b.lastPeer === peer || b.requestsOf(peer) > 0;
    if (ownA !== ownB) return ownA;
    if (a.freeCount !== b.freeCount) return a.freeCount < b.freeCount;
    const byRarity = this.#copyCount[a.piece]! - this.#copyCount[b.piece]!;
    return byRarity === 0 ? a.piece < b.piece : byRarity < 0;
  }

  #pickNew(query: PickQuery, basket: Basket): void {
    const { has, allowed, suggested } = query;
    if (allowed !== null) this.#closed.visitAmong(allowed, has, basket, false);
    else if (this.#sequential) this.#closed.visitAscending(has, basket);
    else {
      if (suggested.length > 0) this.#closed.visitAmong(suggested, has, basket, true);
      if (basket.room === 0 || basket.openRoom === 0) return;
      this.#closed.visitRarest(has, basket, this.have.setCount < firstPieceCount);
    }
  }

  #pickAgain(query: PickQuery, basket: Basket, requesterCount: number): void {
    for (const open of this.#open.values()) {
      if (basket.room === 0) return;
      if (open.requestedCount === 0 || !mayAsk(query, open.piece)) continue;
      basket.takeRequested(open, requesterCount, query.peer);
    }
  }

  // Keeping the lists

  /** closed -> open */
  #begin(piece: number): OpenPiece {
    assert(this.#closed.has(piece), 'only a wanted piece is opened');
    this.#closed.remove(piece);
    const open = this.#spares.pop() ?? new OpenPiece(this.#blockCount);
    open.open(piece, this.blockCountOf(piece));
    this.#open.set(piece, open);
    return open;
  }

  /** After a change of its blocks: lists the piece as partial or not; open -> closed when nothing is left. */
  #settle(open: OpenPiece): void {
    if (open.receivedCount === 0 && open.requestedCount === 0) {
      const { piece } = open;
      this.#drop(open);
      this.#closed.add(piece, this.#priority[piece]!, this.#copyCount[piece]!);
      return;
    }
    const isPartial = open.freeCount > 0;
    if (isPartial && open.partialPlace < 0) {
      open.partialPlace = this.#partial.length;
      this.#partial.push(open);
    } else if (!isPartial && open.partialPlace >= 0) this.#removePartial(open);
  }

  #removePartial(open: OpenPiece): void {
    const last = this.#partial.pop()!;
    if (last !== open) {
      this.#partial[open.partialPlace] = last;
      last.partialPlace = open.partialPlace;
    }
    open.partialPlace = -1;
  }

  #drop(open: OpenPiece): void {
    if (open.partialPlace >= 0) this.#removePartial(open);
    this.#open.delete(open.piece);
    if (this.#spares.length < sparesMax) this.#spares.push(open);
  }

  #changeCopies(piece: number, by: 1 | -1): void {
    const count = this.#copyCount[piece]! + by;
    assert(count >= 0 && count <= 0xffff, 'copies are counted once for each peer');
    this.#copyCount[piece] = count;
    if (this.#closed.has(piece)) this.#closed.change(piece, this.#priority[piece]!, count);
  }
}
