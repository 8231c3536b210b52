import { assert } from '@tequio/kernel';

/** The small number that a torrent gives each of its connections, web seeds included; never negative. */
export type PeerKey = number;

/** Peers that one block is asked of at once, in the end game. */
export const requestersPerBlockMax = 3;

/** A piece of which something has been asked or received; what {@link PiecePicker.openPieces} shows of it. */
export type OpenPieceView = {
  readonly piece: number;
  readonly blockCount: number;
  /** Blocks that have arrived. */
  readonly receivedCount: number;
  /** Blocks that have not arrived and are asked of somebody. */
  readonly requestedCount: number;
  /** True when this block has arrived. */
  isReceived(block: number): boolean;
};

const nobody = -1;

/**
 * The blocks of one open piece. A block is
 *
 *   none --addRequester--> requested by 1, 2, 3 --receive--> received --forget--> none
 *        <-removeRequester-
 *
 * A received block may still have requesters (others who were asked too, and are to be sent a CANCEL).
 * Objects are used again for other pieces: `open` makes one fresh. Every method costs O(1), or O(blocks) where said.
 */
export class OpenPiece implements OpenPieceView {
  piece = 0;
  blockCount = 0;
  receivedCount = 0;
  requestedCount = 0;
  /** The last one who was asked for a block. */
  lastPeer: PeerKey = nobody;
  /** The peer on parole to whom this piece is left alone while it has requests here, or -1. */
  exclusivePeer: PeerKey = nobody;
  /** Place in the picker's list of pieces with free blocks, or -1. */
  partialPlace = -1;
  /** The pick that looked at this piece last. */
  stamp = 0;
  /** No block below this one is free. */
  #freeHint = 0;
  readonly #requesterCount: Uint8Array;
  /** Room for three a block. */
  readonly #requesters: Int32Array;
  readonly #senders: Int32Array;
  /** Everyone with requests here, with their number. A handful, so arrays beat a map. */
  readonly #workers: PeerKey[] = [];
  readonly #workerRequests: number[] = [];

  constructor(blockCountMax: number) {
    this.#requesterCount = new Uint8Array(blockCountMax);
    this.#requesters = new Int32Array(blockCountMax * requestersPerBlockMax);
    this.#senders = new Int32Array(blockCountMax);
  }

  open(piece: number, blockCount: number): void {
    this.piece = piece;
    this.blockCount = blockCount;
    this.receivedCount = 0;
    this.requestedCount = 0;
    this.lastPeer = nobody;
    this.exclusivePeer = nobody;
    this.partialPlace = -1;
    this.stamp = 0;
    this.#freeHint = 0;
    this.#requesterCount.fill(0);
    this.#senders.fill(nobody);
    this.#workers.length = 0;
    this.#workerRequests.length = 0;
  }

  /** Blocks that are neither received nor requested. */
  get freeCount(): number {
    return this.blockCount - this.receivedCount - this.requestedCount;
  }

  get isFull(): boolean {
    return this.receivedCount === this.blockCount;
  }

  isReceived(block: number): boolean {
    return this.#senders[block]! !== nobody;
  }

  isFree(block: number): boolean {
    return this.#senders[block]! === nobody && this.#requesterCount[block] === 0;
  }

  /** The first free block at or after `from`, or -1. */
  nextFree(from: number): number {
    if (this.freeCount === 0) return -1;
    while (this.#freeHint < this.blockCount && !this.isFree(this.#freeHint)) this.#freeHint++;
    for (let block = Math.max(from, this.#freeHint); block < this.blockCount; block++) {
      if (this.isFree(block)) return block;
    }
    return -1;
  }

  requesterCountOf(block: number): number {
    return this.#requesterCount[block]!;
  }

  requesterOf(block: number, index: number): PeerKey {
    return this.#requesters[block * requestersPerBlockMax + index]!;
  }

  isRequestedBy(block: number, peer: PeerKey): boolean {
    const first = block * requestersPerBlockMax;
    for (let i = 0; i < this.#requesterCount[block]!; i++) {
      if (this.#requesters[first + i] === peer) return true;
    }
    return false;
  }

  /** The peer that sent a block, or -1. */
  senderOf(block: number): PeerKey {
    return this.#senders[block]!;
  }

  /** Requests of this peer here that have been neither answered nor released. */
  requestsOf(peer: PeerKey): number {
    const at = this.#workers.indexOf(peer);
    return at < 0 ? 0 : this.#workerRequests[at]!;
  }

  /** True when nobody else has a request or a received block here. O(blocks). */
  isSoloOf(peer: PeerKey): boolean {
    for (const worker of this.#workers) if (worker !== peer) return false;
    for (let block = 0; block < this.blockCount; block++) {
      const sender = this.#senders[block]!;
      if (sender !== nobody && sender !== peer) return false;
    }
    return true;
  }

  /** none -> requested; requested -> requested by one more. */
  addRequester(block: number, peer: PeerKey): void {
    const count = this.#requesterCount[block]!;
    assert(this.#senders[block] === nobody, 'only blocks that have not arrived are requested');
    assert(count < requestersPerBlockMax, 'a block is asked of three peers at most');
    assert(!this.isRequestedBy(block, peer), 'a block is asked of a peer once');
    this.#requesters[block * requestersPerBlockMax + count] = peer;
    this.#requesterCount[block] = count + 1;
    if (count === 0) this.requestedCount++;
    this.lastPeer = peer;
    const at = this.#workers.indexOf(peer);
    if (at >= 0) this.#workerRequests[at]!++;
    else {
      this.#workers.push(peer);
      this.#workerRequests.push(1);
    }
  }

  /** requested -> requested by one less, or none; false when this peer had not been asked. */
  removeRequester(block: number, peer: PeerKey): boolean {
    const first = block * requestersPerBlockMax;
    const count = this.#requesterCount[block]!;
    let index = 0;
    while (index < count && this.#requesters[first + index] !== peer) index++;
    if (index === count) return false;
    this.#requesters[first + index] = this.#requesters[first + count - 1]!;
    this.#requesterCount[block] = count - 1;
    if (count === 1 && this.#senders[block] === nobody) {
      this.requestedCount--;
      this.#freeHint = Math.min(this.#freeHint, block);
    }
    const at = this.#workers.indexOf(peer);
    if (--this.#workerRequests[at]! === 0) {
      this.#workers.splice(at, 1);
      this.#workerRequests.splice(at, 1);
    }
    return true;
  }

  /** none or requested -> received; the sender's own request is answered, those of others stay. */
  receive(block: number, sender: PeerKey): void {
    this.removeRequester(block, sender);
    if (this.#requesterCount[block]! > 0) this.requestedCount--;
    this.#senders[block] = sender;
    this.receivedCount++;
  }

  /** received -> none, or requested where others had been asked too. */
  forget(block: number): void {
    if (this.#senders[block] === nobody) return;
    this.#senders[block] = nobody;
    this.receivedCount--;
    if (this.#requesterCount[block]! > 0) this.requestedCount++;
    else this.#freeHint = Math.min(this.#freeHint, block);
  }
}
