/** An assembly over a disk that really hashes, and what each piece was really given. */
import assert from 'node:assert/strict';
import type { DiskFault } from '@tequio/kernel';
import { blockBytes } from '../wire/torrent-info.ts';
import { HashTree } from './hash-tree.ts';
import { LinearDisk, TestSlabs } from './linear-disk.fixture.ts';
import { type MadeTorrent, nodeHashes } from './made-torrent.fixture.ts';
import { PieceAssembly, type PieceOutcome, type StoreJob } from './piece-assembly.ts';
import { PieceLayout } from './piece-layout.ts';
import { PieceMemory } from './piece-memory.ts';

export class AssemblyBench {
  readonly made: MadeTorrent;
  readonly layout: PieceLayout;
  readonly slabs = new TestSlabs();
  readonly memory = new PieceMemory(this.slabs, 64 << 20);
  readonly disk: LinearDisk;
  readonly assembly: PieceAssembly;
  readonly watched = new Set<number>();
  readonly outcomes: PieceOutcome[] = [];
  readonly faults: DiskFault[] = [];
  #nextJobId = 1;

  constructor(made: MadeTorrent) {
    const { info, pieceLayers } = made.metainfo;
    this.made = made;
    this.layout = new PieceLayout(info);
    this.disk = new LinearDisk(info);
    const tree = new HashTree(nodeHashes, info, pieceLayers);
    this.assembly = new PieceAssembly(this.layout, {
      memory: this.memory,
      hashes: nodeHashes,
      expectation: {
        sha1Of: (piece) => info.pieceHashes?.subarray(20 * piece, 20 * piece + 20) ?? null,
        rootOf: (piece) => tree.expectedRootOf(piece),
        isWatched: (piece) => this.watched.has(piece),
      },
      nextJobId: () => this.#nextJobId++,
    });
  }

  /** The block as an honest peer has it. */
  blockOf(piece: number, block: number): Uint8Array {
    const start = piece * this.made.metainfo.info.pieceBytes + block * blockBytes;
    return this.made.content.slice(start, start + this.layout.blockBytesOf(piece, block));
  }

  receive(piece: number, block: number, data = this.blockOf(piece, block)): void {
    this.assembly.reserve(piece, block);
    const target = this.assembly.tryTarget(piece, block);
    assert.ok(target !== null, `block ${block} of piece ${piece} has a place`);
    target.copyFrom(data, 0, data.length, this.assembly.targetOffset(block));
    this.assembly.markReceived(piece, block);
    this.#give();
  }

  receiveAll(piece: number, order: (blocks: number[]) => number[] = (blocks) => blocks): void {
    const blocks = Array.from({ length: this.layout.fetchedBlockCountOf(piece) }, (_, block) => block);
    for (const block of order(blocks)) this.receive(piece, block);
  }

  runJob(index = 0): PieceOutcome | null {
    const { id, result } = this.disk.run(index);
    assert.ok(this.assembly.owns(id));
    const outcome = this.assembly.handleStored(id, result);
    this.#give();
    if (outcome === null) return null;
    if ('code' in outcome) {
      this.faults.push(outcome);
      return null;
    }
    this.outcomes.push(outcome);
    return outcome;
  }

  runAll(): void {
    while (this.disk.waiting.length > 0) this.runJob();
  }

  retry(): void {
    this.assembly.retryStores();
    this.#give();
  }

  /** What the disk has of a piece, and what it should have. */
  isStored(piece: number): boolean {
    const start = piece * this.made.metainfo.info.pieceBytes;
    const end = start + this.layout.bytesOf(piece);
    return Buffer.compare(this.disk.bytes.subarray(start, end), this.made.content.subarray(start, end)) === 0;
  }

  assertBalanced(): void {
    assert.equal(this.memory.usedBytes, 0, 'all memory is given back');
    assert.equal(this.slabs.live.size, 0, 'all slabs are freed');
  }

  #give(): void {
    const jobs: StoreJob[] = [];
    this.assembly.drainJobs(jobs);
    for (const job of jobs) this.disk.give({ type: 'store', ...job });
  }
}
