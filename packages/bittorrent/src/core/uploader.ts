/**
 * Serves what unchoked peers ask for: their requests wait in order, extents are read ahead of them, and blocks go out
 * while the connection takes them.
 *
 *   request -> peer.uploads -> extent in the read cache? -> rate gate -> writer -> send
 *                                  | no: load job, the peer waits
 *
 * Rules: at most `requestCountMax` waiting requests a peer (more are rejected, as the handshake's `reqq` said); bytes
 * given to a connection and not yet taken stay under a watermark of half a second of its rate, so that a choke or a
 * cancel still finds something to take back; only pieces that we have; nothing for a choked peer but allowed-fast.
 * Attacker: asking for one byte of many extents costs us 256 KiB reads: requests below 1 KiB that are not a piece's
 * end are refused. Cost: O(1) per request.
 */
import type { DiskResult, Fault, Slab } from '@tequio/kernel';
import { messageId } from '../wire/peer-message.ts';
import { pieceBytesOf } from '../wire/torrent-info.ts';
import type { Peer, UploadRequest } from './peer.ts';
import type { PieceLayout } from './piece-layout.ts';
import { type ReadCache, type ReadExtent, readExtentBytes } from './read-cache.ts';

export const uploadLimits = {
  /** What the extension handshake promises as `reqq`: who keeps to it is never rejected for asking much. */
  requestCountMax: 500,
  requestBytesMax: 1 << 17,
  requestBytesMin: 1 << 10,
  /** How far ahead of the request that is being served extents are loaded. */
  extentsAhead: 4,
  /** One suggestion to a peer in so long a time; so many of the latest pieces in memory are looked at. */
  suggestionEveryMs: 10_000,
  suggestionCountMax: 16,
  unsentBytesMin: 1 << 18,
  unsentBytesMax: 1 << 21,
} as const;

/** Lets bytes through at the pace of a limit. */
export interface RateGate {
  /** Takes `bytes` for a peer now, or takes nothing and says false. */
  tryTake(bytes: number, nowMs: number, peer: number): boolean;
  /** When to try again. */
  readyAtMs(nowMs: number, peer: number): number;
}

export type LoadJob = {
  readonly id: number;
  readonly piece: number;
  readonly pieceOffset: number;
  readonly slab: Slab;
  readonly bytes: number;
};

export type UploaderDeps = {
  readonly owner: number;
  readonly cache: ReadCache;
  readonly gate: RateGate;
  readonly nextJobId: () => number;
  readonly peerOf: (key: number) => Peer | undefined;
  /** We have the piece, and this peer may have it from us. */
  readonly mayServe: (peer: Peer, piece: number) => boolean;
  /** Most peers have it. */
  readonly isCommon: (piece: number) => boolean;
  /** The peer got something to send. */
  readonly touched: (peer: Peer) => void;
  readonly uploaded: (peer: Peer, bytes: number, nowMs: number) => void;
};

export class Uploader {
  readonly #layout: PieceLayout;
  readonly #deps: UploaderDeps;
  readonly #loading = new Map<number, ReadExtent>();
  readonly #out: LoadJob[] = [];
  /** Extents whose bytes are in a peer's writer, by peer, until its next `takeLeases`. */
  readonly #leases = new Map<number, ReadExtent[]>();
  /** Waiting for the rate gate, or for memory. */
  readonly #held = new Set<number>();
  #gateAtMs: number | null = null;

  constructor(layout: PieceLayout, deps: UploaderDeps) {
    this.#layout = layout;
    this.#deps = deps;
  }

  /** A request arrived. Serves at once what can be. */
  handleRequest(peer: Peer, request: UploadRequest, nowMs: number): Fault | null {
    const fault = this.#checkRequest(request);
    if (fault !== null) return fault;
    const isAllowed = !peer.amChoking || peer.allowedFastGiven.has(request.piece);
    if (
      !isAllowed ||
      !this.#deps.mayServe(peer, request.piece) ||
      peer.uploads.length >= uploadLimits.requestCountMax
    ) {
      // A request that crossed our choke on the way is nobody's fault; without BEP 6 it is simply not served.
      if (peer.speaksFast) {
        peer.writeReject(request);
        this.#deps.touched(peer);
      }
      return null;
    }
    peer.uploads.push(request);
    if (peer.uploads.length <= uploadLimits.extentsAhead * 16 || peer.unsentBytes === 0)
      this.serve(peer, nowMs);
    return null;
  }

  handleCancel(peer: Peer, request: UploadRequest): void {
    const at = peer.uploads.findIndex(
      (waiting) =>
        waiting.piece === request.piece &&
        waiting.offset === request.offset &&
        waiting.bytes === request.bytes,
    );
    if (at < 0) return;
    peer.uploads.splice(at, 1);
    if (peer.speaksFast) {
      peer.writeReject(request);
      this.#deps.touched(peer);
    }
  }

  /** Writes as many waiting blocks as the connection, the disk and the rate limit allow. */
  serve(peer: Peer, nowMs: number): void {
    const watermark = watermarkOf(peer, nowMs);
    let served = 0;
    while (served < peer.uploads.length && peer.unsentBytes + peer.writer.byteCount < watermark) {
      const request = peer.uploads[served]!;
      // Lost since it was asked for: a recheck has begun, or did not find it.
      if (!this.#deps.mayServe(peer, request.piece)) {
        if (peer.speaksFast) peer.writeReject(request);
      } else if (!this.#tryWriteBlock(peer, request, nowMs)) break;
      served++;
    }
    if (served > 0) {
      peer.uploads.splice(0, served);
      this.#deps.touched(peer);
    }
    this.#loadAhead(peer);
  }

  /**
   * BEP 6: names a piece that lies in memory to a peer that is served, so that fewer are read from the disk. Seldom,
   * and none that most have: what all are told to take first is no rarity that they could trade.
   */
  suggest(peer: Peer, nowMs: number): void {
    if (peer.amChoking || !peer.interested || !peer.speaksFast || peer.isSeed) return;
    if (nowMs < peer.suggestAtMs) return;
    const { cache, owner, mayServe, isCommon } = this.#deps;
    const { suggestionEveryMs, suggestionCountMax } = uploadLimits;
    for (const piece of cache.recentPieces(owner, suggestionCountMax)) {
      if (peer.hasPiece(piece) || peer.suggestionsGiven.has(piece)) continue;
      if (isCommon(piece) || !mayServe(peer, piece)) continue;
      if (peer.suggestionsGiven.size >= suggestionCountMax) peer.suggestionsGiven.clear();
      peer.suggestionsGiven.add(piece);
      peer.suggestAtMs = nowMs + suggestionEveryMs;
      peer.writer.writeIndex(messageId.suggest, piece);
      this.#deps.touched(peer);
      return;
    }
  }

  /** Extents that the peer's writer refers to; the caller gives them back by `handleSent`. */
  takeLeases(peer: Peer): readonly ReadExtent[] {
    const leases = this.#leases.get(peer.key);
    if (leases === undefined) return [];
    this.#leases.delete(peer.key);
    return leases;
  }

  /** The system has taken bytes of these extents, or the connection is gone. */
  handleSent(leases: readonly ReadExtent[]): void {
    for (const extent of leases) this.#deps.cache.release(extent);
  }

  /** True when `id` is a load job of this torrent. */
  owns(id: number): boolean {
    return this.#loading.has(id);
  }

  /** A load job came back: serves who waited. The fault is the disk's, and the extent is gone. */
  handleLoaded(id: number, result: DiskResult, nowMs: number): void {
    const extent = this.#loading.get(id);
    if (extent === undefined) return;
    this.#loading.delete(id);
    const waiting = [...extent.waiting];
    extent.waiting.clear();
    if (result.ok) this.#deps.cache.markReady(extent);
    else this.#deps.cache.drop(extent);
    for (const key of waiting) {
      const peer = this.#deps.peerOf(key);
      if (peer === undefined) continue;
      if (result.ok) this.serve(peer, nowMs);
      else this.#rejectPiece(peer, extent.piece);
    }
  }

  /** Serves those whom the rate gate or memory held back. */
  handleTimeout(nowMs: number): void {
    if (this.#gateAtMs === null || nowMs < this.#gateAtMs) return;
    this.#gateAtMs = null;
    const held = [...this.#held];
    this.#held.clear();
    const served: number[] = [];
    for (const key of held) {
      const peer = this.#deps.peerOf(key);
      if (peer === undefined) continue;
      const waitingCount = peer.uploads.length;
      this.serve(peer, nowMs);
      // Who got something goes to the end of the queue: a narrow gate is shared by turns.
      if (peer.uploads.length < waitingCount && this.#held.delete(key)) served.push(key);
    }
    for (const key of served) this.#held.add(key);
  }

  nextTimeoutMs(): number | null {
    return this.#gateAtMs;
  }

  drainJobs(out: LoadJob[]): void {
    for (const job of this.#out) out.push(job);
    this.#out.length = 0;
  }

  removePeer(peer: Peer): void {
    peer.uploads.length = 0;
    this.#held.delete(peer.key);
    for (const extent of this.#loading.values()) extent.waiting.delete(peer.key);
    this.handleSent(this.takeLeases(peer));
  }

  #checkRequest(request: UploadRequest): Fault | null {
    const { piece, offset, bytes } = request;
    const fault = (message: string): Fault => ({
      code: 'BITTORRENT_WIRE_REQUEST',
      message,
      blame: 'peer',
      penalty: 50,
    });
    if (piece >= this.#layout.info.pieceCount)
      return fault(`The peer asked for piece ${piece} of ${this.#layout.info.pieceCount}.`);
    // Older programs ask for the padding after a v2 file too: it is zeros, as in a hybrid torrent.
    const pieceBytes = pieceBytesOf(this.#layout.info, piece);
    if (bytes === 0 || bytes > uploadLimits.requestBytesMax || offset + bytes > pieceBytes) {
      return fault(`The peer asked for ${bytes} bytes at ${offset} of a piece of ${pieceBytes}.`);
    }
    const isEnd = offset + bytes === pieceBytes || offset + bytes === this.#layout.bytesOf(piece);
    if (bytes < uploadLimits.requestBytesMin && !isEnd) {
      return fault(`The peer asked for only ${bytes} bytes at a time.`);
    }
    return null;
  }

  #tryWriteBlock(peer: Peer, request: UploadRequest, nowMs: number): boolean {
    const { piece, offset, bytes } = request;
    const first = this.#tryReadyExtent(peer, piece, offset, nowMs);
    if (first === null) return false;
    const isSplit = offset + bytes > first.offset + first.bytes;
    const second = isSplit ? this.#tryReadyExtent(peer, piece, first.offset + first.bytes, nowMs) : null;
    if (isSplit && second === null) return false;
    if (!this.#deps.gate.tryTake(bytes, nowMs, peer.key)) {
      this.#hold(peer, this.#deps.gate.readyAtMs(nowMs, peer.key));
      return false;
    }
    const start = offset - first.offset;
    if (second === null) {
      peer.writer.writeBlock(piece, offset, first.slab.bytes.subarray(start, start + bytes));
      this.#lease(peer, first);
    } else {
      const data = new Uint8Array(bytes);
      const firstBytes = first.bytes - start;
      data.set(first.slab.bytes.subarray(start, first.bytes));
      data.set(second.slab.bytes.subarray(0, bytes - firstBytes), firstBytes);
      peer.writer.writeBlock(piece, offset, data);
    }
    peer.up.add(bytes, nowMs);
    peer.uploadedSinceUnchoke += bytes;
    this.#deps.uploaded(peer, bytes, nowMs);
    return true;
  }

  /** The ready extent that holds this byte of the piece; otherwise it is loaded, the peer waits, and null. */
  #tryReadyExtent(peer: Peer, piece: number, offset: number, nowMs: number): ReadExtent | null {
    const extent = this.#open(piece, offset - (offset % readExtentBytes));
    if (extent === null) {
      this.#hold(peer, nowMs + 50);
      return null;
    }
    if (extent.isReady) return extent;
    extent.waiting.add(peer.key);
    return null;
  }

  #open(piece: number, extentOffset: number): ReadExtent | null {
    const { owner, cache } = this.#deps;
    const known = cache.tryGet(owner, piece, extentOffset);
    if (known !== null) return known;
    const bytes = Math.min(readExtentBytes, pieceBytesOf(this.#layout.info, piece) - extentOffset);
    const id = this.#deps.nextJobId();
    const extent = cache.tryOpen(owner, piece, extentOffset, bytes, id);
    if (extent === null) return null;
    this.#loading.set(id, extent);
    this.#out.push({ id, piece, pieceOffset: extentOffset, slab: extent.slab, bytes });
    return extent;
  }

  #loadAhead(peer: Peer): void {
    let extentCount = 0;
    let lastPiece = -1;
    let lastOffset = -1;
    for (const { piece, offset } of peer.uploads) {
      const extentOffset = offset - (offset % readExtentBytes);
      if (piece === lastPiece && extentOffset === lastOffset) continue;
      lastPiece = piece;
      lastOffset = extentOffset;
      if (++extentCount > uploadLimits.extentsAhead || this.#open(piece, extentOffset) === null) return;
    }
  }

  #lease(peer: Peer, extent: ReadExtent): void {
    let leases = this.#leases.get(peer.key);
    if (leases === undefined) this.#leases.set(peer.key, (leases = []));
    if (leases[leases.length - 1] === extent) return;
    this.#deps.cache.use(extent);
    leases.push(extent);
  }

  #hold(peer: Peer, untilMs: number): void {
    this.#held.add(peer.key);
    this.#gateAtMs = Math.min(this.#gateAtMs ?? Number.POSITIVE_INFINITY, untilMs);
  }

  #rejectPiece(peer: Peer, piece: number): void {
    const rejected = peer.uploads.filter((request) => request.piece === piece);
    if (rejected.length === 0) return;
    const kept = peer.uploads.filter((request) => request.piece !== piece);
    peer.uploads.length = 0;
    peer.uploads.push(...kept);
    if (peer.speaksFast) for (const request of rejected) peer.writeReject(request);
    this.#deps.touched(peer);
  }
}

/** Half a second of the peer's rate, within bounds. */
function watermarkOf(peer: Peer, nowMs: number): number {
  const half = peer.up.bytesPerSecond(nowMs) / 2;
  return Math.min(uploadLimits.unsentBytesMax, Math.max(uploadLimits.unsentBytesMin, half));
}
