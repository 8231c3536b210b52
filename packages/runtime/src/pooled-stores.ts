/**
 * Pieces that are hashed and written on libuv's own threads, without a thread of Node's for it: that one costs 25 MB,
 * and a message each way for each piece.
 *
 *   store job ─> queue ─> SHA-1 (pooled-sha1.ts) ─ right? ─> written ─> result
 *
 * For whole pieces of some size alone: each takes three turns through the pool, which small ones do not pay for.
 * Everything else is done by disk threads.
 */
import type { FileHandle } from 'node:fs/promises';
import type { DiskDigests, DiskFault, DiskJob, DiskResult, FileId, FileRef } from '@tequio/kernel';
import { faultOf } from './disk-fault.ts';
import { fullPath } from './disk-paths.ts';
import { PooledHandles } from './pooled-handles.ts';
import type { PooledSha1 } from './pooled-sha1.ts';

export const pooledLimits = {
  jobBytesMin: 256 * 1024,
  /** More files than this in a piece are small ones, which are opened once and closed soon. */
  spanCountMax: 4,
  /** Jobs at once: one of the pool's four threads stays for what else there is to do. */
  runningCountMax: 3,
  handleCount: 16,
} as const;

const notHashed: DiskFault = {
  code: 'io',
  message: 'The SHA-1 of a piece could not be computed.',
  file: null,
};

export type StoreJob = Extract<DiskJob, { kind: 'store' }>;
type Done = (result: DiskResult) => void;

export class PooledStores {
  readonly #sha1: PooledSha1;
  readonly #refOf: (file: FileId) => FileRef;
  readonly #jobBytesMin: number;
  readonly #runningCountMax: number;
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
    this.#refOf = refOf;
    this.#jobBytesMin = jobBytesMin;
    this.#runningCountMax = Math.min(jobCount, pooledLimits.runningCountMax);
  }

  /** True: it is done here, and `submit` may be called with it. */
  takes(job: DiskJob): job is StoreJob {
    if (job.kind !== 'store' || !this.suits(job.bytes) || job.spans.length > pooledLimits.spanCountMax)
      return false;
    if (job.digest === null) return true;
    const { expect, merkle, sha1Blocks, sha256Ranges, stream } = job.digest;
    const isSha1Alone = merkle === null && (expect === null || expect.root === null);
    return isSha1Alone && sha1Blocks !== true && sha256Ranges === undefined && stream === null;
  }

  /** Jobs of so many bytes are long enough. */
  suits(bytes: number): boolean {
    return bytes >= this.#jobBytesMin;
  }

  /** `done` is called once, never from inside this call. */
  submit(job: StoreJob, done: Done): void {
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
    await this.#handles.closeAll();
  }

  #runNext(): void {
    if (this.#runningCount >= this.#runningCountMax) return;
    const next = this.#queue.shift();
    if (next === undefined) {
      if (this.#runningCount === 0) for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#runningCount++;
    const { job, done } = next;
    void this.#perform(job).then((result) => {
      this.#runningCount--;
      // The pool has something to do while the answer is followed up.
      this.#runNext();
      done(result);
    });
  }

  /** Never rejects. */
  async #perform(job: StoreJob): Promise<DiskResult> {
    clearPadding(job);
    const { digest } = job;
    const expected = digest?.expect?.sha1 ?? null;
    let digests: DiskDigests | null = null;
    if (digest !== null) {
      const isWanted = digest.sha1 || expected !== null;
      const sha1 = isWanted ? await this.#digestOf(job) : null;
      // Not that the bytes are wrong: whoever sent them is not to be blamed.
      if (isWanted && sha1 === null) return { ok: false, fault: notHashed };
      const matched = expected === null || (sha1 !== null && Buffer.compare(sha1, expected) === 0);
      digests = { sha1, sha1Blocks: null, leaves: null, root: null, matched };
      if (!matched) return { ok: true, digests, written: false };
    }
    return this.#write(job, digests);
  }

  #digestOf(job: StoreJob): Promise<Uint8Array | null> {
    return new Promise((resolve) => this.#sha1.digest(bytesOf(job), resolve));
  }

  async #write(job: StoreJob, digests: DiskDigests | null): Promise<DiskResult> {
    const bytes = bytesOf(job);
    let at = 0;
    for (const { file, offset, bytes: spanBytes } of job.spans) {
      const part = bytes.subarray(at, at + spanBytes);
      at += spanBytes;
      if (file === null) continue;
      const ref = this.#refOf(file);
      try {
        await this.#handles.use(file, ref, (handle) => writeFully(handle, part, offset));
      } catch (error) {
        return { ok: false, fault: { ...faultOf(error, fullPath(ref), file), file } };
      }
    }
    return { ok: true, digests, written: true };
  }
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
