import { Bitfield, type Prng } from '@tequio/kernel';
import { PieceOrder } from './piece-picker-order.ts';

/** Highest priority; 0 is not wanted, {@link normalPriority} the usual. */
export const priorityMax = 7;
export const normalPriority = 4;

/** Copies beyond which a piece is not rarer than another: what 63 connected peers have is in no danger. */
const rarityLevels = 64;
/** Entries of the rarity order that one pick looks at before it turns to the bitmaps. */
const inspectedMax = 1024;
/** Of this many pieces that the bitmaps yield, the rarest comes first. */
const sampleMax = 32;
/** Suggested or allowed pieces that one pick looks at. */
const amongMax = 64;

/** Who is shown pieces, in order of worth, until it returns false: it has enough. */
export interface PieceTaker {
  takeNew(piece: number): boolean;
}

/**
 * The wanted pieces of which nothing has been asked yet, and the search among them.
 *
 * They are kept twice: in a {@link PieceOrder} by (priority, rarity), and in one bitmap for each priority in use.
 *
 *   class = (priority - 1) * 64 + 63 - min(copies, 63)        so a higher priority always beats rarity:
 *                                                             a user's wish is worth more than the swarm's average
 *
 * Search for a peer goes down the order, each class from a random place on (without it all downloaders of a fresh
 * torrent would take the same pieces in the same order). Attacker, or just a beginner: a peer that has nothing we lack
 * would make that walk visit every piece, for every block. So after `inspectedMax` entries the search turns to the
 * bitmaps: (wanted AND has), 32 pieces a step, which is exact about whether there is anything. What it finds it offers
 * by rarity within samples of `sampleMax`, for the classes have been given up by then.
 * Cost: O(1024 + pieceCount / 32) with nothing to find (100,000 pieces: 3,125 words), a few steps as a rule.
 */
export class ClosedPieces {
  readonly #order: PieceOrder;
  readonly #prng: Prng;
  readonly #pieceCount: number;
  /** By priority; made when a priority is first used. */
  readonly #bitmaps: (Bitfield | null)[] = new Array<Bitfield | null>(priorityMax + 1).fill(null);
  /** By priority: no set bit below. */
  readonly #lowest = new Int32Array(priorityMax + 1);
  readonly #sample = new Int32Array(sampleMax);

  /** All pieces start in here, with normal priority and no copies. */
  constructor(pieceCount: number, prng: Prng) {
    this.#pieceCount = pieceCount;
    this.#prng = prng;
    this.#order = new PieceOrder(pieceCount, priorityMax * rarityLevels);
    this.#order.fill(classOf(normalPriority, 0));
    this.#bitmaps[normalPriority] = Bitfield.full(pieceCount);
  }

  get count(): number {
    return this.#order.count;
  }

  has(piece: number): boolean {
    return this.#order.has(piece);
  }

  /** Pieces of which nobody but seeds has a copy. */
  get uncopiedCount(): number {
    let count = 0;
    for (let priority = 1; priority <= priorityMax; priority++) {
      const rarest = classOf(priority, 0);
      count += this.#order.startOf(rarest + 1) - this.#order.startOf(rarest);
    }
    return count;
  }

  add(piece: number, priority: number, copyCount: number): void {
    this.#order.add(piece, classOf(priority, copyCount));
    this.#setBit(piece, priority);
  }

  remove(piece: number): void {
    this.#bitmaps[this.#priorityOf(piece)]!.clear(piece);
    this.#order.remove(piece);
  }

  /** Of a piece that is in here. */
  change(piece: number, priority: number, copyCount: number): void {
    const before = this.#priorityOf(piece);
    this.#order.move(piece, classOf(priority, copyCount));
    if (before === priority) return;
    this.#bitmaps[before]!.clear(piece);
    this.#setBit(piece, priority);
  }

  /**
   * Highest priority first, then rarest, then random.
   * @param has null: everything
   * @param anyRarity random within the priority (a newcomer's first pieces)
   */
  visitRarest(has: Bitfield | null, taker: PieceTaker, anyRarity: boolean): void {
    const order = this.#order;
    const bytes = has === null ? null : has.bytes;
    let inspectedCount = 0;
    let end = order.count;
    while (end > 0) {
      const last = order.classOf(order.at(end - 1));
      const start = order.startOf(anyRarity ? last - (last % rarityLevels) : last);
      const offset = start + this.#prng.below(end - start);
      for (let i = offset, left = end - start; left > 0; left--) {
        const piece = order.at(i);
        if (++i === end) i = start;
        if (bytes !== null) {
          if (++inspectedCount > inspectedMax) {
            this.#visitBitmaps(has!, taker);
            return;
          }
          if ((bytes[piece >> 3]! & (0x80 >> (piece & 7))) === 0) continue;
        }
        if (!taker.takeNew(piece)) return;
      }
      end = start;
    }
  }

  /** Highest priority first, then by index. */
  visitAscending(has: Bitfield | null, taker: PieceTaker): void {
    for (let priority = priorityMax; priority > 0; priority--) {
      const bitmap = this.#bitmaps[priority]!;
      if (bitmap === null || bitmap.isEmpty) continue;
      const words = wordsOf(has);
      const lowest = bitmap.nextSet(this.#lowest[priority]!);
      this.#lowest[priority] = lowest;
      let piece = nextCommon(bitmap, has, words, lowest, this.#pieceCount);
      while (piece >= 0) {
        if (!taker.takeNew(piece)) return;
        piece = nextCommon(bitmap, has, words, piece + 1, this.#pieceCount);
      }
    }
  }

  /** Only these pieces (the first 64 that fit), best class first; `topOnly`: only of the highest priority there is. */
  visitAmong(pieces: Iterable<number>, has: Bitfield | null, taker: PieceTaker, topOnly: boolean): void {
    const order = this.#order;
    if (order.count === 0) return;
    const best = order.classOf(order.at(order.count - 1));
    const least = topOnly ? best - (best % rarityLevels) : 0;
    const found: number[] = [];
    let inspectedCount = 0;
    for (const piece of pieces) {
      if (++inspectedCount > amongMax) break;
      if (!order.has(piece) || (has !== null && !has.has(piece)) || order.classOf(piece) < least) continue;
      found.push(piece);
    }
    found.sort((a, b) => order.classOf(b) - order.classOf(a));
    for (const piece of found) if (!taker.takeNew(piece)) return;
  }

  #visitBitmaps(has: Bitfield, taker: PieceTaker): void {
    const words = wordsOf(has);
    for (let priority = priorityMax; priority > 0; priority--) {
      const bitmap = this.#bitmaps[priority]!;
      if (bitmap === null || bitmap.isEmpty) continue;
      const from = this.#prng.below(this.#pieceCount);
      if (!this.#visitRange(bitmap, has, words, from, this.#pieceCount, taker)) return;
      if (!this.#visitRange(bitmap, has, words, 0, from, taker)) return;
    }
  }

  /** Pieces of [from, end); false when the taker has enough. */
  #visitRange(
    bitmap: Bitfield,
    has: Bitfield,
    words: Int32Array | null,
    from: number,
    end: number,
    taker: PieceTaker,
  ): boolean {
    let piece = nextCommon(bitmap, has, words, from, end);
    while (piece >= 0) {
      let sampleCount = 0;
      for (; piece >= 0 && sampleCount < sampleMax; sampleCount++) {
        this.#sampleInsert(piece, sampleCount);
        piece = nextCommon(bitmap, has, words, piece + 1, end);
      }
      for (let i = 0; i < sampleCount; i++) if (!taker.takeNew(this.#sample[i]!)) return false;
    }
    return true;
  }

  /** Keeps the sample sorted, best class first. */
  #sampleInsert(piece: number, sampleCount: number): void {
    const pieceClass = this.#order.classOf(piece);
    let at = sampleCount;
    for (; at > 0 && this.#order.classOf(this.#sample[at - 1]!) < pieceClass; at--) {
      this.#sample[at] = this.#sample[at - 1]!;
    }
    this.#sample[at] = piece;
  }

  #priorityOf(piece: number): number {
    return Math.floor(this.#order.classOf(piece) / rarityLevels) + 1;
  }

  #setBit(piece: number, priority: number): void {
    this.#bitmaps[priority] ??= new Bitfield(this.#pieceCount);
    this.#bitmaps[priority].set(piece);
    this.#lowest[priority] = Math.min(this.#lowest[priority]!, piece);
  }
}

function classOf(priority: number, copyCount: number): number {
  return priority * rarityLevels - 1 - Math.min(copyCount, rarityLevels - 1);
}

/** The whole 32-bit words of a field. Only tested against zero, so the machine's byte order does not matter. */
function wordsOf(field: Bitfield | null): Int32Array | null {
  if (field === null) return null;
  return new Int32Array(field.bytes.buffer, field.bytes.byteOffset, field.bytes.length >>> 2);
}

/** The first index in [from, end) that both fields have, or -1. */
function nextCommon(
  mine: Bitfield,
  has: Bitfield | null,
  words: Int32Array | null,
  from: number,
  end: number,
): number {
  if (from < 0 || from >= end) return -1;
  if (has === null || words === null) return mine.nextSet(from);
  const a = mine.bytes;
  const b = has.bytes;
  let at = from >> 3;
  let common = a[at]! & b[at]! & (0xff >> (from & 7));
  while (common === 0) {
    if ((++at & 3) === 0) at = nextCommonWord(mine, words, at >> 2, end) << 2;
    if (at * 8 >= end) return -1;
    common = a[at]! & b[at]!;
  }
  const found = at * 8 + Math.clz32(common) - 24;
  return found < end ? found : -1;
}

function nextCommonWord(mine: Bitfield, words: Int32Array, from: number, end: number): number {
  const own = wordsOf(mine)!;
  const wordCount = Math.min(words.length, Math.ceil(end / 32));
  let at = from;
  while (at < wordCount && (own[at]! & words[at]!) === 0) at++;
  return at;
}
