/**
 * Which hashes of a v2 torrent are asked of whom (BEP 52), and which of ours are given.
 *
 * Wanted are, in this order: chunks of piece layers (a magnet brings none), and the leaves of pieces that
 * failed their check, so that the bad blocks and whoever sent them are known.
 *
 * Rules:
 *  1. Asked are peers that speak v2 and have a piece under the range: only those are bound to have its
 *     hashes. At most `requestCountMax` requests wait at one peer.
 *  2. A peer that rejects a range, or lets it time out, is not asked for that range again for a while; for
 *     leaves not at all, because a peer that has none of them will not make some. After a time-out the peer
 *     itself rests too.
 *  3. Hashes that do not lead to a root that we know are false, and nobody else can have made them so: the
 *     sender is blamed and never asked again. Hashes that were not asked for are blamed lightly and not
 *     looked at.
 *  4. Leaves are only help: when nobody has them in `leavesMs`, or all that could have refused, the caller
 *     is told.
 *  5. Others' requests cost us what they make us read, hash and send; each peer has a budget of that, and
 *     beyond it a request is rejected.
 *
 * Attackers can waste one request each until they are blamed or rest. Memory: the open requests, and for
 * each piece under inquiry its leaves twice; `inquiryCountMax` pieces at once.
 */
import { bytesEqual, type Fault } from '@tequio/kernel';
import { type HashRange, type HashRequest, isSameHashRequest } from '../wire/hash-messages.ts';
import type { HashAnswer, HashTree } from './hash-tree.ts';
import { nodeBytes } from './merkle.ts';

export const hashExchangeLimits = {
  /** Requests to one peer at once; an answer is 17 KiB. */
  requestCountMax: 2,
  /** An answer later than this counts as none (but is still taken when it comes). */
  answerMs: 15_000,
  /** How long a peer is not asked again for a chunk that it refused. */
  refusedMs: 30_000,
  /** A peer that timed out is left alone this long, doubling up to the second figure. */
  restMs: 5_000,
  restMaxMs: 120_000,
  /** How often time is looked at while something is missing. */
  pollMs: 1_000,
  /** How long leaves of a failed piece are looked for. */
  leavesMs: 30_000,
  inquiryCountMax: 32,
  /** Requests a peer may have expired and still be believed to answer. */
  expiredCountMax: 8,
  /**
   * What one peer's requests may cost us at once, in hashes made or sent, and how much a second gives back.
   */
  serveBurst: 65_536,
  servePerSecond: 4_096,
};

type PeerKey = number;

export type HashEffect =
  /** Ask this peer: message 21. */
  | { readonly type: 'request'; readonly peer: PeerKey; readonly request: HashRequest }
  /** Pieces whose roots are known from now on. */
  | { readonly type: 'rootsKnown'; readonly firstPiece: number; readonly pieceCount: number }
  /** All of the file's piece layer is known. */
  | { readonly type: 'pieceLayerKnown'; readonly file: number }
  /** Blocks of a failed piece whose content is false; the others are good. */
  | { readonly type: 'badBlocks'; readonly piece: number; readonly blocks: readonly number[] }
  /** Nobody gave the leaves of a failed piece: which blocks are bad will not be known this way. */
  | { readonly type: 'blocksUnknown'; readonly piece: number }
  | { readonly type: 'blame'; readonly peer: PeerKey; readonly fault: Fault };

/** What only the torrent knows. */
export interface HashExchangeHost {
  /** True when the peer has at least one of these pieces. */
  hasAnyOf(peer: PeerKey, firstPiece: number, pieceCount: number): boolean;
}

/** Something that is missing: a chunk of a piece layer, or a part of a piece's leaves. */
type Want = {
  readonly request: HashRequest;
  readonly firstPiece: number;
  readonly pieceCount: number;
  /** Null: a chunk. */
  readonly inquiry: Inquiry | null;
  /** Peers asked and still believed to answer. */
  askedCount: number;
  /** Who refused, and until when that counts. */
  readonly refused: Map<PeerKey, number>;
};

/** A failed piece. */
type Inquiry = {
  readonly piece: number;
  /** Leaves of what we have; 32 bytes a block. */
  readonly found: Uint8Array;
  readonly truth: Uint8Array;
  openCount: number;
  readonly endMs: number;
};

type Ask = { readonly want: Want; readonly deadlineMs: number };

type HashPeer = {
  readonly key: PeerKey;
  asks: Ask[];
  readonly expired: Ask[];
  restMs: number;
  restUntilMs: number;
  isFalse: boolean;
  serveTokens: number;
  serveTokensMs: number;
};

export class HashExchange {
  readonly #tree: HashTree;
  readonly #host: HashExchangeHost;
  readonly #peers = new Map<PeerKey, HashPeer>();
  readonly #inquiries = new Map<number, Inquiry>();
  readonly #effects: HashEffect[] = [];
  /** Chunks, in the torrent's order, then leaves. */
  #wants: Want[];
  #pollMs: number | null = null;

  constructor(tree: HashTree, host: HashExchangeHost) {
    this.#tree = tree;
    this.#host = host;
    this.#wants = tree.missingChunks().map((missing) => ({
      ...missing,
      inquiry: null,
      askedCount: 0,
      refused: new Map(),
    }));
  }

  /** A peer that speaks v2 (its handshake was for the v2 info-hash). */
  addPeer(key: PeerKey, nowMs: number): void {
    if (this.#peers.has(key)) return;
    this.#peers.set(key, {
      key,
      asks: [],
      expired: [],
      restMs: 0,
      restUntilMs: 0,
      isFalse: false,
      serveTokens: hashExchangeLimits.serveBurst,
      serveTokensMs: nowMs,
    });
    this.handlePieces(key, nowMs);
  }

  removePeer(key: PeerKey, nowMs: number): void {
    const peer = this.#peers.get(key);
    if (peer === undefined) return;
    this.#peers.delete(key);
    for (const { want } of peer.asks) want.askedCount--;
    for (const want of this.#wants) want.refused.delete(key);
    this.#ask(nowMs);
    this.#endHopeless(nowMs);
  }

  /** The peer has more pieces than before. Free of cost when nothing is missing or the peer is busy. */
  handlePieces(key: PeerKey, nowMs: number): void {
    const peer = this.#peers.get(key);
    if (peer === undefined || this.#wants.length === 0) return;
    this.#askPeer(peer, nowMs);
    this.#poll(nowMs);
  }

  /** A decoded message 22. Nothing of it is kept. */
  handleHashes(key: PeerKey, range: HashRange, nowMs: number): void {
    const peer = this.#peers.get(key);
    // A liar's second answer may be on its way already: one blame is enough.
    if (peer === undefined || peer.isFalse) return;
    const ask = tryTakeAsk(peer, range.request);
    if (ask === null) this.#blame(key, unaskedFault);
    else if (this.#wants.includes(ask.want)) this.#take(peer, ask.want, range);
    this.#ask(nowMs);
    this.#endHopeless(nowMs);
  }

  /** A decoded message 23. One that nobody waits for is ignored. */
  handleReject(key: PeerKey, request: HashRequest, nowMs: number): void {
    const peer = this.#peers.get(key);
    const ask = peer === undefined ? null : tryTakeAsk(peer, request);
    if (ask === null) return;
    ask.want.refused.set(key, refusedUntilMs(ask.want, nowMs));
    this.#ask(nowMs);
    this.#endHopeless(nowMs);
  }

  /**
   * Looks for the bad blocks of a piece that failed its check. One `badBlocks` or `blocksUnknown` follows.
   * @param leaves SHA-256 of each block as we have it, 32 bytes a block; given away
   * @returns false when the piece has no known root, is being looked into, or too many are
   */
  handleFailedPiece(piece: number, leaves: Uint8Array, nowMs: number): boolean {
    const isKnown = this.#tree.expectedRootOf(piece) !== null;
    const isWhole = leaves.length === this.#tree.blockCountOf(piece) * nodeBytes;
    if (!isKnown || !isWhole || this.#inquiries.has(piece)) return false;
    if (this.#inquiries.size >= hashExchangeLimits.inquiryCountMax) return false;
    const requests = this.#tree.leafRequestsOf(piece);
    if (requests.length === 0) {
      this.#effects.push({ type: 'badBlocks', piece, blocks: [0] });
      return true;
    }
    const inquiry: Inquiry = {
      piece,
      found: leaves,
      truth: new Uint8Array(leaves.length),
      openCount: requests.length,
      endMs: nowMs + hashExchangeLimits.leavesMs,
    };
    this.#inquiries.set(piece, inquiry);
    for (const request of requests)
      this.#wants.push({
        request,
        firstPiece: piece,
        pieceCount: 1,
        inquiry,
        askedCount: 0,
        refused: new Map(),
      });
    this.#ask(nowMs);
    this.#endHopeless(nowMs);
    return true;
  }

  /**
   * Answers a decoded message 21: with hashes (message 22), or null (message 23). `leaves`: read the piece,
   * when we have it, hash its blocks, give the leaves to the tree and ask again, or else reject.
   */
  handleRequest(key: PeerKey, request: HashRequest, nowMs: number): HashAnswer {
    const peer = this.#peers.get(key);
    if (peer === undefined) return null;
    const { serveBurst, servePerSecond } = hashExchangeLimits;
    const gained = (Math.max(0, nowMs - peer.serveTokensMs) * servePerSecond) / 1000;
    peer.serveTokens = Math.min(serveBurst, peer.serveTokens + gained);
    peer.serveTokensMs = nowMs;
    if (peer.serveTokens <= 0) return null;
    const answer = this.#tree.answer(request);
    peer.serveTokens -= answer === null ? 1 : this.#costOf(answer);
    return answer;
  }

  nextTimeoutMs(): number | null {
    return this.#pollMs;
  }

  handleTimeout(nowMs: number): void {
    if (this.#pollMs === null || nowMs < this.#pollMs) return;
    this.#pollMs = null;
    for (const peer of this.#peers.values()) this.#expire(peer, nowMs);
    this.#ask(nowMs);
    this.#endHopeless(nowMs);
  }

  /** Moves all waiting effects to the end of `out`. */
  drain(out: HashEffect[]): void {
    for (const effect of this.#effects) out.push(effect);
    this.#effects.length = 0;
  }

  /** A piece has to be read and hashed for its leaves; a proof among leaves hashes as many as it spans. */
  #costOf(answer: NonNullable<HashAnswer>): number {
    if (answer.type === 'leaves') return 4 * this.#tree.leafCountOf(answer.piece);
    const { baseLayer, length, proofLayers } = answer.range.request;
    return length + (baseLayer === 0 ? 2 ** Math.min(proofLayers, 13) : proofLayers);
  }

  #take(peer: HashPeer, want: Want, range: HashRange): void {
    const isProven =
      want.inquiry === null
        ? this.#tree.tryInsertChunk(want.firstPiece, range)
        : this.#tree.provesLeaves(want.firstPiece, range);
    if (!isProven) {
      this.#markFalse(peer);
      return;
    }
    peer.restMs = 0;
    this.#wants = this.#wants.filter((other) => other !== want);
    if (want.inquiry !== null) {
      this.#takeLeaves(want.inquiry, range);
      return;
    }
    const { firstPiece, pieceCount } = want;
    this.#effects.push({ type: 'rootsKnown', firstPiece, pieceCount });
    const file = this.#tree.fileOf(firstPiece);
    if (this.#tree.pieceLayerOf(file) !== null) this.#effects.push({ type: 'pieceLayerKnown', file });
  }

  #markFalse(peer: HashPeer): void {
    peer.isFalse = true;
    for (const ask of peer.asks) {
      ask.want.askedCount--;
      peer.expired.push(ask);
    }
    peer.asks = [];
    this.#blame(peer.key, falseFault);
  }

  #takeLeaves(inquiry: Inquiry, range: HashRange): void {
    const { piece, found, truth } = inquiry;
    const from = (range.request.index % this.#tree.leafCountOf(piece)) * nodeBytes;
    truth.set(range.hashes.subarray(0, truth.length - from), from);
    if (--inquiry.openCount > 0) return;
    const blocks: number[] = [];
    for (let at = 0; at < truth.length; at += nodeBytes)
      if (!bytesEqual(truth.subarray(at, at + nodeBytes), found.subarray(at, at + nodeBytes)))
        blocks.push(at / nodeBytes);
    this.#inquiries.delete(piece);
    this.#tree.setLeaves(piece, truth);
    this.#effects.push({ type: 'badBlocks', piece, blocks });
  }

  #ask(nowMs: number): void {
    if (this.#wants.length > 0) for (const peer of this.#peers.values()) this.#askPeer(peer, nowMs);
    this.#poll(nowMs);
  }

  #askPeer(peer: HashPeer, nowMs: number): void {
    if (peer.isFalse || peer.restUntilMs > nowMs) return;
    for (const want of this.#wants) {
      if (peer.asks.length >= hashExchangeLimits.requestCountMax) return;
      if (want.askedCount > 0 || !this.#mayAsk(peer, want, nowMs)) continue;
      peer.asks.push({ want, deadlineMs: nowMs + hashExchangeLimits.answerMs });
      want.askedCount++;
      this.#effects.push({ type: 'request', peer: peer.key, request: want.request });
    }
  }

  #mayAsk(peer: HashPeer, want: Want, nowMs: number): boolean {
    if ((want.refused.get(peer.key) ?? 0) > nowMs) return false;
    return this.#host.hasAnyOf(peer.key, want.firstPiece, want.pieceCount);
  }

  #expire(peer: HashPeer, nowMs: number): void {
    const late = peer.asks.filter((ask) => ask.deadlineMs <= nowMs);
    if (late.length === 0) return;
    peer.asks = peer.asks.filter((ask) => ask.deadlineMs > nowMs);
    for (const ask of late) {
      ask.want.askedCount--;
      ask.want.refused.set(peer.key, refusedUntilMs(ask.want, nowMs));
      peer.expired.push(ask);
      if (peer.expired.length > hashExchangeLimits.expiredCountMax) peer.expired.shift();
    }
    const { restMs, restMaxMs } = hashExchangeLimits;
    peer.restMs = Math.min(restMaxMs, Math.max(restMs, peer.restMs * 2));
    peer.restUntilMs = nowMs + peer.restMs;
  }

  /** Gives up inquiries whose time is over, or a part of which no peer is left to ask for. */
  #endHopeless(nowMs: number): void {
    for (const inquiry of this.#inquiries.values()) {
      const isHopeless = this.#wants.some(
        (want) => want.inquiry === inquiry && want.askedCount === 0 && !this.#hasPeerFor(want, nowMs),
      );
      if (nowMs < inquiry.endMs && !isHopeless) continue;
      this.#inquiries.delete(inquiry.piece);
      this.#wants = this.#wants.filter((want) => want.inquiry !== inquiry);
      this.#effects.push({ type: 'blocksUnknown', piece: inquiry.piece });
    }
  }

  #hasPeerFor(want: Want, nowMs: number): boolean {
    for (const peer of this.#peers.values())
      if (!peer.isFalse && this.#mayAsk(peer, want, nowMs)) return true;
    return false;
  }

  #poll(nowMs: number): void {
    if (this.#wants.length === 0) this.#pollMs = null;
    else this.#pollMs ??= nowMs + hashExchangeLimits.pollMs;
  }

  #blame(peer: PeerKey, fault: Fault): void {
    this.#effects.push({ type: 'blame', peer, fault });
  }
}

function refusedUntilMs(want: Want, nowMs: number): number {
  return want.inquiry === null ? nowMs + hashExchangeLimits.refusedMs : Number.POSITIVE_INFINITY;
}

/** Takes the ask with this request out of the peer's lists. */
function tryTakeAsk(peer: HashPeer, request: HashRequest): Ask | null {
  for (const asks of [peer.asks, peer.expired]) {
    const at = asks.findIndex((ask) => isSameHashRequest(ask.want.request, request));
    if (at < 0) continue;
    const [ask] = asks.splice(at, 1);
    if (asks === peer.asks) ask!.want.askedCount--;
    return ask!;
  }
  return null;
}

const unaskedFault: Fault = {
  code: 'BITTORRENT_HASHES_UNASKED',
  message: 'The peer sent hashes that were not asked for.',
  blame: 'peer',
  penalty: 10,
};

const falseFault: Fault = {
  code: 'BITTORRENT_HASHES_FALSE',
  message: 'The peer sent hashes that do not lead to the root of their file.',
  blame: 'peer',
  penalty: 100,
};
