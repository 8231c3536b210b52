/**
 * A disk for one torrent's jobs: its linear space as one array, with real hashes. Jobs wait until the test runs them,
 * in any order, and may be made to fail.
 */
import { createHash, type Hash } from 'node:crypto';
import {
  assert,
  bytesEqual,
  type DigestRequest,
  type DiskDigests,
  type DiskFaultCode,
  type DiskResult,
  PlainSlab,
  type Slab,
} from '@tequio/kernel';
import { blockBytes, type TorrentInfo } from '../wire/torrent-info.ts';
import type { ContentJob } from './content.ts';
import { leavesOf, nodeHashes } from './made-torrent.fixture.ts';
import { merkleRoot } from './merkle.ts';

/** Slabs whose freeing is checked: twice, or use afterwards, is found at once. */
export class TestSlabs {
  readonly live = new Set<Slab>();
  #nextId = 1;

  get liveBytes(): number {
    let bytes = 0;
    for (const slab of this.live) bytes += slab.bytes.length;
    return bytes;
  }

  allocateSlab(bytes: number): Slab {
    // As the port says: the content is arbitrary.
    const slab = new PlainSlab(this.#nextId++, new Uint8Array(bytes).fill(0xa5));
    this.live.add(slab);
    return slab;
  }

  freeSlab(slab: Slab): void {
    assert(this.live.delete(slab), 'a slab is freed once');
    // Whoever still reads it reads something else.
    slab.bytes.fill(0x5a);
  }
}

export class LinearDisk {
  readonly bytes: Uint8Array;
  readonly #info: TorrentInfo;
  readonly #endsWithFiles: boolean;
  /** What every job answers while set. */
  failing: DiskFaultCode | null = null;
  readonly waiting: ContentJob[] = [];
  /** Slab content when the job was given, by job: bytes may not change while the disk has them. */
  readonly #given = new Map<number, Buffer>();
  readonly #streams = new Map<number, Hash>();
  storedBytes = 0;
  loadedBytes = 0;

  constructor(info: TorrentInfo, content: Uint8Array | null = null) {
    this.#info = info;
    this.#endsWithFiles = info.infoHashV1 === null;
    this.bytes = content?.slice() ?? new Uint8Array(info.totalBytes);
  }

  give(job: ContentJob): void {
    this.waiting.push(job);
    if (job.type === 'store') this.#given.set(job.id, Buffer.from(job.slab.bytes.subarray(0, job.bytes)));
  }

  /** Takes a waiting job and does it. */
  run(index = 0): { readonly id: number; readonly result: DiskResult } {
    // Parts of one stream are done in the order in which they were given.
    const wanted = this.waiting[index]!;
    const key = wanted.type === 'store' ? wanted.digest.stream?.key : undefined;
    const at =
      key === undefined
        ? index
        : this.waiting.findIndex((job) => job.type === 'store' && job.digest.stream?.key === key);
    const [job] = this.waiting.splice(at, 1);
    return { id: job!.id, result: this.#do(job!) };
  }

  #do(job: ContentJob): DiskResult {
    if (job.type === 'store') {
      const given = this.#given.get(job.id)!;
      this.#given.delete(job.id);
      const same = Buffer.compare(given, Buffer.from(job.slab.bytes.subarray(0, job.bytes))) === 0;
      assert(same, 'nobody writes into a slab that the disk has');
    }
    if (this.failing !== null) {
      return { ok: false, fault: { code: this.failing, message: `test: ${this.failing}`, file: null } };
    }
    const start = job.piece * this.#info.pieceBytes + (job.type === 'check' ? 0 : job.pieceOffset);
    const onDisk = this.bytes.subarray(start, start + job.bytes);
    assert(onDisk.length === job.bytes || this.#endsWithFiles, 'jobs stay within the torrent');
    if (job.type === 'load') {
      job.slab.bytes.set(onDisk);
      this.loadedBytes += job.bytes;
      return { ok: true, digests: null, written: false };
    }
    if (job.type === 'check') return { ok: true, digests: this.#digest(job.digest, onDisk), written: false };
    const data = job.slab.bytes.subarray(0, job.bytes);
    const digests = this.#digest(job.digest, data);
    const written = job.kind === 'store' && digests.matched;
    if (written) {
      this.bytes.set(data, start);
      this.storedBytes += job.bytes;
    }
    return { ok: true, digests, written };
  }

  #digest(request: DigestRequest, bytes: Uint8Array): DiskDigests {
    const sha1 = this.#sha1(request, bytes);
    const sha1Blocks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += blockBytes) {
      sha1Blocks.push(nodeHashes.sha1(bytes.subarray(at, at + blockBytes)));
    }
    let leaves: Uint8Array | null = null;
    let root: Uint8Array | null = null;
    if (request.merkle !== null) {
      leaves = leavesOf(bytes.subarray(0, request.merkle.bytes ?? bytes.length));
      root = merkleRoot(nodeHashes, leaves, 0, request.merkle.leafCount);
    }
    const { expect } = request;
    const matched = same(expect?.sha1 ?? null, sha1) && same(expect?.root ?? null, root);
    const joined = request.sha1Blocks === true ? new Uint8Array(Buffer.concat(sha1Blocks)) : null;
    return { sha1, sha1Blocks: joined, leaves, root, matched };
  }

  #sha1(request: DigestRequest, bytes: Uint8Array): Uint8Array | null {
    if (!request.sha1) return null;
    if (request.stream === null) return nodeHashes.sha1(bytes);
    const { key, part } = request.stream;
    if (part === 'first') this.#streams.set(key, createHash('sha1'));
    const stream = this.#streams.get(key);
    if (stream === undefined) return null;
    stream.update(bytes);
    if (part !== 'last') return null;
    this.#streams.delete(key);
    return new Uint8Array(stream.digest());
  }
}

function same(expected: Uint8Array | null, found: Uint8Array | null): boolean {
  return expected === null || (found !== null && bytesEqual(expected, found));
}
