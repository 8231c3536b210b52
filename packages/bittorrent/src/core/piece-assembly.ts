/**
 * Blocks into verified, written pieces: the one owner of the memory of pieces being downloaded.
 *
 * A piece is cut into extents of at most 1 MiB. An extent is promised memory when its first block is requested, and
 * gets a slab when one begins to arrive; blocks are copied there from the receive buffer; when it is full and all
 * extents before it are with the disk, it becomes a store job that hashes and writes it (SHA-1 runs through a piece in
 * order, hence the order).
 *
 *   extent:  absent -> filling -> full -> storing -> gone            piece: open -> stored: matched | mismatched
 *                                    ^        |
 *                                    +- disk trouble: kept, stored again after `retryStores`
 *
 * Pieces of one extent are written only when their hash matches. Larger ones are written as they come; they count as
 * had only after the last extent's hash, and a wrong one is overwritten.
 *
 * v2: every job also gives the merkle root over its blocks; the piece's root is made of those (BEP 52).
 *
 * Attacker: a peer can make us hold an extent by sending all its blocks but one: requests time out, the block is
 * asked of another, and memory stays within `PieceMemory`. Cost: O(1) per block, O(extents) per piece.
 */
import {
  assert,
  bytesEqual,
  concatBytes,
  type DigestRequest,
  type DiskDigests,
  type DiskFault,
  type DiskResult,
  type Hashes,
  type Slab,
} from '@tequio/kernel';
import { blockBytes } from '../wire/torrent-info.ts';
import { rootOfSubtrees } from './merkle.ts';
import type { PieceLayout } from './piece-layout.ts';
import type { PieceMemory, ReservedSlab } from './piece-memory.ts';

/** A power of two: extents of v2 pieces are whole subtrees. */
export const extentBytesMax = 1 << 20;

export type StoreJob = {
  /** `hash`: nothing is written; a piece that did not match is hashed block by block, to find who sent what. */
  readonly kind: 'store' | 'hash';
  readonly id: number;
  readonly piece: number;
  readonly pieceOffset: number;
  readonly slab: Slab;
  readonly bytes: number;
  readonly digest: DigestRequest;
};

export type PieceOutcome = {
  readonly piece: number;
  readonly matched: boolean;
  /** 20 bytes a block when the piece is watched, or null. */
  readonly sha1Blocks: Uint8Array | null;
  /** 32 bytes a block for v2, or null. */
  readonly leaves: Uint8Array | null;
  /** v1 and v2 disagree about a hybrid's piece: the torrent itself is at fault. */
  readonly inconsistent: boolean;
  /** All of it is written, but disk trouble broke its hash: read it back to know. `matched` says nothing then. */
  readonly needsCheck: boolean;
};

/** What the torrent knows that a piece must hash to. */
export interface PieceExpectation {
  /** SHA-1, 20 bytes, or null when v2 only. */
  sha1Of(piece: number): Uint8Array | null;
  /** Merkle root, 32 bytes, or null when v1 only. */
  rootOf(piece: number): Uint8Array | null;
  /** True when the hash of each block is wanted too (a piece that failed before). */
  isWatched(piece: number): boolean;
}

type Extent = {
  readonly memory: ReservedSlab;
  receivedCount: number;
  state: 'filling' | 'full' | 'storing' | 'stuck' | 'gone';
  jobId: number;
};

type OpenPiece = {
  readonly piece: number;
  /** Names this piece's SHA-1 stream in the disk port, unique in the process's torrents. */
  readonly streamKey: number;
  readonly extents: (Extent | null)[];
  /** What the piece must hash to in v2, as it was known when its first part was stored; null: not known, or v1. */
  root: Uint8Array | null;
  /** The first extent that has not been given to the disk. */
  nextExtent: number;
  storedCount: number;
  sha1: Uint8Array | null;
  needsCheck: boolean;
  isDropped: boolean;
  readonly roots: (Uint8Array | null)[];
  readonly leaves: (Uint8Array | null)[];
  readonly sha1Blocks: (Uint8Array | null)[];
};

export class PieceAssembly {
  readonly #layout: PieceLayout;
  readonly #memory: PieceMemory;
  readonly #hashes: Hashes;
  readonly #expectation: PieceExpectation;
  readonly #blocksPerExtent: number;
  readonly #open = new Map<number, OpenPiece>();
  readonly #jobs = new Map<number, { piece: OpenPiece; extentIndex: number; isBlocks: boolean }>();
  readonly #stuck: { piece: OpenPiece; extentIndex: number; isBlocks: boolean }[] = [];
  readonly #out: StoreJob[] = [];
  /** Pieces of several extents that were dropped -> their writes that the disk still has. */
  readonly #lateWrites = new Map<number, number>();
  readonly #nextJobId: () => number;

  constructor(
    layout: PieceLayout,
    deps: { memory: PieceMemory; hashes: Hashes; expectation: PieceExpectation; nextJobId: () => number },
  ) {
    this.#layout = layout;
    this.#memory = deps.memory;
    this.#hashes = deps.hashes;
    this.#expectation = deps.expectation;
    this.#nextJobId = deps.nextJobId;
    this.#blocksPerExtent = Math.ceil(Math.min(layout.info.pieceBytes, extentBytesMax) / blockBytes);
  }

  get openCount(): number {
    return this.#open.size;
  }

  isOpen(piece: number): boolean {
    return this.#open.has(piece);
  }

  /** Makes sure that the block has memory to arrive in. */
  reserve(piece: number, block: number): void {
    let open = this.#open.get(piece);
    if (open === undefined) {
      const extentCount = Math.ceil(this.#layout.blockCountOf(piece) / this.#blocksPerExtent);
      open = newOpenPiece(piece, extentCount, this.#nextJobId());
      this.#open.set(piece, open);
    }
    const extentIndex = Math.floor(block / this.#blocksPerExtent);
    if (open.extents[extentIndex] === null) open.extents[extentIndex] = this.#newExtent(piece, extentIndex);
  }

  /** Where a block's bytes go, or null when nothing waits for it (never reserved, or already with the disk). */
  tryTarget(piece: number, block: number): Slab | null {
    const extent = this.#extentOf(piece, block);
    return extent === null || extent.state !== 'filling' ? null : extent.memory.take();
  }

  /** Place of the block in what `tryTarget` gave. */
  targetOffset(block: number): number {
    return (block % this.#blocksPerExtent) * blockBytes;
  }

  /** All bytes of a reserved block are in place, for the first time. A full extent becomes a job. */
  markReceived(piece: number, block: number): void {
    const open = this.#open.get(piece);
    const extent = this.#extentOf(piece, block);
    assert(
      open !== undefined && extent !== null && extent.state === 'filling',
      'a received block was reserved',
    );
    extent.receivedCount++;
    const extentIndex = Math.floor(block / this.#blocksPerExtent);
    if (extent.receivedCount < this.#fetchedCount(piece, extentIndex)) return;
    extent.state = 'full';
    while (open.nextExtent < open.extents.length && this.#isFull(open, open.nextExtent)) {
      this.#store(open, open.nextExtent);
      open.nextExtent++;
    }
  }

  /** Moves the jobs that are ready to `out`. */
  drainJobs(out: StoreJob[]): void {
    for (const job of this.#out) out.push(job);
    this.#out.length = 0;
  }

  /** True when `id` is a store job of this torrent that has not come back. */
  owns(id: number): boolean {
    return this.#jobs.has(id);
  }

  /**
   * A store job came back. Gives the piece's outcome with its last extent, a disk fault (the extent is kept for
   * `retryStores`), or null when more is to come.
   */
  handleStored(id: number, result: DiskResult): PieceOutcome | DiskFault | null {
    const job = this.#jobs.get(id);
    if (job === undefined) return null;
    this.#jobs.delete(id);
    const { piece: open, extentIndex } = job;
    const extent = open.extents[extentIndex]!;
    if (open.isDropped) return this.#finishDropped(open, extent);
    if (!result.ok) {
      extent.state = 'stuck';
      open.needsCheck = open.extents.length > 1;
      this.#stuck.push(job);
      return result.fault;
    }
    const digests = result.digests;
    if (job.isBlocks) return this.#finishBlocks(open, extent, digests);
    const isRefused = open.extents.length === 1 && digests?.matched === false;
    if (isRefused && digests.sha1Blocks === null) {
      open.sha1 = digests.sha1;
      open.roots[0] = digests.root;
      open.leaves[0] = digests.leaves;
      this.#hashBlocks(open, extent);
      return null;
    }
    extent.state = 'gone';
    extent.memory.free();
    open.sha1 = digests?.sha1 ?? open.sha1;
    open.roots[extentIndex] = digests?.root ?? null;
    open.leaves[extentIndex] = digests?.leaves ?? null;
    open.sha1Blocks[extentIndex] = digests?.sha1Blocks ?? null;
    open.storedCount++;
    return this.#tryFinish(open);
  }

  /** Gives the disk again what it could not store. A larger piece's stream of SHA-1 is broken: see `needsCheck`. */
  retryStores(): void {
    const stuck = this.#stuck.splice(0);
    stuck.sort((a, b) => a.extentIndex - b.extentIndex);
    for (const { piece, extentIndex } of stuck) this.#store(piece, extentIndex);
  }

  get hasStuck(): boolean {
    return this.#stuck.length > 0;
  }

  /**
   * open -> gone: nobody works on the piece any more. What is with the disk is freed when it comes back; should the
   * piece have been begun anew by then, it is read back before it is believed, and only when those writes are over.
   */
  drop(piece: number): void {
    const open = this.#open.get(piece);
    if (open === undefined) return;
    open.isDropped = true;
    this.#open.delete(piece);
    this.#freeUnstored(open);
    this.#countLateWrites(open);
    for (let at = this.#stuck.length - 1; at >= 0; at--)
      if (this.#stuck[at]!.piece === open) this.#stuck.splice(at, 1);
  }

  /** The torrent stops: gives all memory back, what the disk has as soon as it comes back. */
  close(): void {
    for (const { id } of this.#out.splice(0)) {
      const { piece, extentIndex } = this.#jobs.get(id)!;
      this.#jobs.delete(id);
      // It was not given to the disk after all.
      piece.extents[extentIndex]!.state = 'full';
      this.#freeUnstored(piece);
    }
    for (const piece of [...this.#open.keys()]) this.drop(piece);
  }

  #freeUnstored(open: OpenPiece): void {
    for (const extent of open.extents) {
      if (extent === null || extent.state === 'storing' || extent.state === 'gone') continue;
      extent.memory.free();
      extent.state = 'gone';
    }
  }

  /** Pieces of one extent are written only when they are right: those writes do no harm. */
  #countLateWrites(open: OpenPiece): void {
    if (open.extents.length === 1) return;
    const count = open.extents.filter((extent) => extent?.state === 'storing').length;
    if (count > 0) this.#lateWrites.set(open.piece, count + (this.#lateWrites.get(open.piece) ?? 0));
  }

  /** A job of a piece that was dropped meanwhile. Gives the outcome of its new self when that waited for it. */
  #finishDropped(open: OpenPiece, extent: Extent): PieceOutcome | null {
    extent.state = 'gone';
    extent.memory.free();
    const { piece } = open;
    const left = (this.#lateWrites.get(piece) ?? 0) - 1;
    if (left > 0) this.#lateWrites.set(piece, left);
    else this.#lateWrites.delete(piece);
    const anew = this.#open.get(piece);
    if (anew === undefined || open.extents.length === 1) return null;
    anew.needsCheck = true;
    return this.#tryFinish(anew);
  }

  #tryFinish(open: OpenPiece): PieceOutcome | null {
    if (open.storedCount < open.extents.length || this.#lateWrites.has(open.piece)) return null;
    this.#open.delete(open.piece);
    return this.#outcomeOf(open);
  }

  #extentOf(piece: number, block: number): Extent | null {
    return this.#open.get(piece)?.extents[Math.floor(block / this.#blocksPerExtent)] ?? null;
  }

  #extentBytes(piece: number, extentIndex: number): number {
    const start = extentIndex * this.#blocksPerExtent * blockBytes;
    return Math.min(this.#blocksPerExtent * blockBytes, this.#layout.bytesOf(piece) - start);
  }

  /** Blocks of the extent that are fetched; the rest is padding. */
  #fetchedCount(piece: number, extentIndex: number): number {
    const before = extentIndex * this.#blocksPerExtent;
    return Math.max(0, Math.min(this.#blocksPerExtent, this.#layout.fetchedBlockCountOf(piece) - before));
  }

  #newExtent(piece: number, extentIndex: number): Extent {
    const memory = this.#memory.reserve(this.#extentBytes(piece, extentIndex));
    return { memory, receivedCount: 0, state: 'filling', jobId: -1 };
  }

  /** An extent that is all padding is full as soon as its turn comes. */
  #isFull(open: OpenPiece, extentIndex: number): boolean {
    if (this.#fetchedCount(open.piece, extentIndex) === 0) {
      open.extents[extentIndex] ??= this.#newExtent(open.piece, extentIndex);
      return true;
    }
    return open.extents[extentIndex]?.state === 'full';
  }

  #store(open: OpenPiece, extentIndex: number): void {
    const extent = open.extents[extentIndex]!;
    const { piece } = open;
    const pieceOffset = extentIndex * this.#blocksPerExtent * blockBytes;
    const isOnly = open.extents.length === 1;
    const sha1 = this.#expectation.sha1Of(piece);
    // A magnet's piece layers may arrive while the piece is on its way: what was not hashed is not asked for.
    if (extentIndex === 0) open.root = this.#expectation.rootOf(piece);
    const { root } = open;
    const part = extentIndex === 0 ? 'first' : extentIndex === open.extents.length - 1 ? 'last' : 'middle';
    // The end of a large piece may be one extent, but its tree is that of the whole piece.
    const wholeLeafCount = this.#layout.leafCountOf(piece);
    const leafCount = isOnly ? wholeLeafCount : Math.min(wholeLeafCount, this.#blocksPerExtent);
    const bytes = this.#extentBytes(piece, extentIndex);
    const dataBytes = Math.max(0, Math.min(bytes, this.#layout.dataBytesOf(piece) - pieceOffset));
    // Padding is zeros whatever a peer sent of it: a v1 hash covers it and a v2 hash does not, so that one who lies
    // there would make a good hybrid look as if it contradicted itself.
    const slab = extent.memory.take();
    if (dataBytes < bytes) slab.bytes.fill(0, dataBytes, bytes);
    const id = this.#nextJobId();
    extent.state = 'storing';
    extent.jobId = id;
    this.#jobs.set(id, { piece: open, extentIndex, isBlocks: false });
    this.#out.push({
      kind: 'store',
      id,
      piece,
      pieceOffset,
      slab,
      bytes,
      digest: {
        sha1: sha1 !== null && !open.needsCheck,
        sha1Blocks: this.#expectation.isWatched(piece),
        merkle: root === null ? null : { leafCount, bytes: dataBytes },
        stream: isOnly || sha1 === null || open.needsCheck ? null : { key: open.streamKey, part },
        expect: isOnly ? { sha1, root } : null,
      },
    });
  }

  /** The piece of one extent did not match, nothing was written: which block is from whom must still be told. */
  #hashBlocks(open: OpenPiece, extent: Extent): void {
    const id = this.#nextJobId();
    this.#jobs.set(id, { piece: open, extentIndex: 0, isBlocks: true });
    this.#out.push({
      kind: 'hash',
      id,
      piece: open.piece,
      pieceOffset: 0,
      slab: extent.memory.take(),
      bytes: this.#extentBytes(open.piece, 0),
      digest: { sha1: false, sha1Blocks: true, merkle: null, stream: null, expect: null },
    });
  }

  #finishBlocks(open: OpenPiece, extent: Extent, digests: DiskDigests | null): PieceOutcome {
    extent.state = 'gone';
    extent.memory.free();
    open.sha1Blocks[0] = digests?.sha1Blocks ?? null;
    this.#open.delete(open.piece);
    return this.#outcomeOf(open);
  }

  #outcomeOf(open: OpenPiece): PieceOutcome {
    const { piece } = open;
    const sha1 = this.#expectation.sha1Of(piece);
    const { root } = open;
    const sha1Matches = sha1 === null || (open.sha1 !== null && bytesEqual(open.sha1, sha1));
    const rootMatches = root === null || bytesEqual(this.#rootOf(open), root);
    return {
      piece,
      needsCheck: open.needsCheck,
      matched: sha1Matches && rootMatches,
      inconsistent: sha1 !== null && root !== null && sha1Matches !== rootMatches,
      sha1Blocks: joined(open.sha1Blocks),
      leaves: joined(open.leaves),
    };
  }

  #rootOf(open: OpenPiece): Uint8Array {
    const leafCount = this.#layout.leafCountOf(open.piece);
    // A hybrid's piece may go on with extents of padding where its file's tree has ended.
    const subtreeCount = Math.ceil(leafCount / this.#blocksPerExtent);
    const roots = open.roots.slice(0, subtreeCount).map((root) => root ?? new Uint8Array(32));
    if (roots.length === 1) return roots[0]!;
    return rootOfSubtrees(roots, this.#blocksPerExtent, leafCount, this.#hashes);
  }
}

function newOpenPiece(piece: number, extentCount: number, streamKey: number): OpenPiece {
  const empty = (): null[] => new Array<null>(extentCount).fill(null);
  return {
    piece,
    streamKey,
    root: null,
    extents: empty(),
    nextExtent: 0,
    storedCount: 0,
    sha1: null,
    needsCheck: false,
    isDropped: false,
    roots: empty(),
    leaves: empty(),
    sha1Blocks: empty(),
  };
}

/** One byte string of all parts; null when a part is missing. */
function joined(parts: readonly (Uint8Array | null)[]): Uint8Array | null {
  if (parts.length === 1) return parts[0] ?? null;
  const whole = parts.filter((part) => part !== null);
  return whole.length === parts.length ? concatBytes(whole) : null;
}
