/**
 * The download side of a connection: which blocks are asked of a peer, and what happens to those that come, do not
 * come, or come unasked.
 *
 *   pick -> requested (peer.requests, picker, memory reserved) -> head arrives -> bytes into the slab -> received
 *                 |-> rejected, choked, timed out, closed: released to others; a late answer is still welcome
 *
 * Rules: the window says how many (request-window); requests are written once a batch of input, and for a deep window
 * an eighth of it at a time, not once a block; a peer that we may not ask (choked) is asked for allowed-fast pieces
 * alone; a block that two peers send at the same time is filled by the first, the other's bytes go to memory of its own
 * and count only if they are complete first.
 * Attacker: blocks that nobody asked for are passed over and counted, and past `unaskedBytesMax` end the connection;
 * late ones (asked, given up, then sent) are not counted against anyone.
 * Cost: O(1) a block.
 */
import { assert, type Bitfield, type Fault, PlainMemory } from '@tequio/kernel';
import { wireFault } from '../wire/peer-decoder.ts';
import { messageId } from '../wire/peer-message.ts';
import { blockBytes } from '../wire/torrent-info.ts';
import type { Peer } from './peer.ts';
import { extentBytesMax, type PieceAssembly } from './piece-assembly.ts';
import type { PieceLayout } from './piece-layout.ts';
import type { PieceMemory } from './piece-memory.ts';
import type { BlockPick, PickQuery, PiecePicker } from './piece-picker.ts';
import { depthMax } from './request-window.ts';

export const requesterLimits = {
  /** A peer that sends this much that nobody asked for is not confused. */
  unaskedBytesMax: 1 << 20,
  /** Given-up requests that are remembered a peer, so that their late answers are used. */
  lateCountMax: 512,
  /** Requests that are saved up for one packet, at most. */
  batchCountMax: 64,
  /** For a piece that is wanted at once, requests are taken back but for what the peer sends in so short a time. */
  aboutToComeMs: 50,
  /** Whoever neither sends nor rejects in this time what was taken back like that does not speak BEP 6 as it says. */
  cancelAnswerMs: 5000,
  aboutToComeCountMin: 2,
  aboutToComeCountMax: 64,
  /** Below this many outstanding requests a peer may duplicate others' in the end game. */
  endGameCountMax: 4,
} as const;

export type RequesterDeps = {
  readonly layout: PieceLayout;
  readonly picker: PiecePicker;
  readonly assembly: PieceAssembly;
  readonly memory: PieceMemory;
  readonly peerOf: (key: number) => Peer | undefined;
  readonly touched: (peer: Peer) => void;
  /** False while the disk is in trouble or the torrent is checked. */
  readonly mayRequest: () => boolean;
  /** Bytes a second that a peer gives us on the average. */
  readonly meanRate: (nowMs: number) => number;
  readonly received: (bytes: number, nowMs: number) => void;
  readonly wasted: (bytes: number) => void;
};

export class Requester {
  readonly #deps: RequesterDeps;
  readonly #blocksPerPiece: number;
  readonly #picks: BlockPick[] = [];
  readonly #requesters: number[] = [];
  /** When much was last taken back from a peer, for an urgent piece. */
  readonly #cancelledMs = new Map<number, number>();
  /** Blocks that are arriving now -> the peer that fills the slab. */
  readonly #filling = new Map<number, number>();
  readonly #late = new Map<number, Set<number>>();
  /** Requests were held back for want of memory. */
  #isShort = false;

  constructor(deps: RequesterDeps) {
    this.#deps = deps;
    this.#blocksPerPiece = Math.ceil(deps.layout.info.pieceBytes / blockBytes);
  }

  /** Asks the peer for as many blocks as its window has room for. */
  fill(peer: Peer, nowMs: number): void {
    const { picker } = this.#deps;
    if (
      !peer.amInterested ||
      peer.isClosed ||
      (peer.has === null && !peer.isSeed) ||
      !this.#deps.mayRequest()
    )
      return;
    if (peer.choking && peer.allowedFast.size === 0) return;
    const outstanding = peer.requests.size;
    const room = Math.min(peer.window.depth, peer.requestCountMax) - outstanding;
    // A deep window is filled up an eighth at a time: one pick and one packet for many blocks.
    if (room <= 0 || room < Math.min(requesterLimits.batchCountMax, peer.window.depth >> 3)) return;
    const picks = this.#picks;
    picks.length = 0;
    const query: PickQuery = {
      peer: peer.key,
      has: peer.isSeed ? null : peer.has,
      count: room,
      allowed: peer.choking ? peer.allowedFast : null,
      suggested: peer.suggested,
      mode: peer.onParole ? 'parole' : 'normal',
      openLimit: this.#openLimit(),
      endGame: outstanding < requesterLimits.endGameCountMax,
      isFast: peer.down.bytesPerSecond(nowMs) >= this.#deps.meanRate(nowMs),
      nowMs,
    };
    picker.pick(query, picks);
    // With everybody on parole, a piece that somebody else has begun would never be finished, and parole never end.
    if (peer.onParole && picks.length === 0 && outstanding === 0) {
      picker.pick({ ...query, mode: 'normal', endGame: false }, picks);
    }
    // Nothing to do and no memory for another piece: whoever stalls with the last blocks of one must not hold all up.
    if (picks.length === 0 && outstanding === 0 && query.openLimit === 0 && !peer.onParole) {
      const count = Math.min(room, requesterLimits.endGameCountMax);
      picker.pick({ ...query, count, isShort: true }, picks);
    }
    // Less than there was room for, and no memory for another piece: somebody has to ask again when there is.
    if (picks.length < room && this.#openLimit() === 0) this.#isShort = true;
    for (const { piece, block } of picks) this.#request(peer, piece, block, nowMs);
    if (picks.length > 0) {
      peer.window.markAsked(nowMs);
      this.#deps.touched(peer);
    }
    peer.wasFull = peer.requests.size >= Math.min(peer.window.depth, peer.requestCountMax);
  }

  /**
   * A piece has got a deadline. When the fastest peer that has it would bring it too late, because of all that was
   * asked of it before, that is cancelled, and the piece asked for at once, over the window if need be. What is
   * cancelled stays asked for until the peer sends or rejects it (BEP 6): nothing comes twice. Who does not speak
   * BEP 6 would leave us in doubt, and is not bothered. Requests of other pieces with a deadline stay, and so do
   * those whose blocks are probably on their way.
   */
  makeWay(peers: Iterable<Peer>, piece: number, atMs: number, nowMs: number): void {
    const { picker, layout } = this.#deps;
    if (picker.have.has(piece) || !this.#deps.mayRequest()) return;
    const peer = this.#fastestWith(piece, peers, nowMs);
    if (peer === null) return;
    const blocksPerMs = peer.down.bytesPerSecond(nowMs) / 1000 / blockBytes;
    const { aboutToComeMs, aboutToComeCountMin, aboutToComeCountMax } = requesterLimits;
    const soonCount = Math.floor(blocksPerMs * aboutToComeMs);
    const keptCount = Math.max(aboutToComeCountMin, Math.min(aboutToComeCountMax, soonCount));
    const { requests } = peer;
    if (requests.size <= keptCount || requests.size <= blocksPerMs * (atMs - nowMs)) return;
    // In between two of these the peer would be asked for more and more: what was cancelled is asked for still.
    if (requests.size > 2 * depthMax) return;
    for (const key of [...requests.keys()].slice(keptCount)) {
      const other = Math.floor(key / this.#blocksPerPiece);
      if (!picker.hasDeadline(other)) this.#writeCancel(peer, other, key % this.#blocksPerPiece);
    }
    this.#cancelledMs.set(peer.key, nowMs);
    this.#pickUrgent(peer, Math.min(depthMax, layout.blockCountOf(piece)), nowMs);
    this.#deps.touched(peer);
  }

  #fastestWith(piece: number, peers: Iterable<Peer>, nowMs: number): Peer | null {
    let fastest: Peer | null = null;
    for (const peer of peers) {
      if (!peer.amInterested || peer.choking || peer.isClosed || peer.onParole) continue;
      if (!peer.speaksFast || !peer.hasPiece(piece)) continue;
      const rate = peer.down.bytesPerSecond(nowMs);
      if (fastest === null || rate > fastest.down.bytesPerSecond(nowMs)) fastest = peer;
    }
    return fastest;
  }

  /** Blocks of pieces with a deadline come first in any pick. */
  #pickUrgent(peer: Peer, count: number, nowMs: number): void {
    const picks = this.#picks;
    picks.length = 0;
    const query: PickQuery = {
      peer: peer.key,
      has: peer.isSeed ? null : peer.has,
      count,
      allowed: null,
      suggested: [],
      mode: 'normal',
      openLimit: Math.max(1, this.#openLimit()),
      endGame: false,
      isFast: true,
      nowMs,
    };
    this.#deps.picker.pick(query, picks);
    for (const { piece, block } of picks) {
      if (this.#deps.picker.hasDeadline(piece)) this.#request(peer, piece, block, nowMs);
    }
  }

  /** True, once, when memory that peers had to wait for is there again. */
  takeRelief(): boolean {
    if (!this.#isShort || this.#openLimit() === 0) return false;
    this.#isShort = false;
    return true;
  }

  /** A block begins to arrive: says where its bytes go. */
  handleBlockHead(peer: Peer, piece: number, offset: number, bytes: number): Fault | null {
    const { layout, picker, assembly } = this.#deps;
    peer.arriving = null;
    const block = offset / blockBytes;
    const isOurs =
      piece < layout.info.pieceCount &&
      Number.isInteger(block) &&
      block < layout.blockCountOf(piece) &&
      bytes === layout.blockBytesOf(piece, block);
    const key = this.#keyOf(piece, block);
    if (!isOurs || !(peer.requests.has(key) || this.#late.get(peer.key)?.has(key))) {
      peer.unaskedBytes += bytes;
      this.#deps.wasted(bytes);
      return peer.unaskedBytes > requesterLimits.unaskedBytesMax
        ? wireFault('UNASKED', `The peer sent ${peer.unaskedBytes} bytes that nobody asked for.`)
        : null;
    }
    const target = picker.isBlockReceived(piece, block) ? null : assembly.tryTarget(piece, block);
    if (target === null) {
      peer.arriving = { piece, block, bytes, scratch: null, isWaste: true };
      return null;
    }
    const isShared = this.#filling.has(key);
    const scratch = isShared ? new PlainMemory(new Uint8Array(bytes)) : null;
    if (!isShared) this.#filling.set(key, peer.key);
    peer.arriving = { piece, block, bytes, scratch, isWaste: false };
    peer.blockTarget = scratch ?? target;
    peer.blockTargetAt = scratch === null ? assembly.targetOffset(block) : 0;
    return null;
  }

  /** The block that began last is complete. @returns true when it was new */
  handleBlockEnd(peer: Peer, nowMs: number): boolean {
    const arriving = peer.arriving;
    if (arriving === null) return false;
    peer.arriving = null;
    const { piece, block, bytes } = arriving;
    const key = this.#keyOf(piece, block);
    if (this.#filling.get(key) === peer.key) this.#filling.delete(key);
    this.#late.get(peer.key)?.delete(key);
    const askedMs = peer.requests.get(key);
    if (askedMs !== undefined) {
      peer.requests.delete(key);
      peer.window.markBlock(bytes, askedMs, peer.requests.size, nowMs, peer.wasFull);
    }
    peer.down.add(bytes, nowMs);
    peer.lastBlockMs = nowMs;
    this.#deps.received(bytes, nowMs);
    const isNew = !arriving.isWaste && this.#take(peer.key, piece, block, arriving.scratch?.bytes ?? null);
    if (!isNew) {
      if (askedMs !== undefined) this.releaseFor(peer.key, piece, block);
      this.#deps.wasted(bytes);
    }
    return isNew;
  }

  /** Picks for a web seed, which takes runs of blocks instead of a window of them. */
  pickFor(key: number, has: Bitfield, count: number, nowMs: number, out: BlockPick[]): void {
    this.#deps.picker.pick(
      {
        peer: key,
        has: has.isFull ? null : has,
        count,
        allowed: null,
        suggested: [],
        mode: 'normal',
        openLimit: this.#openLimit(),
        endGame: false,
        nowMs,
      },
      out,
    );
  }

  /** none -> requested, of a web seed. */
  reserveFor(key: number, piece: number, block: number): void {
    this.#deps.picker.markRequested(piece, block, key);
    this.#deps.assembly.reserve(piece, block);
  }

  /** A whole block of a web seed or of this machine (`isLocal`: it was not received), borrowed. */
  handleBlock(key: number, at: BlockPick, data: Uint8Array, nowMs: number, isLocal = false): void {
    const { piece, block } = at;
    if (!isLocal) this.#deps.received(data.length, nowMs);
    if (this.#take(key, piece, block, data)) return;
    this.releaseFor(key, piece, block);
    if (!isLocal) this.#deps.wasted(data.length);
  }

  /** requested -> none, of a web seed or of a block that was wasted; gives back memory that nobody needs. */
  releaseFor(key: number, piece: number, block: number): void {
    this.#deps.picker.markReleased(piece, block, key);
    if (this.#deps.picker.openPiece(piece) === null) this.#dropPiece(piece);
  }

  /** A `reject` (BEP 6). */
  handleReject(peer: Peer, piece: number, offset: number): void {
    const block = Math.floor(offset / blockBytes);
    if (piece >= this.#deps.layout.info.pieceCount) return;
    this.#release(peer, this.#keyOf(piece, block));
    if (peer.choking) peer.allowedFast.delete(piece);
    if (peer.requests.size === 0) peer.window.markIdle();
  }

  /** They choked us: without BEP 6 all requests are void; with it each is answered or rejected. */
  handleChoked(peer: Peer): void {
    if (peer.speaksFast) return;
    this.#releaseAll(peer);
  }

  /** Releases what the peer has been too slow with. @returns true when something was released */
  handleTimeout(peer: Peer, nowMs: number): boolean {
    const cancelledMs = this.#cancelledMs.get(peer.key);
    if (cancelledMs !== undefined && nowMs - cancelledMs >= requesterLimits.cancelAnswerMs) {
      this.#cancelledMs.delete(peer.key);
      // What comes of these is late, and welcome all the same.
      const unanswered = [...peer.requests].filter(([, askedMs]) => askedMs < cancelledMs);
      for (const [key] of unanswered) this.#release(peer, key);
      if (unanswered.length > 0) return true;
    }
    const silence = peer.window.tryTimeout(nowMs);
    if (silence !== 'none') return this.#releaseNewest(peer, peer.window.keptCount);
    const oldest = peer.requests.entries().next();
    if (oldest.done || !peer.window.isOverdue(oldest.value[1], nowMs)) return false;
    this.#release(peer, oldest.value[0]);
    return true;
  }

  /** The piece is no longer wanted and its memory is about to go: takes back what was asked of the peer. */
  releasePiece(peer: Peer, piece: number): void {
    if (peer.arriving?.piece === piece) {
      peer.blockTarget = null;
      peer.arriving.isWaste = true;
      this.#filling.delete(this.#keyOf(piece, peer.arriving.block));
    }
    for (const key of [...peer.requests.keys()]) {
      if (Math.floor(key / this.#blocksPerPiece) === piece) this.#cancel(peer, key);
    }
  }

  removePeer(peer: Peer): void {
    this.#abandonArriving(peer);
    this.#releaseAll(peer);
    this.#late.delete(peer.key);
    this.#cancelledMs.delete(peer.key);
  }

  /**
   * A complete block, in the slab already or in memory of its own (`data`). True when it was new and counts; everybody
   * else who was asked for it is told that it is not needed.
   */
  #take(key: number, piece: number, block: number, data: Uint8Array | null): boolean {
    const { picker, assembly } = this.#deps;
    const target = picker.isBlockReceived(piece, block) ? null : assembly.tryTarget(piece, block);
    if (target === null) return false;
    if (data !== null) {
      // Whoever is still filling the slab must not touch it any more: it is about to be hashed.
      const filler = this.#deps.peerOf(this.#filling.get(this.#keyOf(piece, block)) ?? -1);
      if (filler !== undefined) this.#abandonArriving(filler);
      target.copyFrom(data, 0, data.length, assembly.targetOffset(block));
    }
    if (picker.markReceived(piece, block, key) !== 'new') return false;
    this.#cancelOthers(piece, block);
    assembly.markReceived(piece, block);
    return true;
  }

  /** Pieces that may be opened now: as memory allows, but always one when none is open. */
  #openLimit(): number {
    const { memory, assembly, layout } = this.#deps;
    const memoryLeft = Math.max(0, memory.bytesMax - memory.usedBytes);
    const pieceCount = Math.floor(memoryLeft / Math.min(layout.info.pieceBytes, extentBytesMax));
    return Math.max(assembly.openCount === 0 ? 1 : 0, pieceCount);
  }

  #request(peer: Peer, piece: number, block: number, nowMs: number): void {
    const { layout, picker, assembly } = this.#deps;
    const key = this.#keyOf(piece, block);
    assert(!peer.requests.has(key), 'a block is asked of a peer once');
    picker.markRequested(piece, block, peer.key, peer.onParole);
    assembly.reserve(piece, block);
    peer.requests.set(key, nowMs);
    peer.writer.writeRange(messageId.request, piece, block * blockBytes, layout.blockBytesOf(piece, block));
  }

  /** End game: the others who were asked for this block need not send it. */
  #cancelOthers(piece: number, block: number): void {
    const requesters = this.#requesters;
    requesters.length = 0;
    this.#deps.picker.requestersOf(piece, block, requesters);
    for (const other of requesters) {
      const peer = this.#deps.peerOf(other);
      if (peer !== undefined) this.#cancel(peer, this.#keyOf(piece, block));
    }
  }

  #cancel(peer: Peer, key: number): void {
    if (!peer.requests.has(key)) return;
    const piece = Math.floor(key / this.#blocksPerPiece);
    this.#release(peer, key);
    this.#writeCancel(peer, piece, key % this.#blocksPerPiece);
    this.#deps.touched(peer);
  }

  #writeCancel(peer: Peer, piece: number, block: number): void {
    const bytes = this.#deps.layout.blockBytesOf(piece, block);
    peer.writer.writeRange(messageId.cancel, piece, block * blockBytes, bytes);
  }

  #release(peer: Peer, key: number): void {
    if (!peer.requests.delete(key)) return;
    const piece = Math.floor(key / this.#blocksPerPiece);
    this.#deps.picker.markReleased(piece, key % this.#blocksPerPiece, peer.key);
    if (this.#deps.picker.openPiece(piece) === null) this.#dropPiece(piece);
    let late = this.#late.get(peer.key);
    if (late === undefined) this.#late.set(peer.key, (late = new Set()));
    if (late.size >= requesterLimits.lateCountMax) late.clear();
    late.add(key);
  }

  /** Nobody works on the piece any more and nothing of it has come: its memory goes back. */
  #dropPiece(piece: number): void {
    for (const [key, filler] of this.#filling) {
      if (Math.floor(key / this.#blocksPerPiece) !== piece) continue;
      const peer = this.#deps.peerOf(filler);
      if (peer !== undefined) this.#abandonArriving(peer);
    }
    this.#deps.assembly.drop(piece);
  }

  #releaseAll(peer: Peer): void {
    for (const key of [...peer.requests.keys()]) this.#release(peer, key);
    peer.window.markIdle();
  }

  #releaseNewest(peer: Peer, keptCount: number): boolean {
    const keys = [...peer.requests.keys()];
    for (const key of keys.slice(keptCount)) this.#release(peer, key);
    if (peer.requests.size === 0) this.#abandonArriving(peer);
    return keys.length > keptCount;
  }

  /** Another peer may fill the slab now; what this one still sends of the block is passed over. */
  #abandonArriving(peer: Peer): void {
    const arriving = peer.arriving;
    if (arriving === null) return;
    const key = this.#keyOf(arriving.piece, arriving.block);
    if (this.#filling.get(key) === peer.key) {
      this.#filling.delete(key);
      peer.blockTarget = null;
      arriving.isWaste = true;
    }
  }

  #keyOf(piece: number, block: number): number {
    return piece * this.#blocksPerPiece + block;
  }
}
