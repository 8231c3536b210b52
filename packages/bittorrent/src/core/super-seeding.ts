/**
 * Super seeding of one torrent (BEP 16): the super seeder decides which piece a peer is shown next, this says it to the
 * peers and holds their requests to it.
 */
import { Bitfield, type Prng } from '@tequio/kernel';
import { messageId } from '../wire/peer-message.ts';
import type { Peer } from './peer.ts';
import { SuperSeeder } from './super-seeder.ts';

/**
 *   off ─ all is there, and it is wished (tryBegin) ─> on ─ all was seen elsewhere, or no wish (end) ─> off
 */
export class SuperSeeding {
  readonly #prng: Prng;
  readonly #touched: (peer: Peer) => void;
  readonly #peers = new Map<number, Peer>();
  #seeder: SuperSeeder | null = null;
  #pieceCount = 0;

  constructor(prng: Prng, touched: (peer: Peer) => void) {
    this.#prng = prng;
    this.#touched = touched;
  }

  get isOn(): boolean {
    return this.#seeder !== null;
  }

  /** off -> on, if nobody has been told yet what we have: whoever was knows it. */
  tryBegin(have: Bitfield, peers: Iterable<Peer>): void {
    if (this.#seeder !== null || !have.isFull) return;
    for (const peer of peers) if (peer.saidPieces) return;
    this.#pieceCount = have.bitCount;
    this.#seeder = new SuperSeeder({ pieceCount: have.bitCount, prng: this.#prng.fork() });
  }

  /** on -> off: tells every peer of all that we have and it has not. */
  end(have: Bitfield, peers: Iterable<Peer>): void {
    if (this.#seeder === null) return;
    this.#seeder = null;
    this.#peers.clear();
    for (const peer of peers) {
      for (let piece = have.nextSet(0); piece >= 0; piece = have.nextSet(piece + 1))
        if (!peer.hasPiece(piece)) peer.writer.writeIndex(messageId.have, piece);
      this.#touched(peer);
    }
  }

  /** The peer has said what it has. */
  addPeer(peer: Peer): void {
    if (this.#seeder === null || peer.isSeed || this.#peers.has(peer.key)) return;
    this.#peers.set(peer.key, peer);
    this.#seeder.addPeer(peer.key, peer.has ?? new Bitfield(this.#pieceCount));
    this.#reveal(this.#seeder);
  }

  removePeer(peer: Peer): void {
    if (this.#peers.delete(peer.key)) this.#seeder?.removePeer(peer.key);
  }

  /** True: every piece has been seen at some peer, and from here on plain seeding is faster. */
  handleHave(peer: Peer, piece: number): boolean {
    this.addPeer(peer);
    if (this.#seeder === null) return false;
    this.#seeder.handleHave(peer.key, piece);
    this.#reveal(this.#seeder);
    return this.#seeder.isSpread;
  }

  /** Requests for pieces that the peer was not shown are not served. */
  mayServe(peer: Peer, piece: number): boolean {
    return !this.#peers.has(peer.key) || (this.#seeder?.isRevealed(peer.key, piece) ?? true);
  }

  /** Shows every peer that is due its next piece. */
  #reveal(seeder: SuperSeeder): void {
    for (const peer of this.#peers.values()) {
      for (let piece = seeder.pickReveal(peer.key); piece !== null; piece = seeder.pickReveal(peer.key)) {
        seeder.markRevealed(peer.key, piece);
        peer.writer.writeIndex(messageId.have, piece);
        this.#touched(peer);
      }
    }
  }
}
