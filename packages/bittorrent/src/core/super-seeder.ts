import type { Bitfield, Prng } from '@tequio/kernel';
import type { PeerKey } from './piece-picker-open.ts';

/** Pieces that one peer has been shown and not passed on yet: two, so that it has one to fetch while one spreads. */
const shownPerPeer = 2;

type Pupil = {
  readonly has: Bitfield;
  /** Shown, and not yet seen at another peer. */
  readonly shown: Set<number>;
  /** All that it was ever shown. */
  readonly known: Set<number>;
};

/**
 * Super seeding (BEP 16): a first seed uploads each piece about once. It pretends to have nothing, shows each peer one
 * piece by a HAVE, and the next only when that piece has been seen at another peer:
 *
 *   us --HAVE 7--> A --piece 7--> B --HAVE 7--> us: A has passed it on --HAVE 12--> A
 *
 * - The piece shown is the one with fewest copies, those shown and under way counted as copies; ties by chance.
 * - Where nobody else is there who lacks the piece, it cannot be seen elsewhere: then it is enough that the peer itself
 *   was served. Otherwise a swarm of one would stop after one piece.
 * - Peers that have everything are not kept here: they need nothing.
 * - It ends when every piece has been seen at some peer ({@link isSpread}); from then on plain seeding is faster.
 *
 * Attacker: one that never passes on gets two pieces, and no more while others are there. One that lies in its HAVEs
 * for a friend gets the pieces one after another, as from a plain seed.
 * Cost: O(peers) a HAVE, O(pieces) at worst for a choice, which ends at the first piece with no copy at all.
 */
export class SuperSeeder {
  readonly #pieceCount: number;
  readonly #prng: Prng;
  readonly #pupils = new Map<PeerKey, Pupil>();
  /** Peers seen to have each piece; they count even after they have left, for the copy had been made. */
  readonly #copyCount: Uint16Array;
  /** Pupils that were shown it and do not have it yet. */
  readonly #underWay: Uint16Array;
  #uncopiedCount: number;

  constructor(options: { readonly pieceCount: number; readonly prng: Prng }) {
    this.#pieceCount = options.pieceCount;
    this.#prng = options.prng;
    this.#copyCount = new Uint16Array(options.pieceCount);
    this.#underWay = new Uint16Array(options.pieceCount);
    this.#uncopiedCount = options.pieceCount;
  }

  /** Every piece has been seen at some peer. */
  get isSpread(): boolean {
    return this.#uncopiedCount === 0;
  }

  /** @param has what it has now; copied */
  addPeer(peer: PeerKey, has: Bitfield): void {
    this.#pupils.set(peer, { has: has.clone(), shown: new Set(), known: new Set() });
    for (let piece = has.nextSet(0); piece >= 0; piece = has.nextSet(piece + 1)) this.#addCopy(piece);
  }

  removePeer(peer: PeerKey): void {
    const pupil = this.#pupils.get(peer);
    if (pupil === undefined) return;
    for (const piece of pupil.known) if (!pupil.has.has(piece)) this.#underWay[piece]!--;
    this.#pupils.delete(peer);
  }

  /** A peer says that it has a piece. Who has passed it on is free for another: call {@link pickReveal} for all. */
  handleHave(peer: PeerKey, piece: number): void {
    const pupil = this.#pupils.get(peer);
    if (pupil === undefined || !pupil.has.set(piece)) return;
    if (pupil.known.has(piece)) this.#underWay[piece]!--;
    this.#addCopy(piece);
    for (const [key, other] of this.#pupils) if (key !== peer) other.shown.delete(piece);
  }

  /** Was it shown to this peer (or has the peer got it anyway)? Requests for others are not served. */
  isRevealed(peer: PeerKey, piece: number): boolean {
    const pupil = this.#pupils.get(peer);
    return pupil !== undefined && (pupil.known.has(piece) || pupil.has.has(piece));
  }

  /** The piece to show this peer now, or null: it has to wait. */
  pickReveal(peer: PeerKey): number | null {
    const pupil = this.#pupils.get(peer);
    if (pupil === undefined) return null;
    let waitingCount = 0;
    for (const piece of pupil.shown) {
      if (!pupil.has.has(piece) || this.#isLackedByOther(peer, piece)) waitingCount++;
    }
    return waitingCount >= shownPerPeer ? null : this.#rarestFor(pupil);
  }

  /** The HAVE was sent. */
  markRevealed(peer: PeerKey, piece: number): void {
    const pupil = this.#pupils.get(peer);
    if (pupil === undefined || pupil.known.has(piece) || pupil.has.has(piece)) return;
    pupil.known.add(piece);
    pupil.shown.add(piece);
    this.#underWay[piece]!++;
  }

  #isLackedByOther(peer: PeerKey, piece: number): boolean {
    for (const [key, other] of this.#pupils) if (key !== peer && !other.has.has(piece)) return true;
    return false;
  }

  #rarestFor(pupil: Pupil): number | null {
    let best: number | null = null;
    let bestCount = Number.POSITIVE_INFINITY;
    let piece = this.#prng.below(this.#pieceCount);
    for (let left = this.#pieceCount; left > 0 && bestCount > 0; left--) {
      if (++piece >= this.#pieceCount) piece = 0;
      const count = this.#copyCount[piece]! + this.#underWay[piece]!;
      if (count >= bestCount || pupil.has.has(piece) || pupil.known.has(piece)) continue;
      best = piece;
      bestCount = count;
    }
    return best;
  }

  #addCopy(piece: number): void {
    if (this.#copyCount[piece] === 0) this.#uncopiedCount--;
    if (this.#copyCount[piece]! < 0xffff) this.#copyCount[piece]!++;
  }
}
