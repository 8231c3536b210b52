/**
 * The blocks of this node: packed one behind the other in a few large files, found through an index on disk.
 *
 *   put ─> known? renew : check room ─> segment file ─> index ─> resolved (the system has the bytes)
 *   get ─> index ─> segment file, or the user's own file ─> hash ─> bytes
 *
 * DESIGN.md has the order of writes, and what each kind of crash leaves. One process has the folder at a time.
 */
import {
  assert,
  type Clock,
  type Database,
  type DiskPort,
  type FilesPort,
  type Hashes,
  type Log,
  NodeError,
} from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { BlockHolds } from '../core/block-holds.ts';
import { checkOf, cidOfKey, inlineBytes, isPayloadOf, keyOf, textOfKey } from '../core/block-key.ts';
import { blockLimits } from '../limits.ts';
import { decodeRecordHead, recordBytesOf } from '../wire/block-record.ts';
import { BlockFiles } from './block-files.ts';
import { BlockIndex, type BlockRow } from './block-index.ts';
import { recoverBlocks } from './block-recovery.ts';
import { type Appended, BlockSegments } from './block-segments.ts';
import type { Block, BlockInFile, BlockReader, BlockWriter } from './blocks.ts';
import { fileGone } from './ipfs-errors.ts';

export type BlockStoreOptions = {
  /** Absolute; made when it is missing. */
  readonly folder: string;
  /** The files may not grow beyond; null: as far as the disk has room. */
  readonly quotaBytes: number | null;
  /** Changes when the machine starts anew; null: not known. */
  readonly bootId: string | null;
  /** A file is closed before it grows beyond; by default 256 MiB, which is also the most. */
  readonly segmentBytes?: number;
};

export type BlockStorePorts = {
  readonly disk: DiskPort;
  readonly files: Pick<FilesPort, 'walk'>;
  /** Of this store alone. */
  readonly database: Database;
  readonly hashes: Hashes;
  readonly clock: Clock;
  readonly log: Log;
};

export type BlockStoreState = {
  readonly blockCount: number;
  /** Of the blocks themselves. */
  readonly blockBytes: number;
  /** Of the store's files. */
  readonly diskBytes: number;
  readonly quotaBytes: number | null;
  readonly segmentCount: number;
};

/** See the top of the file. `index`, `segments` and `holds` are for this package's own parts. */
export class BlockStore implements BlockReader, BlockWriter {
  readonly index: BlockIndex;
  readonly segments: BlockSegments;
  readonly holds = new BlockHolds();
  readonly #options: BlockStoreOptions;
  readonly #ports: BlockStorePorts;
  readonly #files: BlockFiles;
  /** Blocks that are being written, by key. */
  readonly #writing = new Map<string, Promise<void>>();
  #closed = false;

  private constructor(options: BlockStoreOptions, ports: BlockStorePorts) {
    this.#options = options;
    this.#ports = ports;
    this.index = new BlockIndex(ports.database);
    this.segments = new BlockSegments(
      segmentFolderOf(options),
      ports.disk,
      this.index,
      Math.min(options.segmentBytes ?? blockLimits.segmentBytesMax, blockLimits.segmentBytesMax),
    );
    this.#files = new BlockFiles(this.index, this.segments, ports);
  }

  /** Opens or makes the store. @throws NodeError `IPFS_STORE_NEWER`, DISK_*, DATABASE_* */
  static async open(options: BlockStoreOptions, ports: BlockStorePorts): Promise<BlockStore> {
    const store = new BlockStore(options, ports);
    const { index, segments } = store;
    const { files, hashes, log } = ports;
    const { bootId } = options;
    await recoverBlocks({ files, hashes, log, index, segments, bootId, folder: segmentFolderOf(options) });
    segments.useLast();
    return store;
  }

  /**
   * See {@link BlockReader}. @throws NodeError `IPFS_BLOCK_CORRUPT`: it is dropped, and may be put again;
   * `IPFS_FILE_GONE`, DISK_*
   */
  async get(cid: CID): Promise<Uint8Array | null> {
    const inline = inlineBytes(cid);
    if (inline !== null) return inline.slice();
    const key = keyOf(cid);
    let row = this.index.find(key);
    while (row !== null) {
      const payload = await this.#read(key, row);
      if (payload !== null) return payload;
      const now = this.index.find(key);
      // A collection has moved or removed it meanwhile.
      if (now?.place !== row.place || now.at !== row.at) row = now;
      else if (await this.#isGone(row)) throw fileGone(cid, this.#files.pathOf(-row.place));
      else throw await this.#dropCorrupt(cid, key, row);
    }
    return null;
  }

  async has(cid: CID): Promise<boolean> {
    return (await this.bytesOf(cid)) !== null;
  }

  /** Grows when blocks leave the store, or are from now on read out of a file of the user. */
  get lossCount(): number {
    return this.index.lossCount;
  }

  /** Whether the block lies in the store's own files, or is nothing but its CID. */
  keeps(cid: CID): boolean {
    return inlineBytes(cid) !== null || (this.index.find(keyOf(cid))?.place ?? 0) > 0;
  }

  /** How long the block is; null: it is not here. */
  async bytesOf(cid: CID): Promise<number | null> {
    const inline = inlineBytes(cid);
    if (inline !== null) return inline.length;
    const row = this.index.find(keyOf(cid));
    return row === null || !(await this.#isThere(row)) ? null : row.bytes;
  }

  /** See {@link BlockWriter}. @throws NodeError `IPFS_BLOCK_TOO_LONG`, `IPFS_STORE_FULL`, DISK_*, DATABASE_* */
  async put(blocks: readonly Block[]): Promise<void> {
    assert(!this.#closed, 'nothing is put into a closed store');
    const news = new Map<string, Appended>();
    const others: Promise<void>[] = [];
    const renewed: Uint8Array[] = [];
    const inFiles: (BlockRow & { readonly block: Appended })[] = [];
    for (const { cid, bytes } of blocks) {
      if (inlineBytes(cid) !== null) continue;
      const key = keyOf(cid);
      checkLength(cid, key, bytes);
      const text = textOfKey(key);
      const writing = this.#writing.get(text);
      if (writing !== undefined) others.push(writing);
      if (writing !== undefined || news.has(text)) continue;
      const block: Appended = {
        key: key.slice(),
        payload: bytes,
        check: checkOf(key, bytes, this.#ports.hashes),
        from: null,
      };
      const row = this.index.find(key);
      if (row === null) news.set(text, block);
      else if (row.place < 0) inFiles.push({ ...row, block });
      else if (row.number < this.holds.renewBelow) renewed.push(key);
    }
    // Before anything is waited for: a sweep must not come between the look and the new number.
    if (renewed.length > 0) this.index.renew(renewed);
    for (const { block, ...row } of inFiles) {
      if ((await this.#isThere(row)) && this.#tryRenew(block.key)) continue;
      news.set(textOfKey(block.key), block);
    }
    if (news.size > 0) others.push(this.#write([...news.values()], news));
    await Promise.all(others);
  }

  /** Keeps what it holds from collections; see core/block-holds.ts. */
  hold(): ReturnType<BlockHolds['open']> {
    return this.holds.open(this.index.nextNumber);
  }

  /**
   * Offers blocks out of a file of the user, which is left where it is and stays theirs. Whoever calls has read the
   * bytes and made the CIDs of them. Blocks that are in a segment stay there, unless the file has them `instead`: then
   * the segment's copy goes with the next collection. The file's bytes must be on the device by then.
   * @param path absolute @throws NodeError `DISK_MISSING`, `IPFS_BLOCK_TOO_LONG`
   */
  async putInFile(
    path: string,
    blocks: readonly BlockInFile[],
    options: { readonly instead?: boolean } = {},
  ): Promise<void> {
    await this.#files.add(path, blocks, options.instead === true);
  }

  /** The file in which blocks lie in place is somewhere else now, as it was. Without such blocks nothing happens. */
  async moveFile(from: string, to: string): Promise<void> {
    await this.#files.move(from, to);
  }

  /** Takes blocks out, whatever still links to them. @returns those that were here */
  remove(cids: readonly CID[]): readonly CID[] {
    return cids.filter((cid) => this.index.remove([keyOf(cid)], () => true).count > 0);
  }

  /** All blocks in the order of their keys, as CIDv1 of raw bytes. What comes or goes meanwhile may be missed. */
  async *list(): AsyncGenerator<CID> {
    let after: Uint8Array | null = null;
    for (;;) {
      const page = this.index.page(after, blockLimits.stepCount);
      if (page.length === 0) return;
      for (const { key } of page) yield cidOfKey(key);
      after = page.at(-1)!.key;
      await this.rest();
    }
  }

  state(): BlockStoreState {
    const { count, bytes } = this.index.count();
    return {
      blockCount: count,
      blockBytes: bytes,
      diskBytes: this.segments.diskBytes,
      quotaBytes: this.#options.quotaBytes,
      segmentCount: this.index.segments.size,
    };
  }

  /** Whether a block's record is as it should be. */
  isSound(key: Uint8Array, payload: Uint8Array, check: number | null): boolean {
    return isPayloadOf(key, payload, check, this.#ports.hashes);
  }

  /** Lets others have their turn. */
  rest(): Promise<void> {
    return new Promise((resolve) => void this.#ports.clock.setTimer(0, resolve));
  }

  /** All that is put until now outlives a power failure when this resolves. @throws NodeError DISK_*, DATABASE_* */
  async sync(): Promise<void> {
    await this.segments.settled();
    await this.segments.sync();
    this.index.durably(() => undefined);
  }

  /** What was put is on the device. The database and the disk belong to whoever made them. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.sync();
    this.index.setState('closed', 'yes');
  }

  /** @returns false when the block has gone */
  #tryRenew(key: Uint8Array): boolean {
    const row = this.index.find(key);
    if (row !== null && row.number < this.holds.renewBelow) this.index.renew([key]);
    return row !== null;
  }

  async #write(news: readonly Appended[], texts: ReadonlyMap<string, Appended>): Promise<void> {
    this.#checkRoom(news);
    const done = this.segments.append(news);
    for (const text of texts.keys()) this.#writing.set(text, done);
    try {
      await done;
    } finally {
      for (const text of texts.keys()) this.#writing.delete(text);
    }
  }

  #checkRoom(news: readonly Appended[]): void {
    const { quotaBytes } = this.#options;
    if (quotaBytes === null) return;
    let bytes = this.segments.diskBytes;
    for (const { key, payload } of news) bytes += recordBytesOf(key.length, payload.length);
    if (bytes <= quotaBytes) return;
    throw new NodeError(
      'IPFS_STORE_FULL',
      `The block store may hold ${quotaBytes} bytes, which is not enough: ` +
        'remove pins and collect garbage, or allow more.',
      { op: 'put', data: { quotaBytes, neededBytes: bytes } },
    );
  }

  async #isThere(row: BlockRow): Promise<boolean> {
    return row.place > 0 || (await this.#files.isUnchanged(-row.place));
  }

  async #isGone(row: BlockRow): Promise<boolean> {
    return row.place < 0 && (await this.#files.isGone(-row.place));
  }

  /** The block as it lies there; null: something else does. */
  async #read(key: Uint8Array, row: BlockRow): Promise<Uint8Array | null> {
    if (row.place < 0) return this.#files.read(key, row);
    const recordBytes = recordBytesOf(key.length, row.bytes);
    const payloadAt = recordBytes - row.bytes;
    const file = this.segments.fileOf(row.place);
    const record = await this.segments.read(file, row.at, recordBytes, payloadAt);
    const head = record === null ? null : decodeRecordHead(record.bytes, 0);
    if (record === null || head === null || head.payloadAt !== payloadAt || head.bytes !== row.bytes)
      return null;
    const payload = record.bytes.subarray(payloadAt);
    return isPayloadOf(key, payload, head.check, this.#ports.hashes, record.sha256) ? payload : null;
  }

  async #dropCorrupt(cid: CID, key: Uint8Array, row: BlockRow): Promise<NodeError> {
    this.index.remove([key], (now) => now.place === row.place && now.at === row.at);
    const where = row.place > 0 ? `segment ${row.place}` : `"${this.#files.pathOf(-row.place)}"`;
    this.#ports.log.warn('ipfs.block.corrupt', { cid: cid.toString(), where, at: row.at });
    return new NodeError(
      'IPFS_BLOCK_CORRUPT',
      `What ${where} holds as block ${cid} is something else. ` +
        'It is forgotten, so that it can be fetched or added again.',
      { op: 'read', retry: true, data: { cid: cid.toString(), where, at: row.at } },
    );
  }
}

function segmentFolderOf({ folder }: BlockStoreOptions): string {
  return `${folder}/segments`;
}

function checkLength(cid: CID, key: Uint8Array, bytes: Uint8Array): void {
  if (bytes.length <= blockLimits.blockBytesMax && key.length <= blockLimits.keyBytesMax) return;
  throw new NodeError(
    'IPFS_BLOCK_TOO_LONG',
    `Block ${cid} has ${bytes.length} bytes, and ${blockLimits.blockBytesMax} are the most: split it.`,
    { op: 'put', data: { cid: cid.toString(), bytes: bytes.length } },
  );
}
