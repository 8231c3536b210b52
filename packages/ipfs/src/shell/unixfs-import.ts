/**
 * Content in, blocks out: a file is cut, hashed and stored while it is read.
 *
 *   source ─ fill ─> slab ─ cut ─> ranges ─ hash (threads) ─> digests ─> store.put ─> layout, in order
 *
 * Several slabs are under way at once, and no more: memory is bounded whatever the file's size. What a slab has after
 * its last whole chunk is carried over to the next one.
 */
import { type DiskPort, type FileRef, type Hashes, NodeError, type Slab } from '@tequio/kernel';
import { BlockMaker, type DagRoot } from '../core/block-maker.ts';
import { BalancedLayout, type FileLayout, makeSmallFile, TrickleLayout } from '../core/file-layout.ts';
import type { ImportProfile } from '../core/profile.ts';
import { leafFrame, noMetadata, type UnixfsMetadata } from '../wire/unixfs.ts';
import { BlockBatch } from './block-batch.ts';
import type { Block, BlockInFile, BlockWriter } from './blocks.ts';
import { bytesSource, type ContentSource, fileSource, streamSource } from './content-source.ts';
import { diskLeafHasher, inlineLeafHasher, type LeafHasher } from './leaf-hasher.ts';

/** Content that is under way at once in one slab; chunks of other sizes fill it as well as they can. */
const slabBytes = 4 << 20;
/** A file of one chunk up to this size is hashed here: asking a thread takes longer. */
const smallBytes = 1 << 17;

export type ImportDeps = {
  readonly hashes: Hashes;
  readonly blocks: BlockWriter;
  /** Hashes large content; absent: this thread. */
  readonly leafHasher?: LeafHasher;
  /** Small blocks wait here, and whoever gave it flushes it; absent: all is in the store when the import is done. */
  readonly batch?: BlockBatch;
  /** Given: content of the disk's files stays where it is, and is offered from there; leaves must then be raw. */
  readonly inPlace?: InPlaceWriter;
};

/** Who remembers where in a user's file a block lies; see `BlockStore.putInFile`. */
export type InPlaceWriter = { putInFile(path: string, blocks: readonly BlockInFile[]): Promise<void> };

export type FileImportOptions = {
  readonly metadata?: UnixfsMetadata;
  /** Leaves that are in the store, and come before the content. */
  readonly leaves?: readonly DagRoot[];
  /** Of a file of the disk, where somebody has just looked. */
  readonly fileBytes?: number;
  /** Told after each part of the content is stored. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
};

/** Adds `content` as a file. @throws NodeError of the store */
export function importBytes(
  deps: ImportDeps,
  profile: ImportProfile,
  content: Uint8Array,
  options: FileImportOptions = {},
): Promise<DagRoot> {
  return importContent(deps, profile, bytesSource(content), options);
}

/** Adds a stream as a file, in bounded memory. @throws NodeError of the store, and as the stream does */
export function importStream(
  deps: ImportDeps,
  profile: ImportProfile,
  parts: AsyncIterable<Uint8Array>,
  options: FileImportOptions = {},
): Promise<DagRoot> {
  return importContent(deps, profile, streamSource(parts), options);
}

/** Adds a file of the disk, hashed on the disk's threads. @throws NodeError `FILE_*`, and of the store */
export async function importFile(
  deps: ImportDeps & { readonly disk: DiskPort },
  profile: ImportProfile,
  ref: FileRef,
  options: FileImportOptions = {},
): Promise<DagRoot> {
  const source = await fileSource(deps.disk, ref, options.fileBytes ?? null);
  try {
    // The disk's threads read only into memory that is theirs too.
    const importDeps = { ...deps, leafHasher: diskLeafHasher(deps.disk) };
    const path = deps.inPlace === undefined ? null : `${ref.root === '/' ? '' : ref.root}/${ref.path}`;
    return await new FileImport(importDeps, profile, source, options, path).run();
  } finally {
    await source.close();
  }
}

/** Adds what a source has as a file. @throws NodeError of the store or the source */
export function importContent(
  deps: ImportDeps,
  profile: ImportProfile,
  source: ContentSource,
  options: FileImportOptions = {},
): Promise<DagRoot> {
  return new FileImport(deps, profile, source, options, null).run();
}

class FileImport {
  readonly #deps: ImportDeps;
  readonly #profile: ImportProfile;
  readonly #source: ContentSource;
  readonly #metadata: UnixfsMetadata;
  readonly #options: FileImportOptions;
  readonly #hasher: LeafHasher;
  readonly #batch: BlockBatch;
  readonly #maker: BlockMaker;
  readonly #layout: FileLayout;
  readonly #hasLeaves: boolean;
  /** A root with a mode or a time must be a block that can hold them. */
  readonly #rawLeaves: boolean;
  readonly #slabBytes: number;
  /** The file in which the leaves stay; null: the store gets them. */
  readonly #path: string | null;
  /** Content that was sent to be hashed. */
  #sentBytes = 0;
  /** Settles when all slabs before are stored and laid out. */
  #tail: Promise<void> = Promise.resolve();
  readonly #underWay = new Set<Promise<void>>();

  constructor(
    deps: ImportDeps,
    profile: ImportProfile,
    source: ContentSource,
    options: FileImportOptions,
    path: string | null,
  ) {
    this.#deps = deps;
    this.#path = path;
    this.#profile = profile;
    this.#source = source;
    this.#options = options;
    this.#metadata = options.metadata ?? noMetadata;
    this.#hasher = deps.leafHasher ?? inlineLeafHasher(deps.hashes);
    this.#batch = deps.batch ?? new BlockBatch(deps.blocks);
    this.#maker = new BlockMaker(
      deps.hashes,
      profile.cidVersion,
      (block) => this.#batch.add(block),
      profile.hashCode,
    );
    const Layout = profile.layout === 'trickle' ? TrickleLayout : BalancedLayout;
    this.#layout = new Layout(this.#maker, profile.fileLinkCountMax);
    for (const leaf of options.leaves ?? []) this.#layout.addLeaf(leaf);
    this.#hasLeaves = (options.leaves ?? []).length > 0;
    this.#rawLeaves = profile.rawLeaves && !hasMetadata(this.#metadata);
    this.#slabBytes = slabBytesFor(profile, source.bytes);
    if (path !== null && !this.#rawLeaves) throw notInPlace(path);
  }

  async run(): Promise<DagRoot> {
    try {
      const root = await this.#readAll();
      if (this.#deps.batch === undefined) await this.#batch.flush();
      else await this.#batch.flushIfFull();
      return root;
    } finally {
      await Promise.allSettled(this.#underWay);
    }
  }

  async #readAll(): Promise<DagRoot> {
    let slab = this.#hasher.allocate(this.#slabBytes);
    let carried = 0;
    for (let isFirst = true; ; isFirst = false) {
      this.#options.signal?.throwIfAborted();
      const filled = await this.#source.fill(slab, carried, this.#slabBytes);
      const isLast = filled < this.#slabBytes;
      const ranges = this.#cut(slab, filled, isLast);
      if (isFirst && isLast && this.#isOneBlock(ranges)) return this.#addOneBlock(slab, filled);
      const used = ranges.at(-1) ?? 0;
      const next = isLast ? null : this.#hasher.allocate(this.#slabBytes);
      next?.copyFrom(slab.bytes, used, filled, 0);
      await this.#send(slab, ranges);
      if (next === null) break;
      slab = next;
      carried = filled - used;
    }
    await this.#tail;
    return this.#layout.finish(this.#metadata);
  }

  /** Nothing to lay out: no content, or one leaf that is small or must hold the file's mode or time itself. */
  #isOneBlock(ranges: readonly number[]): boolean {
    if (this.#profile.layout === 'trickle' || ranges.length > 2 || this.#hasLeaves) return false;
    return (ranges[1] ?? 0) <= smallBytes || hasMetadata(this.#metadata);
  }

  async #addOneBlock(slab: Slab, filled: number): Promise<DagRoot> {
    const content = slab.bytes.slice(0, filled);
    this.#hasher.free(slab);
    this.#options.onProgress?.(filled);
    if (this.#path !== null) {
      const cid = this.#maker.rawCid(this.#maker.digestOf(content));
      await this.#keep([{ cid, bytes: content }], 0);
      return { cid, fileBytes: filled, dagBytes: filled };
    }
    return this.#rawLeaves
      ? this.#maker.addRaw(content)
      : makeSmallFile(this.#maker, content, this.#metadata);
  }

  /** First byte and end of each whole chunk; of all chunks, when the content ends here. */
  #cut({ bytes }: Slab, filled: number, isLast: boolean): number[] {
    const { chunker } = this.#profile;
    const ranges: number[] = [];
    let at = 0;
    while (at < filled && (isLast || filled - at >= chunker.chunkBytesMax)) {
      const end = chunker.cut(bytes, at, filled);
      ranges.push(at, end);
      at = end;
    }
    return ranges;
  }

  /** Waits only while too many slabs are under way. */
  async #send(slab: Slab, ranges: readonly number[]): Promise<void> {
    const before = this.#tail;
    const offset = this.#sentBytes;
    this.#sentBytes += ranges.at(-1) ?? 0;
    const work = this.#work(slab, ranges, offset, before).finally(() => this.#underWay.delete(work));
    this.#tail = work;
    // Who waits for the tail gets its error; here it only must not be thrown twice.
    work.catch(() => undefined);
    this.#underWay.add(work);
    if (this.#underWay.size > this.#hasher.slabCount) await Promise.race(this.#underWay);
  }

  /** @param offset of the slab's first byte in the content */
  async #work(slab: Slab, ranges: readonly number[], offset: number, before: Promise<void>): Promise<void> {
    const framed = this.#rawLeaves ? { slab, ranges } : this.#frame(slab, ranges);
    try {
      const digests = this.#maker.isSha256 ? await this.#hasher.hash(framed.slab, framed.ranges) : null;
      const blocks = this.#blocksOf(framed.slab, framed.ranges, digests);
      await this.#keep(blocks, offset);
      await before;
      blocks.forEach(({ cid, bytes }, index) => {
        const fileBytes = ranges[2 * index + 1]! - ranges[2 * index]!;
        this.#layout.addLeaf({ cid, fileBytes, dagBytes: bytes.length });
      });
      await this.#batch.flushIfFull();
      this.#options.onProgress?.((ranges.at(-1) ?? 0) - (ranges[0] ?? 0));
    } finally {
      this.#hasher.free(framed.slab);
    }
  }

  /** @param offset of the first block in the content; the others follow it */
  async #keep(blocks: readonly Block[], offset: number): Promise<void> {
    if (this.#path === null) return this.#deps.blocks.put(blocks);
    let at = offset;
    const places = blocks.map(({ cid, bytes }) => {
      at += bytes.length;
      return { cid, offset: at - bytes.length, bytes: bytes.length };
    });
    return this.#deps.inPlace?.putInFile(this.#path, places);
  }

  #blocksOf({ bytes }: Slab, ranges: readonly number[], digests: Uint8Array | null): Block[] {
    const blocks: Block[] = [];
    for (let i = 0; i < ranges.length; i += 2) {
      const block = bytes.subarray(ranges[i]!, ranges[i + 1]!);
      const digest = digests?.slice(16 * i, 16 * i + 32) ?? this.#maker.digestOf(block);
      const cid = this.#rawLeaves ? this.#maker.rawCid(digest) : this.#maker.nodeCid(digest);
      blocks.push({ cid, bytes: block });
    }
    return blocks;
  }

  /** The same chunks as blocks of dag-pb, in a slab of their own. */
  #frame(slab: Slab, ranges: readonly number[]): { slab: Slab; ranges: number[] } {
    const kind = this.#profile.layout === 'trickle' ? 'raw' : 'file';
    const framed = this.#hasher.allocate(this.#slabBytes + (ranges.length / 2) * frameBytesMax + 1);
    const framedRanges: number[] = [];
    let at = 0;
    for (let i = 0; i < ranges.length; i += 2) {
      const [from, to] = [ranges[i]!, ranges[i + 1]!];
      const { head, tail } = leafFrame(kind, to - from);
      framed.copyFrom(head, 0, head.length, at);
      framed.copyFrom(slab.bytes, from, to, at + head.length);
      framed.copyFrom(tail, 0, tail.length, at + head.length + to - from);
      const end = at + head.length + to - from + tail.length;
      framedRanges.push(at, end);
      at = end;
    }
    this.#hasher.free(slab);
    return { slab: framed, ranges: framedRanges };
  }
}

/** Whole chunks, so that nothing is carried over when their size is fixed; and no more than the content fills. */
function slabBytesFor({ chunker }: ImportProfile, contentBytes: number | null): number {
  const chunkBytes = chunker.chunkBytesMax;
  const countMin = chunker.fixedBytes === null ? 2 : 1;
  const bytes = chunkBytes * Math.max(countMin, Math.floor(slabBytes / chunkBytes));
  // One byte more than the content: that it stays empty shows the end.
  return contentBytes === null ? bytes : Math.min(bytes, contentBytes + 1);
}

/** Around a chunk of 2 MiB: tags, and lengths of four bytes. */
const frameBytesMax = 24;

function notInPlace(path: string): NodeError {
  return new NodeError(
    'IPFS_NOT_IN_PLACE',
    `"${path}" can be offered where it lies only as raw leaves, without its mode and time.`,
    { op: 'add', data: { path } },
  );
}

function hasMetadata({ mode, modified }: UnixfsMetadata): boolean {
  return mode !== null || modified !== null;
}
