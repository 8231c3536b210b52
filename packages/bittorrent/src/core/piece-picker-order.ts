/**
 * Pieces that could be begun, in classes of equal worth, the best class last: one array with boundaries, so that a
 * change of availability costs one swap, whatever the number of pieces (the idea of libtorrent's picker).
 *
 *   order   [ 9 4 | 7 | 1 8 3 | 0 5 ]      class 0 ... top; a class lies in start[c] <= place < start[c + 1]
 *               ^   ^       ^
 *             start[1]    start[3]
 *
 *   move 7 up one class: swap it with the last of its class (itself), start[2]--  ->  [ 9 4 || 7 1 8 3 | 0 5 ]
 *
 * The best class is at the end because pieces are begun from there: taking one out crosses no other class. Putting one
 * in, and taking one out of a low class, costs one swap for each class above it, at most `classCount`.
 * Boundaries above `top` are not kept (they would all be `count`), so nothing is paid for priorities nobody uses.
 */
export class PieceOrder {
  readonly #order: Int32Array;
  readonly #place: Int32Array;
  readonly #class: Uint16Array;
  readonly #start: Int32Array;
  #top = 0;
  #count = 0;

  /** @param classCount at most 65536 */
  constructor(pieceCount: number, classCount: number) {
    this.#order = new Int32Array(pieceCount);
    this.#place = new Int32Array(pieceCount).fill(-1);
    this.#class = new Uint16Array(pieceCount);
    this.#start = new Int32Array(classCount + 1);
  }

  get count(): number {
    return this.#count;
  }

  has(piece: number): boolean {
    return this.#place[piece]! >= 0;
  }

  at(place: number): number {
    return this.#order[place]!;
  }

  /** Of a piece that is in the order. */
  classOf(piece: number): number {
    return this.#class[piece]!;
  }

  /** First place of a class; `count` for classes above all pieces. */
  startOf(pieceClass: number): number {
    return pieceClass > this.#top ? this.#count : this.#start[pieceClass]!;
  }

  /** Puts all pieces into one class; only on an empty order. */
  fill(pieceClass: number): void {
    for (let piece = 0; piece < this.#order.length; piece++) {
      this.#order[piece] = piece;
      this.#place[piece] = piece;
    }
    this.#class.fill(pieceClass);
    this.#start.fill(0, 0, pieceClass + 1);
    this.#top = pieceClass;
    this.#count = this.#order.length;
    this.#start[pieceClass + 1] = this.#count;
  }

  add(piece: number, pieceClass: number): void {
    while (this.#top < pieceClass) this.#start[++this.#top] = this.#count;
    this.#order[this.#count] = piece;
    this.#place[piece] = this.#count;
    this.#class[piece] = this.#top;
    this.#start[this.#top + 1] = ++this.#count;
    this.move(piece, pieceClass);
  }

  remove(piece: number): void {
    this.move(piece, this.#top);
    this.#swap(piece, this.#count - 1);
    this.#place[piece] = -1;
    this.#start[this.#top + 1] = --this.#count;
    while (this.#top > 0 && this.#start[this.#top] === this.#count) this.#top--;
  }

  move(piece: number, pieceClass: number): void {
    const start = this.#start;
    while (this.#top < pieceClass) {
      this.#top++;
      start[this.#top] = this.#count;
      start[this.#top + 1] = this.#count;
    }
    let at = this.#class[piece]!;
    while (at < pieceClass) this.#swap(piece, --start[++at]!);
    while (at > pieceClass) this.#swap(piece, start[at--]!++);
    this.#class[piece] = pieceClass;
    while (this.#top > 0 && start[this.#top] === this.#count) this.#top--;
  }

  #swap(piece: number, place: number): void {
    const from = this.#place[piece]!;
    const other = this.#order[place]!;
    this.#order[from] = other;
    this.#place[other] = from;
    this.#order[place] = piece;
    this.#place[piece] = place;
  }
}
