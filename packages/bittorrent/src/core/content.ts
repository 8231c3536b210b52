/**
 * The content of one torrent, once its `info` is known: everything about pieces, from "which block next" to
 * "verified". It puts the decision components together; each of them owns its own facts.
 *
 *   requester -> (block) -> assembly -> store job -> outcome: matched    -> picker.markHave, HAVE to all, event
 *                                                            mismatched -> blame (smart ban, v2 leaves) -> again
 *   uploader <- read cache <- load job        checker -> check job: resume data in doubt, recheck, blame
 */
import type { DiskFault, DiskResult, Fault, Hashes, Prng, RateMeter } from '@tequio/kernel';
import { encodeHashes, encodeHashReject, type HashRequest } from '../wire/hash-messages.ts';
import { messageId } from '../wire/peer-message.ts';
import type { Metainfo, TorrentInfo } from '../wire/torrent-info.ts';
import { HashExchange } from './hash-exchange.ts';
import { type HashAnswer, HashTree } from './hash-tree.ts';
import type { Peer } from './peer.ts';
import { PeerPieces } from './peer-pieces.ts';
import { PieceAssembly, type PieceExpectation, type PieceOutcome, type StoreJob } from './piece-assembly.ts';
import { type CheckJob, type CheckOutcome, PieceChecker } from './piece-checker.ts';
import { PieceLayout } from './piece-layout.ts';
import type { PieceMemory } from './piece-memory.ts';
import { PiecePicker } from './piece-picker.ts';
import type { ReadCache } from './read-cache.ts';
import { Requester } from './requester.ts';
import { badBlockFault, SmartBan } from './smart-ban.ts';
import { type LoadJob, type RateGate, Uploader } from './uploader.ts';

export type ContentJob =
  | ({ readonly type: 'store' } & StoreJob)
  | ({ readonly type: 'load' } & LoadJob)
  | ({ readonly type: 'check' } & CheckJob);

/** What happens to the content, for the torrent to act on. */
export interface ContentHost {
  readonly peers: ReadonlyMap<number, Peer>;
  readonly down: RateMeter;
  touched(peer: Peer): void;
  mayServe(peer: Peer, piece: number): boolean;
  /** Verified and written. `isNew`: downloaded now, not found on disk. */
  verified(piece: number, isNew: boolean): void;
  /** A piece that a check did not find. */
  missed(piece: number): void;
  /** One that we had, and may have told of. */
  lost(piece: number): void;
  /** Its hash was wrong: what was stored of it counts for nothing. */
  failed(piece: number): void;
  checked(): void;
  finished(): void;
  /** Null: in the middle of trouble something was stored. */
  diskTrouble(fault: DiskFault | null): void;
  /** The torrent contradicts itself: nobody can complete it. */
  broken(fault: Fault): void;
  blame(peer: number, fault: Fault): void;
  received(bytes: number, nowMs: number): void;
  wasted(bytes: number): void;
  uploaded(bytes: number, nowMs: number): void;
}

export type ContentDeps = {
  readonly hashes: Hashes;
  readonly prng: Prng;
  readonly memory: PieceMemory;
  readonly cache: ReadCache;
  readonly gate: RateGate;
  /** Names this torrent in the shared read cache. */
  readonly owner: number;
  readonly nextJobId: () => number;
};

export class TorrentContent implements PieceExpectation {
  readonly info: TorrentInfo;
  readonly layout: PieceLayout;
  readonly picker: PiecePicker;
  readonly pieces: PeerPieces;
  readonly requester: Requester;
  readonly uploader: Uploader;
  readonly checker: PieceChecker;
  readonly hashTree: HashTree;
  readonly hashExchange: HashExchange;
  readonly smartBan = new SmartBan();
  readonly #assembly: PieceAssembly;
  readonly #host: ContentHost;
  readonly #leavesOfFailed = new Map<number, Uint8Array>();
  /** Pieces whose wrong blocks are being looked for (v2) -> who sent each block. */
  readonly #sendersOfFailed = new Map<number, readonly number[]>();
  /** Hash requests that wait until a piece's leaves have been read. */
  readonly #leafRequests: { readonly peer: number; readonly request: HashRequest; readonly piece: number }[] =
    [];
  readonly #forgetReads: () => void;
  /** Pieces that we had until they came into doubt. */
  readonly #doubted = new Set<number>();
  #isTrying = false;
  #isInTrouble = false;
  #isPaused = false;
  #wasFinished = false;

  constructor(info: TorrentInfo, pieceLayers: Metainfo['pieceLayers'], host: ContentHost, deps: ContentDeps) {
    this.info = info;
    this.#host = host;
    this.layout = new PieceLayout(info);
    this.picker = new PiecePicker({
      pieceCount: info.pieceCount,
      pieceBytes: info.pieceBytes,
      totalBytes: info.totalBytes,
      prng: deps.prng,
      ...(info.files.some((file) => file.pad)
        ? { blockCountOf: (piece) => this.layout.fetchedBlockCountOf(piece) }
        : {}),
    });
    this.pieces = new PeerPieces(this.picker, info.pieceCount);
    this.hashTree = new HashTree(deps.hashes, info, pieceLayers);
    this.hashExchange = new HashExchange(this.hashTree, {
      hasAnyOf: (key, firstPiece, pieceCount) => hasAnyOf(host.peers.get(key), firstPiece, pieceCount),
    });
    this.#assembly = new PieceAssembly(this.layout, {
      memory: deps.memory,
      hashes: deps.hashes,
      expectation: this,
      nextJobId: deps.nextJobId,
    });
    this.checker = new PieceChecker(this.layout, this, deps.nextJobId);
    this.requester = new Requester({
      layout: this.layout,
      picker: this.picker,
      assembly: this.#assembly,
      memory: deps.memory,
      peerOf: (key) => host.peers.get(key),
      touched: (peer) => host.touched(peer),
      mayRequest: () => this.mayRequest,
      meanRate: (nowMs) => host.down.bytesPerSecond(nowMs) / Math.max(1, host.peers.size),
      received: (bytes, nowMs) => host.received(bytes, nowMs),
      wasted: (bytes) => host.wasted(bytes),
    });
    this.#forgetReads = () => deps.cache.forget(deps.owner);
    this.uploader = new Uploader(this.layout, {
      owner: deps.owner,
      cache: deps.cache,
      gate: deps.gate,
      nextJobId: deps.nextJobId,
      peerOf: (key) => host.peers.get(key),
      mayServe: (peer, piece) => this.picker.have.has(piece) && host.mayServe(peer, piece),
      isCommon: (piece) => 2 * this.picker.availabilityOf(piece) > host.peers.size,
      touched: (peer) => host.touched(peer),
      uploaded: (_peer, bytes, nowMs) => host.uploaded(bytes, nowMs),
    });
  }

  /** BEP 3. */
  sha1Of(piece: number): Uint8Array | null {
    return this.info.pieceHashes?.subarray(20 * piece, 20 * piece + 20) ?? null;
  }

  /** BEP 52; null also while a magnet's piece layers are still on their way. */
  rootOf(piece: number): Uint8Array | null {
    return this.hashTree.expectedRootOf(piece);
  }

  isWatched(piece: number): boolean {
    return this.smartBan.isWatched(piece);
  }

  get isInTrouble(): boolean {
    return this.#isInTrouble;
  }

  /** Wanted pieces are all there. */
  get isFinished(): boolean {
    return this.picker.isFinished && this.checker.doubtCount === 0;
  }

  /** A v2 piece can be asked for only when its hash is known: whoever has none could never be proven wrong. */
  get mayRequest(): boolean {
    const isVerifiable = this.info.pieceHashes !== null || this.hashTree.isComplete;
    return isVerifiable && !this.#isInTrouble && !this.#isPaused && this.checker.doubtCount === 0;
  }

  setPaused(paused: boolean): void {
    this.#isPaused = paused;
  }

  /** Pieces that are believed to be on disk, and those that have to be looked at first. */
  start(have: Iterable<number>, doubtful: Iterable<number>): void {
    for (const piece of have) this.picker.markHave(piece);
    for (const piece of doubtful) this.checker.add(piece, 'doubt');
    if (this.checker.doubtCount === 0) this.#host.checked();
    this.#settle();
  }

  /** @param priority 0 to 7; 0: not wanted */
  setPriority(piece: number, priority: number): void {
    const wasWanted = this.picker.isWanted(piece);
    this.picker.setPriority(piece, priority);
    const isWanted = this.picker.isWanted(piece);
    if (wasWanted === isWanted) return;
    if (isWanted) this.pieces.markWanted(this.#host.peers.values(), piece);
    else {
      this.pieces.markUnwanted(this.#host.peers.values(), piece);
      for (const peer of this.#host.peers.values()) this.requester.releasePiece(peer, piece);
      if (this.picker.openPiece(piece) === null) this.#assembly.drop(piece);
    }
    this.#settle();
  }

  /** @param atMs when the piece is needed; null: no longer */
  setDeadline(piece: number, atMs: number | null, nowMs: number): void {
    this.picker.setDeadline(piece, atMs);
    if (atMs !== null) this.requester.makeWay(this.#host.peers.values(), piece, atMs, nowMs);
  }

  drainJobs(out: ContentJob[]): void {
    const stores: StoreJob[] = [];
    this.#assembly.drainJobs(stores);
    for (const job of stores) out.push({ type: 'store', ...job });
    const loads: LoadJob[] = [];
    this.uploader.drainJobs(loads);
    for (const job of loads) out.push({ type: 'load', ...job });
    const checks: CheckJob[] = [];
    this.checker.drainJobs(checks);
    for (const job of checks) out.push({ type: 'check', ...job });
  }

  /** A job of this torrent came back; ids that are not ours are ignored. */
  handleJob(id: number, result: DiskResult, nowMs: number): void {
    if (this.#assembly.owns(id)) this.#handleStored(id, result, nowMs);
    else if (this.uploader.owns(id)) {
      if (!result.ok) this.#trouble(result.fault);
      this.uploader.handleLoaded(id, result, nowMs);
    } else if (this.checker.owns(id)) {
      const outcome = this.checker.handleChecked(id, result);
      if (outcome !== null) this.#handleChecked(outcome, nowMs);
    }
  }

  /** The cause of disk trouble is gone, as far as can be seen: goes on where it stopped. */
  handleDiskRecovered(): void {
    this.#isInTrouble = false;
    this.#assembly.retryStores();
  }

  /** Gives the disk again what it could not store; nothing new is asked for until something of it was stored. */
  retryStores(): void {
    this.#isTrying = true;
    this.#assembly.retryStores();
  }

  /** Something waits to be stored since the disk failed. */
  get hasStuckStores(): boolean {
    return this.#assembly.hasStuck;
  }

  /** Pieces that we had are in doubt: nobody hears of them, and they are read again. */
  doubt(pieces: Iterable<number>): void {
    // What was read of them may be what is wrong with them.
    this.#forgetReads();
    for (const piece of pieces) {
      if (this.picker.have.has(piece)) {
        this.picker.markMissing(piece);
        this.#doubted.add(piece);
        if (this.picker.isWanted(piece)) this.pieces.markWanted(this.#host.peers.values(), piece);
      }
      if (!this.#assembly.isOpen(piece)) this.checker.add(piece, 'doubt');
    }
    this.#wasFinished = this.isFinished;
  }

  /** The hash exchange has found which blocks of a failed piece are wrong (v2). */
  handleBadBlocks(piece: number, blocks: readonly number[]): void {
    const senders = this.#sendersOfFailed.get(piece);
    this.#sendersOfFailed.delete(piece);
    for (const block of blocks) {
      const peer = senders?.[block] ?? -1;
      if (peer >= 0) this.#host.blame(peer, badBlockFault(piece, block));
    }
  }

  /** BEP 52: answers a hash request, at once or when the piece's blocks have been hashed. */
  handleHashRequest(peer: Peer, request: HashRequest, nowMs: number): void {
    const answer = this.hashExchange.handleRequest(peer.key, request, nowMs);
    if (answer?.type === 'leaves' && this.picker.have.has(answer.piece)) {
      this.#leafRequests.push({ peer: peer.key, request, piece: answer.piece });
      this.checker.add(answer.piece, 'leaves');
    } else this.#writeHashes(peer, request, answer);
  }

  close(): void {
    this.checker.cancel();
    this.#assembly.close();
  }

  #handleStored(id: number, result: DiskResult, nowMs: number): void {
    const outcome = this.#assembly.handleStored(id, result);
    if (result.ok && this.#isInTrouble) this.#host.diskTrouble(null);
    if (outcome === null) return;
    if (!('matched' in outcome)) this.#trouble(outcome);
    else if (outcome.needsCheck) this.checker.add(outcome.piece, 'recover');
    else if (outcome.matched) this.#handleMatched(outcome);
    else if (outcome.inconsistent) this.#host.broken(inconsistentFault(outcome.piece));
    else if (outcome.sha1Blocks === null) {
      if (outcome.leaves !== null) this.#leavesOfFailed.set(outcome.piece, outcome.leaves);
      this.checker.add(outcome.piece, 'blocks');
    } else this.#handleMismatched(outcome.piece, outcome.sha1Blocks, outcome.leaves, nowMs);
  }

  #handleMatched(outcome: PieceOutcome): void {
    const { piece } = outcome;
    if (outcome.sha1Blocks !== null) this.#handlePassed(piece, outcome.sha1Blocks);
    if (outcome.leaves !== null) this.hashTree.setLeaves(piece, outcome.leaves);
    this.#markHave(piece, true);
  }

  #handleMismatched(piece: number, sha1Blocks: Uint8Array, leaves: Uint8Array | null, nowMs: number): void {
    const contributors = this.picker.contributorsOf(piece);
    const blamed = this.smartBan.handleFailed(
      piece,
      contributors,
      sha1Blocks.subarray(0, 20 * contributors.length),
    );
    if (leaves !== null && this.hashExchange.handleFailedPiece(piece, leaves, nowMs)) {
      this.#sendersOfFailed.set(piece, contributors);
    }
    this.#markFailed(piece);
    for (const { peer, fault } of blamed) this.#host.blame(peer, fault);
    this.#updateParole();
  }

  /** A piece that had failed is good now: by comparison it is known who had lied, and who had not. */
  #handlePassed(piece: number, sha1Blocks: Uint8Array): void {
    for (const { peer, fault } of this.smartBan.handlePassed(piece, sha1Blocks))
      this.#host.blame(peer, fault);
    this.#updateParole();
  }

  #updateParole(): void {
    for (const peer of this.#host.peers.values()) peer.onParole = this.smartBan.isOnParole(peer.key);
  }

  #handleChecked(outcome: CheckOutcome, nowMs: number): void {
    const { piece, purpose, result, matched } = outcome;
    if (purpose === 'blocks') {
      const sha1Blocks = result.ok ? (result.digests?.sha1Blocks ?? null) : null;
      const leaves = this.#leavesOfFailed.get(piece) ?? null;
      this.#leavesOfFailed.delete(piece);
      if (!result.ok) this.#trouble(result.fault);
      if (sha1Blocks !== null) this.#handleMismatched(piece, sha1Blocks, leaves, nowMs);
      else this.#markFailed(piece);
      return;
    }
    if (purpose === 'leaves') {
      if (matched && result.ok && result.digests?.leaves)
        this.hashTree.setLeaves(piece, result.digests.leaves);
      this.#answerLeafRequests(piece);
      return;
    }
    if (matched) {
      if (result.ok && result.digests?.leaves) this.hashTree.setLeaves(piece, result.digests.leaves);
      if (result.ok && result.digests?.sha1Blocks) this.#handlePassed(piece, result.digests.sha1Blocks);
      this.#markHave(piece, purpose === 'recover');
    } else if (purpose === 'recover') this.#markFailed(piece);
    else {
      if (!result.ok && result.fault.code !== 'missing') this.#trouble(result.fault);
      this.#host.missed(piece);
    }
    if (this.#doubted.delete(piece) && !matched) this.#host.lost(piece);
    if (this.checker.doubtCount === 0) {
      this.#host.checked();
      this.#settle();
      for (const peer of this.#host.peers.values()) this.requester.fill(peer, nowMs);
    }
  }

  #answerLeafRequests(piece: number): void {
    for (let at = this.#leafRequests.length - 1; at >= 0; at--) {
      const waiting = this.#leafRequests[at]!;
      if (waiting.piece !== piece) continue;
      this.#leafRequests.splice(at, 1);
      const peer = this.#host.peers.get(waiting.peer);
      if (peer !== undefined) this.#writeHashes(peer, waiting.request, this.hashTree.answer(waiting.request));
    }
  }

  #writeHashes(peer: Peer, request: HashRequest, answer: HashAnswer): void {
    if (answer?.type === 'hashes') peer.writer.writePayload(messageId.hashes, encodeHashes(answer.range));
    else peer.writer.writePayload(messageId.hashReject, encodeHashReject(request));
    this.#host.touched(peer);
  }

  #markHave(piece: number, isNew: boolean): void {
    const wasWanted = this.picker.isWanted(piece);
    if (!this.picker.markHave(piece)) return;
    if (wasWanted) this.pieces.markUnwanted(this.#host.peers.values(), piece);
    this.#host.verified(piece, isNew);
    this.#settle();
  }

  #markFailed(piece: number): void {
    this.picker.markFailed(piece, null);
    this.#host.failed(piece);
  }

  #settle(): void {
    const isFinished = this.isFinished;
    if (isFinished && !this.#wasFinished) this.#host.finished();
    this.#wasFinished = isFinished;
  }

  #trouble(fault: DiskFault): void {
    // Of many that fail together one is told, and one of each later try.
    if (this.#isInTrouble && !this.#isTrying) return;
    this.#isInTrouble = true;
    this.#isTrying = false;
    this.#host.diskTrouble(fault);
  }
}

function hasAnyOf(peer: Peer | undefined, firstPiece: number, pieceCount: number): boolean {
  if (peer === undefined) return false;
  if (peer.isSeed) return true;
  const next = peer.has?.nextSet(firstPiece) ?? -1;
  return next >= 0 && next < firstPiece + pieceCount;
}

function inconsistentFault(piece: number): Fault {
  return {
    code: 'BITTORRENT_HYBRID_MISMATCH',
    message: `The torrent's v1 and v2 hashes disagree about piece ${piece}: it was made wrong, and cannot be completed.`,
    blame: 'file',
    penalty: 0,
  };
}
