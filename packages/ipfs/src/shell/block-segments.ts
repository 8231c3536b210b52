/**
 * The files that blocks lie in: `segments/000001.blocks` and so on, each written from its beginning to its end.
 *
 *   append ─> queue ─ while one batch is being written the next gathers ─> one write ─> one transaction ─> resolved
 *
 * One batch is under way at a time: where it fails, the next is written over what it left, and a segment has no holes.
 */
import {
  assert,
  type DigestRequest,
  type DiskFault,
  type DiskJob,
  type DiskPort,
  type DiskResult,
  type FileId,
  NodeError,
  type Slab,
} from '@tequio/kernel';
import { blockLimits } from '../limits.ts';
import { decodeRecordHead, encodeRecordHead, type RecordHead, recordBytesOf } from '../wire/block-record.ts';
import type { BlockIndex, NewBlock } from './block-index.ts';

export type Appended = {
  readonly key: Uint8Array;
  readonly payload: Uint8Array;
  readonly check: number;
  /** As in {@link NewBlock}. */
  readonly from: NewBlock['from'];
};

type Waiting = {
  left: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

type Queued = Appended & { readonly waiting: Waiting };

/** See the top of the file. */
export class BlockSegments {
  readonly #folder: string;
  readonly #disk: DiskPort;
  readonly #index: BlockIndex;
  readonly #segmentBytes: number;
  readonly #files = new Map<number, FileId>();
  /**
   * Segments that the device has refused to keep, and why. A system says so once: it may drop what it could not write,
   * and a second `fsync` would find nothing to do. What is in them is trusted again once it has been moved elsewhere.
   */
  readonly #lost = new Map<number, unknown>();
  #queue: Queued[] = [];
  #queuedBytes = 0;
  #writing = false;
  #active: number;
  /** A segment is being given to the device while it is written to. */
  #isSyncing = false;
  #idle: (() => void)[] = [];

  /** @param segmentBytes a segment is closed before it grows beyond */
  constructor(folder: string, disk: DiskPort, index: BlockIndex, segmentBytes: number) {
    this.#segmentBytes = segmentBytes;
    this.#folder = folder;
    this.#disk = disk;
    this.#index = index;
    this.#active = Math.max(1, index.lastSegment);
  }

  /** The segment that is written to. */
  get active(): number {
    return this.#active;
  }

  /** Of the files, with what waits to be written. */
  get diskBytes(): number {
    let bytes = this.#queuedBytes;
    for (const segment of this.#index.segments.values()) bytes += segment.bytes;
    return bytes;
  }

  /** Writes and records them. @throws NodeError DISK_*, DATABASE_* */
  append(blocks: readonly Appended[]): Promise<void> {
    if (blocks.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { left: blocks.length, resolve, reject };
      for (const block of blocks) {
        this.#queue.push({ ...block, waiting });
        this.#queuedBytes += recordBytesOf(block.key.length, block.payload.length);
      }
      this.#writeNext();
    });
  }

  /**
   * Bytes of a file, as a copy, with the SHA-256 of those from `hashedFrom` on where it is not null.
   * @returns null: they are not there. @throws NodeError DISK_*
   */
  async read(
    file: FileId,
    at: number,
    bytes: number,
    hashedFrom: number | null,
  ): Promise<{ readonly bytes: Uint8Array; readonly sha256: Uint8Array | null } | null> {
    const slab = this.#disk.allocateSlab(bytes);
    try {
      const result = await this.#load(slab, file, at, bytes, hashedFrom);
      if (result.ok) {
        return {
          bytes: new Uint8Array(slab.bytes.subarray(0, bytes)),
          sha256: result.digests?.sha256 ?? null,
        };
      }
      if (result.fault.code === 'missing') return null;
      throw diskError(result.fault, 'read');
    } finally {
      this.#disk.freeSlab(slab);
    }
  }

  /**
   * Goes through the whole records from `from`, no further than `to`. What `visit` gets is borrowed until what it
   * returns has settled. @returns the end of the last whole record
   */
  async walk(
    id: number,
    from: number,
    to: number,
    visit: (head: RecordHead, payload: Uint8Array, at: number) => void | Promise<void>,
    signal: AbortSignal | null = null,
  ): Promise<number> {
    const slab = this.#disk.allocateSlab(blockLimits.windowBytes);
    try {
      for (let at = from; at < to; ) {
        signal?.throwIfAborted();
        const bytes = Math.min(blockLimits.windowBytes, to - at);
        const result = await this.#load(slab, this.fileOf(id), at, bytes, null);
        if (!result.ok) {
          if (result.fault.code === 'missing') return at;
          throw diskError(result.fault, 'read');
        }
        const used = await visitRecords(slab.bytes.subarray(0, bytes), at, visit);
        if (used === 0) return at;
        at += used;
      }
      return to;
    } finally {
      this.#disk.freeSlab(slab);
    }
  }

  fileOf(id: number): FileId {
    let file = this.#files.get(id);
    if (file === undefined) {
      file = this.#disk.register({ root: this.#folder, path: nameOf(id), isSecret: true });
      this.#files.set(id, file);
    }
    return file;
  }

  /** What is written until now is on the device when this resolves. @throws NodeError DISK_* */
  async sync(): Promise<void> {
    for (const { id } of [...this.#index.segments.values()]) await this.#syncOne(id);
  }

  async #syncOne(id: number): Promise<void> {
    const segment = this.#index.segments.get(id);
    if (segment === undefined || segment.syncedBytes >= segment.bytes) return;
    const fault = this.#lost.get(id);
    if (fault !== undefined) throw fault;
    const { bytes } = segment;
    try {
      await this.#disk.sync(this.fileOf(id));
    } catch (error) {
      this.#lost.set(id, error);
      throw error;
    }
    if (this.#index.segments.has(id)) this.#index.markSynced(id, bytes);
  }

  /** The file goes; no block is recorded in it any more. */
  async remove(id: number): Promise<void> {
    assert(id !== this.#active, 'the segment that is written to stays');
    const file = this.fileOf(id);
    this.#files.delete(id);
    this.#lost.delete(id);
    await this.#disk.remove(file);
    await this.#disk.forget(file);
  }

  /** The index is complete: what is written goes behind the last of what is there. */
  useLast(): void {
    this.#active = Math.max(1, this.#index.lastSegment);
  }

  /** What is written from now on goes to a new segment. */
  startNext(): void {
    if (!this.#writing) this.#active = Math.max(this.#active, this.#index.lastSegment) + 1;
  }

  /** Resolves when nothing waits to be written any more. */
  settled(): Promise<void> {
    if (!this.#writing && this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#idle.push(resolve));
  }

  #load(
    slab: Slab,
    file: FileId,
    offset: number,
    bytes: number,
    hashedFrom: number | null,
  ): Promise<DiskResult> {
    const digest: DigestRequest | null =
      hashedFrom === null || hashedFrom === bytes
        ? null
        : { sha1: false, merkle: null, stream: null, expect: null, sha256Ranges: [hashedFrom, bytes] };
    return new Promise((resolve) => {
      const spans = [{ file, offset, bytes }];
      const job: DiskJob = { kind: 'load', slab, slabOffset: 0, bytes, spans };
      this.#disk.submit(digest === null ? job : { ...job, digest }, resolve);
    });
  }

  #writeNext(): void {
    if (this.#writing) return;
    if (this.#queue.length === 0) {
      const idle = this.#idle;
      this.#idle = [];
      for (const resolve of idle) resolve();
      return;
    }
    this.#writing = true;
    const { batch, bytes } = this.#takeBatch();
    const segment = this.#segmentFor(bytes);
    const start = this.#index.segments.get(segment)?.bytes ?? 0;
    const slab = this.#disk.allocateSlab(bytes);
    const places = fill(slab, batch, start);
    const spans = [{ file: this.fileOf(segment), offset: start, bytes }];
    this.#disk.submit({ kind: 'store', slab, slabOffset: 0, bytes, spans, digest: null }, (result) => {
      this.#disk.freeSlab(slab);
      this.#handleWritten(result, segment, start + bytes, batch, places);
    });
    this.#disk.flush();
  }

  #takeBatch(): { batch: Queued[]; bytes: number } {
    let [count, bytes] = [0, 0];
    for (const { key, payload } of this.#queue) {
      const more = recordBytesOf(key.length, payload.length);
      if (count > 0 && (bytes + more > blockLimits.batchBytesMax || count >= blockLimits.batchCountMax))
        break;
      bytes += more;
      count++;
    }
    const batch = this.#queue.slice(0, count);
    this.#queue = this.#queue.slice(count);
    return { batch, bytes };
  }

  /** A full one is on the device before long, so that a power failure takes little. */
  #segmentFor(bytes: number): number {
    const used = this.#index.segments.get(this.#active)?.bytes ?? 0;
    const fits = used === 0 || used + bytes <= this.#segmentBytes;
    if (fits && !this.#lost.has(this.#active)) return this.#active;
    // A refusal is kept, and told when something asks for certainty.
    this.#syncOne(this.#active).catch(() => undefined);
    return ++this.#active;
  }

  /** Who asks for certainty at the end of much has little left to wait for. */
  #syncAhead(id: number): void {
    const segment = this.#index.segments.get(id);
    if (this.#isSyncing || segment === undefined) return;
    if (segment.bytes - segment.syncedBytes < blockLimits.syncAheadBytes) return;
    this.#isSyncing = true;
    // A refusal is kept, and told then.
    void this.#syncOne(id)
      .catch(() => undefined)
      .then(() => (this.#isSyncing = false));
  }

  #handleWritten(
    result: DiskResult,
    segment: number,
    end: number,
    batch: readonly Queued[],
    places: readonly NewBlock[],
  ): void {
    this.#writing = false;
    for (const { key, payload } of batch) this.#queuedBytes -= recordBytesOf(key.length, payload.length);
    let error: unknown = result.ok ? null : diskError(result.fault, 'write');
    try {
      if (error === null) this.#index.add(segment, end, places);
    } catch (thrown) {
      error = thrown;
    }
    if (error === null) this.#syncAhead(segment);
    for (const { waiting } of batch) {
      if (error !== null) waiting.reject(error);
      else if (--waiting.left === 0) waiting.resolve();
    }
    this.#writeNext();
  }
}

/** Lays the records into the slab. `start`: where its first byte will be in the segment. */
function fill(slab: Slab, batch: readonly Queued[], start: number): NewBlock[] {
  let at = 0;
  return batch.map(({ key, payload, check, from }) => {
    const head = encodeRecordHead(key, payload.length, check);
    const recordBytes = head.length + payload.length;
    slab.copyFrom(head, 0, head.length, at);
    slab.copyFrom(payload, 0, payload.length, at + head.length);
    const place: NewBlock = { key, at: start + at, bytes: payload.length, recordBytes, from };
    at += recordBytes;
    return place;
  });
}

/** Visits the whole records at the front. @returns where the first one begins that is not whole */
async function visitRecords(
  bytes: Uint8Array,
  start: number,
  visit: (head: RecordHead, payload: Uint8Array, at: number) => void | Promise<void>,
): Promise<number> {
  let at = 0;
  for (;;) {
    const head = decodeRecordHead(bytes, at);
    const end = head === null ? 0 : at + head.payloadAt + head.bytes;
    if (head === null || end > bytes.length) return at;
    const done = visit(head, bytes.subarray(at + head.payloadAt, end), start + at);
    if (done !== undefined) await done;
    at = end;
  }
}

export function nameOf(id: number): string {
  return `${String(id).padStart(6, '0')}.blocks`;
}

/** The segment of a file's name; null: it is none of ours. */
export function segmentOfName(name: string): number | null {
  const digits = /^(\d{6,15})\.blocks$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

const errorCodes = {
  full: 'DISK_FULL',
  denied: 'DISK_DENIED',
  missing: 'DISK_MISSING',
  'not-a-file': 'DISK_NOT_A_FILE',
  io: 'DISK_IO',
} as const;

function diskError(fault: DiskFault, op: 'read' | 'write'): NodeError {
  const retry = fault.code === 'full' || fault.code === 'denied' || fault.code === 'missing';
  return new NodeError(errorCodes[fault.code], fault.message, { op, retry });
}
