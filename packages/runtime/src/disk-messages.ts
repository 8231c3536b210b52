/**
 * What goes between the disk port (main thread) and its worker threads. One batch a turn each way:
 *
 *   main ── DiskBatch { slabs, files, jobs } ──> worker      memory and names are sent once, then named by id
 *   main <── DiskReply { results, asExpected, closedFiles } ── worker
 *
 * Only small numbers and digests are copied: piece bytes lie in shared memory.
 */
import type { DigestRequest, DiskDigests, DiskFault, DiskJob, DiskResult, FileSpan } from '@tequio/kernel';

export const diskLimits = {
  /** A thread with more than this to do is behind: what it hashes in some 15 ms. */
  behindBytes: 24 << 20,
  /** The device holds up a thread that has answered nothing for so long. */
  heldUpMs: 50,
  /** A thread with so many loads has one more than the processor alone could use: the device makes them wait. */
  loadsBehind: 16,
  /** Each thread costs about 25 MB, and more than this outruns the drives in use. */
  threadCountMax: 8,
  /** Open files of all threads together: below the usual soft limit of 1024, and of 256 on macOS for one thread. */
  handleCount: 224,
  /** Open files that each thread may have, however many threads there are. */
  handleCountMin: 24,
  /** Bytes read at once by a check: stays in the processor's cache between read and hash. A multiple of 16 KiB. */
  scratchBytes: 1 << 20,
  /** Loads that may overtake stores and checks in a row, so that neither starves. */
  loadStreakMax: 16,
  /** A worker hands results back at least this often while it still has jobs. */
  replyEveryMs: 1,
  /** The same when all that it has to tell are checks, of which it has several to do and nobody waits for one. */
  replyChecksEveryMs: 4,
  /** Hash streams that a worker keeps open; the oldest is dropped, for its owner has lost it. */
  streamCountMax: 1024,
  /** An open file is compared with what its name leads to when this long has passed since the last time. */
  handleCheckMs: 1000,
  /** The smallest slab. */
  slabBytesMin: 1 << 14,
  /** Bytes of freed slabs that are kept to be used again: as many as are in use at once, else memory is made anew. */
  freeSlabBytesMax: 64 << 20,
} as const;

/** Block of BitTorrent: the unit of `sha1Blocks` and of merkle leaves. */
export const digestBlockBytes = 16384;

/** A `DiskJob` as a worker gets it; `slab` 0: none. */
export type DiskOrder = {
  readonly id: number;
  readonly kind: DiskJob['kind'];
  readonly slab: number;
  readonly slabOffset: number;
  readonly bytes: number;
  /** File id (0: padding), offset, bytes; again and again. */
  readonly spans: readonly number[];
  readonly digest: OrderedDigest | null;
};

/** A `DigestRequest` whose expected hashes are text, a character a byte: that is copied at a third of the cost. */
export type OrderedDigest = Omit<DigestRequest, 'expect'> & {
  readonly expect: { readonly sha1: string | null; readonly root: string | null } | null;
};

export type DiskBatch = {
  readonly slabs: (readonly [id: number, memory: SharedArrayBuffer])[];
  readonly droppedSlabs: number[];
  readonly files: (readonly [id: number, root: string, path: string, isSecret: boolean])[];
  /** Close the handles of these and forget their names; answered in `closedFiles`. */
  readonly closeFiles: number[];
  readonly jobs: DiskOrder[];
  /** Do all jobs, close everything, end. */
  close: boolean;
};

export type DiskAnswer = {
  readonly id: number;
  readonly fault: DiskFault | null;
  readonly digests: DiskDigests | null;
  readonly written: boolean;
};

export type DiskReply = {
  readonly results: DiskAnswer[];
  /** Jobs of which only this is to be told: all went well, and the digests are those that were expected. */
  readonly asExpected: number[];
  readonly closedFiles: number[];
};

export function emptyReply(): DiskReply {
  return { results: [], asExpected: [], closedFiles: [] };
}

/** True when the order and the news that all went well say everything that the answer does. */
export function isAsExpected(order: DiskOrder, { fault, digests, written }: DiskAnswer): boolean {
  if (fault !== null || written !== (order.kind === 'store')) return false;
  const expect = order.digest?.expect ?? null;
  if (digests === null || expect === null) return digests === null && order.digest === null;
  if ((digests.sha1 === null) !== (expect.sha1 === null)) return false;
  if ((digests.root === null) !== (expect.root === null)) return false;
  const { matched, sha1Blocks, leaves, sha256 } = digests;
  return matched && sha1Blocks === null && leaves === null && sha256 === undefined;
}

/** The result of a job whose answer was {@link isAsExpected}. */
export function expectedResultOf(job: DiskJob): DiskResult {
  const expect = job.digest?.expect ?? null;
  const digests = expect === null ? null : { ...expect, sha1Blocks: null, leaves: null, matched: true };
  return { ok: true, digests, written: job.kind === 'store' };
}

export function emptyBatch(): DiskBatch {
  return { slabs: [], droppedSlabs: [], files: [], closeFiles: [], jobs: [], close: false };
}

/** `job` under a number, with nothing in it that would drag a larger buffer along when it is copied. */
export function orderOf(id: number, job: DiskJob): DiskOrder {
  const inMemory = job.kind === 'check' ? null : job;
  return {
    id,
    kind: job.kind,
    slab: inMemory?.slab.id ?? 0,
    slabOffset: inMemory?.slabOffset ?? 0,
    bytes: job.bytes,
    spans: job.kind === 'hash' ? [] : flatSpans(job.spans),
    digest: (job.digest ?? null) === null ? null : orderedDigest(job.digest!),
  };
}

function flatSpans(spans: readonly FileSpan[]): number[] {
  const flat = new Array<number>(3 * spans.length);
  for (let i = 0; i < spans.length; i++) {
    const span = spans[i]!;
    flat[3 * i] = span.file ?? 0;
    flat[3 * i + 1] = span.offset;
    flat[3 * i + 2] = span.bytes;
  }
  return flat;
}

function orderedDigest(digest: DigestRequest): OrderedDigest {
  const { expect } = digest;
  const texts = expect === null ? null : { sha1: tryText(expect.sha1), root: tryText(expect.root) };
  return { ...digest, expect: texts };
}

function tryText(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : textOf(bytes);
}

/** A character a byte. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
