import type { Bitfield } from '@tequio/kernel';
import type { PieceTaker } from './piece-picker-closed.ts';
import type { OpenPiece, PeerKey } from './piece-picker-open.ts';

export type BlockPick = { readonly piece: number; readonly block: number };

export type PickQuery = {
  readonly peer: PeerKey;
  /** Null: everything. */
  readonly has: Bitfield | null;
  /** Picks wanted at most. */
  readonly count: number;
  /** Only these pieces (we are choked; BEP 6 allowed fast); null: all. The first 64 are looked at. */
  readonly allowed: ReadonlySet<number> | null;
  /** BEP 6 suggestions, newest first; the first 64 are looked at. */
  readonly suggested: readonly number[];
  /** `parole`: only pieces that are wholly this peer's; its requests are marked `exclusive`. */
  readonly mode: 'normal' | 'parole';
  /** New pieces that may be opened now (the caller's memory). */
  readonly openLimit: number;
  /** The caller permits duplicates: this peer has next to nothing to do. */
  readonly endGame: boolean;
  /** There is no memory for another piece: what others were asked for may be asked of one more, before the end game. */
  readonly isShort?: boolean;
  /** Faster than most: it may be asked a second time for blocks whose deadline is near. */
  readonly isFast?: boolean;
  readonly nowMs: number;
};

/** Has the peer this piece, and may it be asked for it? */
export function mayAsk(query: PickQuery, piece: number): boolean {
  if (query.has !== null && !query.has.has(piece)) return false;
  return query.allowed === null || query.allowed.has(piece);
}

/** May this peer work on an open piece? `urgent`: a deadline weighs more than another's parole. */
export function mayJoin(query: PickQuery, open: OpenPiece, urgent: boolean): boolean {
  if (query.mode === 'parole') return open.isSoloOf(query.peer);
  const owner = open.exclusivePeer;
  return urgent || owner < 0 || owner === query.peer || open.requestsOf(owner) === 0;
}

/** What one pick has gathered so far. */
export class Basket implements PieceTaker {
  room = 0;
  openRoom = 0;
  /** Blocks near their deadline were taken a second time; the end game would take the same ones again. */
  hasLate = false;
  readonly #blockCountOf: (piece: number) => number;
  #out: BlockPick[] = [];
  readonly #opened: number[] = [];

  constructor(blockCountOf: (piece: number) => number) {
    this.#blockCountOf = blockCountOf;
  }

  start(query: PickQuery, out: BlockPick[]): void {
    this.#out = out;
    this.room = query.count;
    this.openRoom = query.openLimit;
    this.hasLate = false;
    this.#opened.length = 0;
  }

  /** Lets go of the caller's array. */
  end(): void {
    this.#out = [];
  }

  /** All blocks of a new piece, as far as there is room; false when nothing more can be taken. */
  takeNew(piece: number): boolean {
    if (this.#opened.includes(piece)) return true;
    this.#opened.push(piece);
    const blockCount = Math.min(this.room, this.#blockCountOf(piece));
    for (let block = 0; block < blockCount; block++) this.#out.push({ piece, block });
    this.room -= blockCount;
    this.openRoom--;
    return this.room > 0 && this.openRoom > 0;
  }

  takeFree(open: OpenPiece): void {
    for (let block = open.nextFree(0); block >= 0 && this.room > 0; block = open.nextFree(block + 1)) {
      this.#out.push({ piece: open.piece, block });
      this.room--;
    }
  }

  takeLate(open: OpenPiece, peer: PeerKey): void {
    const { room } = this;
    this.takeRequested(open, 1, peer);
    this.hasLate ||= this.room < room;
  }

  /** Blocks that exactly `requesterCount` others have been asked for. */
  takeRequested(open: OpenPiece, requesterCount: number, peer: PeerKey): void {
    for (let block = 0; block < open.blockCount && this.room > 0; block++) {
      if (open.isReceived(block) || open.requesterCountOf(block) !== requesterCount) continue;
      if (open.isRequestedBy(block, peer)) continue;
      this.#out.push({ piece: open.piece, block });
      this.room--;
    }
  }
}
