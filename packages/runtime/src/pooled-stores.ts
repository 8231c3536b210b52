/**
 * Pieces that are hashed and written on libuv's own threads, without a thread of Node's for it: that one costs 25 MB,
 * and a message each way for each piece.
 *
 *   store job ─> queue ─> SHA-1 (pooled-sha1.ts) ─ right? ─> written ─> result
 *
 * For runs of some size alone, whole pieces or parts of one: each takes a few turns through the pool, which small ones
 * do not pay for. Parts of one piece are hashed one after the other. Everything else is done by disk threads.
 */
import type { FileHandle } from 'node:fs/promises';
import type { DigestRequest, DiskDigests, DiskJob, DiskResult, FileId, FileRef } from '@tequio/kernel';
import { DiskFailure, faultOf } from './disk-fault.ts';
import { fullPath } from './disk-paths.ts';
import { PooledHandles } from './pooled-handles.ts';
import type { PooledSha1 } from './pooled-sha1.ts';
import { PooledStreams } from './pooled-streams.ts';

export const pooledLimits = {
  jobBytesMin: 256 * 1024,
  /** More files than this in a piece are small ones, which are opened once and closed soon. */
  spanCountMax: 4,
  /** Jobs at once: one of the pool's four threads stays for what else there is to do. */
  runningCountMax: 3,
  handleCount: 16,
} as const;

export type StoreJob = Extract<DiskJob, { kind: 'store' }>;
type Done = (result: DiskResult) => void;

export class PooledStores {
  readonly #sha1: PooledSha1;
  readonly #refOf: (file: FileId) => FileRef;
  readonly #jobBytesMin: number;
  readonly #runningCountMax: number;
  readonly #streams: PooledStreams;
  readonly #handles = new PooledHandles(pooledLimits.handleCount);
  readonly #queue: { readonly job: StoreJob; readonly done: Done }[] = [];
  #runningCount = 0;
  #idle: (() => void)[] = [];

  /** @param jobCount jobs at once, within the limit */
  constructor(
    sha1: PooledSha1,
    refOf: (file: FileId) => FileRef,
    jobCount: number,
    jobBytesMin: number = pooledLimits.jobBytesMin,
  ) {
    this.#sha1 = sha1;
    this.#streams = new PooledStreams(sha1);
    this.#refOf = refOf;
    this.#jobBytesMin = jobBytesMin;
    this.#runningCountMax = Math.min(jobCount, pooledLimits.runningCountMax);
  }

  /** True: it is done here, and `submit` may be called with it. */
  takes(job: DiskJob): job is StoreJob {
    if (job.kind !== 'store') return false;
    const { bytes, digest, spans } = job;
    if (digest !== null && !isSha1Alone(digest)) return false;
    const stream = digest?.stream ?? null;
    // All parts of a piece go the way of the first.
    if (stream !== null && stream.part !== 'first') return this.#streams.has(stream.key);
    return this.suits(bytes) && spans.length <= pooledLimits.spanCountMax;
  }

  /** Jobs of so many bytes are long enough. */
  suits(bytes: number): boolean {
    return bytes >= this.#jobBytesMin;
  }

  /** `done` is called once, never from inside this call. */
  submit(job: StoreJob, done: Done): void {
    const stream = job.digest?.stream ?? null;
    if (stream?.part === 'first') this.#streams.begin(stream.key);
    this.#queue.push({ job, done });
    this.#runNext();
  }

  /** Only when no job uses it. */
  closeFile(file: FileId): Promise<void> {
    return this.#handles.close(file);
  }

  /** Does what was given, then closes everything. */
  async close(): Promise<void> {
    if (this.#runningCount > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#streams.close();
    await this.#handles.closeAll();
  }

  #runNext(): void {
    if (this.#runningCount >= this.#runningCountMax) return;
    const at = this.#queue.findIndex(({ job }) => !this.#mustWait(job));
    const next = this.#queue[at];
    if (next === undefined) {
      if (this.#runningCount === 0) for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#queue.splice(at, 1);
    this.#runningCount++;
    const { job, done } = next;
    void this.#perform(job).then((result) => {
      this.#runningCount--;
      // The pool has something to do while the answer is followed up.
      this.#runNext();
      done(result);
    });
  }

  #mustWait({ digest }: StoreJob): boolean {
    const stream = digest?.stream ?? null;
    return stream !== null && this.#streams.isBusy(stream.key);
  }

  /** Never rejects. */
  async #perform(job: StoreJob): Promise<DiskResult> {
    try {
      clearPadding(job);
      const digests = job.digest === null ? null : await this.#digestsOf(job, job.digest);
      // The next part of the piece need not wait for the writing of this one.
      this.#runNext();
      if (digests?.matched === false) return { ok: true, digests, written: false };
      return await this.#write(job, digests);
    } catch (error) {
      const stream = job.digest?.stream ?? null;
      if (stream !== null) this.#streams.end(stream.key);
      const file = error instanceof FailedWrite ? error.file : null;
      const path = file === null ? '' : fullPath(this.#refOf(file));
      const cause = error instanceof FailedWrite ? error.cause : error;
      return { ok: false, fault: { ...faultOf(cause, path, file), file } };
    }
  }

  /** @throws DiskFailure when it cannot be told whether the bytes are right: nobody is to be blamed for that */
  async #digestsOf(job: StoreJob, { sha1: isAsked, expect, stream }: DigestRequest): Promise<DiskDigests> {
    const expected = expect?.sha1 ?? null;
    const ends = stream === null || stream.part === 'last';
    let sha1: Uint8Array | null = null;
    if (isAsked || expected !== null) {
      const hashed = stream === null ? this.#digestOf(job) : this.#streams.digest(stream, bytesOf(job));
      sha1 = await hashed;
    }
    const matched = expected === null || !ends || Buffer.compare(sha1!, expected) === 0;
    return { sha1, sha1Blocks: null, leaves: null, root: null, matched };
  }

  #digestOf(job: StoreJob): Promise<Uint8Array> {
    return new Promise((resolve, reject) =>
      this.#sha1.digest(bytesOf(job), (digest) => {
        if (digest === null)
          reject(new DiskFailure('io', 'The SHA-1 of a piece could not be computed.', null));
        else resolve(digest);
      }),
    );
  }

  async #write(job: StoreJob, digests: DiskDigests | null): Promise<DiskResult> {
    const bytes = bytesOf(job);
    let at = 0;
    for (const { file, offset, bytes: spanBytes } of job.spans) {
      const part = bytes.subarray(at, at + spanBytes);
      at += spanBytes;
      if (file === null) continue;
      try {
        await this.#handles.use(file, this.#refOf(file), (handle) => writeFully(handle, part, offset));
      } catch (error) {
        throw new FailedWrite(file, error);
      }
    }
    return { ok: true, digests, written: true };
  }
}

/** What went wrong in the middle of a job, and with which of its files. */
class FailedWrite extends Error {
  readonly file: FileId;

  constructor(file: FileId, cause: unknown) {
    super('a span could not be written', { cause });
    this.file = file;
  }
}

function isSha1Alone({ expect, merkle, sha1Blocks, sha256Ranges }: DigestRequest): boolean {
  const isTree = merkle !== null || (expect !== null && expect.root !== null);
  return !isTree && sha1Blocks !== true && sha256Ranges === undefined;
}

function bytesOf({ slab, slabOffset, bytes }: StoreJob): Uint8Array {
  return slab.bytes.subarray(slabOffset, slabOffset + bytes);
}

function clearPadding(job: StoreJob): void {
  const bytes = bytesOf(job);
  let at = 0;
  for (const { file, bytes: spanBytes } of job.spans) {
    if (file === null) bytes.fill(0, at, at + spanBytes);
    at += spanBytes;
  }
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done);
    if (bytesWritten === 0) throw new Error('the system wrote nothing');
    done += bytesWritten;
  }
}
