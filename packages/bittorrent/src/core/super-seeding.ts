/**
 * Super seeding of one torrent (BEP 16): the super seeder decides which piece a peer is shown next, this says it to the
 * peers and holds their requests to it. It ends for good when every piece has been seen elsewhere.
 */
import { Bitfield, type Prng } from '@tequio/kernel';
import { messageId } from '../wire/peer-message.ts';
import type { Peer } from './peer.ts';
import { SuperSeeder } from './super-seeder.ts';

export class SuperSeeding {
  readonly #seeder: SuperSeeder;
  readonly #pieceCount: number;
  readonly #touched: (peer: Peer) => void;
  readonly #peers = new Map<number, Peer>();

  constructor(pieceCount: number, prng: Prng, touched: (peer: Peer) => void) {
    this.#seeder = new SuperSeeder({ pieceCount, prng });
    this.#pieceCount = pieceCount;
    this.#touched = touched;
  }

  /** Every piece has been seen at some peer: from here on plain seeding is faster. */
  get isOver(): boolean {
    return this.#seeder.isSpread;
  }

  /** The peer has said what it has. */
  addPeer(peer: Peer): void {
    if (peer.isSeed || this.#peers.has(peer.key)) return;
    this.#peers.set(peer.key, peer);
    this.#seeder.addPeer(peer.key, peer.has ?? new Bitfield(this.#pieceCount));
    this.reveal();
  }

  removePeer(peer: Peer): void {
    if (this.#peers.delete(peer.key)) this.#seeder.removePeer(peer.key);
  }

  handleHave(peer: Peer, piece: number): void {
    this.addPeer(peer);
    this.#seeder.handleHave(peer.key, piece);
    this.reveal();
  }

  /** Requests for pieces that the peer was not shown are not served. */
  mayServe(peer: Peer, piece: number): boolean {
    return !this.#peers.has(peer.key) || this.#seeder.isRevealed(peer.key, piece);
  }

  /** Shows every peer that is due its next piece. */
  reveal(): void {
    for (const peer of this.#peers.values()) {
      for (
        let piece = this.#seeder.pickReveal(peer.key);
        piece !== null;
        piece = this.#seeder.pickReveal(peer.key)
      ) {
        this.#seeder.markRevealed(peer.key, piece);
        peer.writer.writeIndex(messageId.have, piece);
        this.#touched(peer);
      }
    }
  }

  /** At the end: tells every peer of all that we have and it has not. */
  tellAll(peers: Iterable<Peer>, have: Bitfield): void {
    for (const peer of peers) {
      for (let piece = have.nextSet(0); piece >= 0; piece = have.nextSet(piece + 1))
        if (!peer.hasPiece(piece)) peer.writer.writeIndex(messageId.have, piece);
      this.#touched(peer);
    }
  }
}
