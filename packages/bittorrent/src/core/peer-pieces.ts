/**
 * Which pieces each peer has: keeps the peers' fields, the picker's counted availability and our interest in step.
 *
 * Invariant: for every peer that is not a seed, `wantedCount` = pieces that it has and that we want; the picker's
 * availability of a piece = peers that have it. A change of ours (a piece had, lost, wished or not) goes through
 * here too. Cost: O(1) per HAVE, O(peers) per piece of ours, O(pieces) per bitfield.
 */
import { Bitfield, type Fault } from '@tequio/kernel';
import { wireFault } from '../wire/peer-decoder.ts';
import type { Peer } from './peer.ts';
import type { PiecePicker } from './piece-picker.ts';

export const earlyHaveCountMax = 4096;

export class PeerPieces {
  readonly #picker: PiecePicker;
  readonly #pieceCount: number;

  constructor(picker: PiecePicker, pieceCount: number) {
    this.#picker = picker;
    this.#pieceCount = pieceCount;
  }

  /** True when the peer has a piece that we want. */
  isInteresting(peer: Peer): boolean {
    return peer.isSeed ? this.#picker.wantedCount > 0 : peer.wantedCount > 0;
  }

  handleField(peer: Peer, bytes: Uint8Array): Fault | null {
    const field = Bitfield.tryFromBytes(bytes, this.#pieceCount);
    if (field === null) {
      return wireFault(
        'BITFIELD',
        `The peer sent a bitfield of ${bytes.length} bytes for ${this.#pieceCount} pieces.`,
      );
    }
    this.removePeer(peer);
    if (field.isFull) {
      this.handleAll(peer);
      return null;
    }
    peer.has = field;
    this.#picker.addField(field);
    for (let piece = field.nextSet(0); piece >= 0; piece = field.nextSet(piece + 1)) {
      if (this.#picker.isWanted(piece)) peer.wantedCount++;
    }
    return null;
  }

  handleAll(peer: Peer): void {
    this.removePeer(peer);
    peer.isSeed = true;
    this.#picker.addSeed();
  }

  handleNone(peer: Peer): void {
    this.removePeer(peer);
    peer.has = new Bitfield(this.#pieceCount);
  }

  /** @returns a fault for a piece that does not exist */
  handleHave(peer: Peer, piece: number): Fault | null {
    if (piece >= this.#pieceCount) {
      return wireFault('HAVE', `The peer says it has piece ${piece} of ${this.#pieceCount}.`);
    }
    if (peer.isSeed) return null;
    peer.has ??= new Bitfield(this.#pieceCount);
    if (!peer.has.set(piece)) return null;
    this.#picker.addHave(piece);
    if (this.#picker.isWanted(piece)) peer.wantedCount++;
    if (peer.has.isFull) this.handleAll(peer);
    return null;
  }

  /** BEP 54. */
  handleDontHave(peer: Peer, piece: number): Fault | null {
    if (piece >= this.#pieceCount) {
      return wireFault('DONT_HAVE', `The peer lost piece ${piece} of ${this.#pieceCount}.`);
    }
    if (peer.isSeed) {
      this.removePeer(peer);
      const field = Bitfield.full(this.#pieceCount);
      field.clear(piece);
      this.handleField(peer, field.bytes);
      return null;
    }
    if (peer.has?.clear(piece)) {
      this.#picker.removeHave(piece);
      if (this.#picker.isWanted(piece)) peer.wantedCount--;
    }
    return null;
  }

  /** What it said before we knew the torrent. */
  applyEarly(peer: Peer): Fault | null {
    const early = peer.early;
    peer.early = null;
    if (early === null) return null;
    let fault: Fault | null = null;
    if (early.all) this.handleAll(peer);
    else if (early.field !== null) fault = this.handleField(peer, early.field);
    for (const piece of early.haves) fault ??= this.handleHave(peer, piece);
    return fault;
  }

  /** The peer is gone, or says anew what it has. */
  removePeer(peer: Peer): void {
    if (peer.isSeed) this.#picker.removeSeed();
    else if (peer.has !== null) this.#picker.removeField(peer.has);
    peer.isSeed = false;
    peer.has = null;
    peer.wantedCount = 0;
  }

  /** We want this piece no longer (verified, or priority 0): call after the picker knows. */
  markUnwanted(peers: Iterable<Peer>, piece: number): void {
    for (const peer of peers) if (!peer.isSeed && peer.has?.has(piece)) peer.wantedCount--;
  }

  /** We want this piece again. */
  markWanted(peers: Iterable<Peer>, piece: number): void {
    for (const peer of peers) if (!peer.isSeed && peer.has?.has(piece)) peer.wantedCount++;
  }
}

/** Pieces of a field, in order. */
export function* piecesOf(field: Bitfield): Generator<number> {
  for (let piece = field.nextSet(0); piece >= 0; piece = field.nextSet(piece + 1)) yield piece;
}
