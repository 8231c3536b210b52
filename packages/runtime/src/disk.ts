/**
 * The disk port over worker threads and the system's file calls.
 *
 *   submit ─> route (stream key, or the least busy thread) ─> batch ─ flush ─> worker ─> done(result)
 *               └─ a large piece, whole ─> libuv's pool (pooled-stores.ts) ──────────────────^
 *   move, remove, allocate, forget ─> hold the file's new jobs ─> wait for its running ones ─> close its handles
 *                                     ─> do it ─> let the held jobs go
 *
 * Nothing is synced by itself: a store job is done when the system has the bytes. `sync` waits for the device.
 */
import { availableParallelism } from 'node:os';
import {
  assert,
  type DiskFault,
  type DiskJob,
  type DiskPort,
  type DiskResult,
  type FileId,
  type FileRef,
  type FileStat,
  type Slab,
} from '@tequio/kernel';
import { type DiskAnswer, type DiskReply, diskLimits, expectedResultOf, orderOf } from './disk-messages.ts';
import { allocateFile, existsError, moveFile, removeFile, statFile, syncFile } from './disk-operations.ts';
import { isSafeRef } from './disk-paths.ts';
import { SlabPool } from './disk-slabs.ts';
import { DiskThread, handleMaxOf } from './disk-thread.ts';
import { tryLoadPooledSha1 } from './pooled-sha1.ts';
import { PooledStores } from './pooled-stores.ts';

export type DiskOptions = {
  /** Jobs at once, 1 to 8; by default one less than the processors, for the network needs one. */
  readonly threadCount?: number;
  /** A file lies somewhere else now; whoever moved it waits for this, which does not reject. */
  readonly onMoved?: (from: FileRef, to: FileRef) => Promise<void>;
  /** Pieces from this length on go to libuv's pool where that is possible; by default as pooled-stores.ts says. */
  readonly pooledBytesMin?: number;
};

/** Besides one for the network and one for the first thread. */
const hasSpareProcessor = availableParallelism() > 2;

type Done = (result: DiskResult) => void;

type FileEntry = {
  ref: FileRef;
  /** How often it was registered and not yet forgotten. */
  userCount: number;
  /** Jobs given while an operation has the file; null: no operation has it. */
  held: { job: DiskJob; done: Done }[] | null;
  /** Settles when the last operation that was asked for is over. */
  turn: Promise<void>;
};

type RunningJob = {
  readonly job: DiskJob;
  readonly done: Done;
  /** Null: it is in libuv's pool. */
  readonly thread: DiskThread | null;
  /** Called when it is answered, by operations that wait for it. */
  after: (() => void)[] | null;
};

class ThreadedDisk implements DiskPort {
  readonly threadCount: number;
  readonly #threads: DiskThread[];
  readonly #pooled: PooledStores | null;
  readonly #onMoved: DiskOptions['onMoved'];
  readonly #slabs = new SlabPool();
  readonly #files = new Map<FileId, FileEntry>();
  readonly #ids = new Map<string, FileId>();
  /** Names that nobody uses any more, while the last jobs under them run: who registers one anew waits for that. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #running = new Map<number, RunningJob>();
  /** Streams of which a part is held: later parts must wait behind it. */
  readonly #heldStreams = new Map<number, FileEntry>();
  readonly #operations = new Set<Promise<unknown>>();
  readonly #afterAnswers: (() => void)[] = [];
  #isAnswering = false;
  #nextFile = 1;
  #nextJob = 1;
  #flushPlanned = false;
  #closed = false;

  constructor(threadCount: number, { onMoved, pooledBytesMin }: DiskOptions) {
    this.threadCount = threadCount;
    this.#onMoved = onMoved;
    const sha1 = tryLoadPooledSha1();
    const refOf = (file: FileId): FileRef => this.#entryOf(file).ref;
    this.#pooled = sha1 === null ? null : new PooledStores(sha1, refOf, threadCount, pooledBytesMin);
    const events = {
      onReply: (reply: DiskReply) => this.#handleReply(reply),
      onDeath: (thread: DiskThread, reason: string) => this.#handleDeath(thread, reason),
    };
    const handleMax = handleMaxOf(threadCount);
    this.#threads = Array.from({ length: threadCount }, () => new DiskThread(handleMax, events));
  }

  /** A thread takes 40 ms to start, in which a fast peer sends 20 MB. */
  prepare(jobBytes = 0): void {
    if (!this.#closed && this.#pooled?.suits(jobBytes) !== true) this.#threads[0]!.start();
  }

  allocateSlab(bytes: number): Slab {
    return this.#slabs.allocate(bytes);
  }

  freeSlab(slab: Slab): void {
    if (this.#slabs.free(slab)) return;
    for (const thread of this.#threads) thread.dropSlab(slab);
  }

  register(ref: FileRef): FileId {
    assert(isSafeRef(ref), 'a file reference is a root and a safe relative path');
    const key = keyOf(ref);
    const known = this.#ids.get(key);
    if (known !== undefined) {
      this.#entryOf(known).userCount++;
      return known;
    }
    const id = this.#nextFile++ as FileId;
    this.#ids.set(key, id);
    const own = { root: ref.root, path: ref.path, isSecret: ref.isSecret === true };
    const turn = this.#leaving.get(key) ?? Promise.resolve();
    this.#files.set(id, { ref: own, userCount: 1, held: null, turn });
    return id;
  }

  submit(job: DiskJob, done: Done): void {
    if (this.#closed) {
      refuse(done, 'The disk is closed.', null);
      return;
    }
    const stream = job.kind === 'load' ? null : (job.digest?.stream ?? null);
    let holder = stream === null ? undefined : this.#heldStreams.get(stream.key);
    if (job.kind !== 'hash') {
      for (const { file } of job.spans) {
        if (file === null) continue;
        const entry = this.#files.get(file);
        if (entry === undefined) {
          refuse(done, `File ${file} is not registered.`, file);
          return;
        }
        if (entry.held !== null) holder ??= entry;
      }
    }
    if (holder !== undefined && holder.held !== null) {
      holder.held.push({ job, done });
      if (stream !== null) this.#heldStreams.set(stream.key, holder);
      return;
    }
    this.#route(job, stream?.key ?? null, done);
  }

  flush(): void {
    for (const thread of this.#threads) thread.flush();
  }

  afterAnswers(call: () => void): void {
    if (this.#isAnswering) this.#afterAnswers.push(call);
    else call();
  }

  /** The name is free at once, so that whoever registers it from now on gets an id that lasts. */
  async forget(file: FileId): Promise<void> {
    const entry = this.#entryOf(file);
    assert(entry.userCount > 0, 'a file is forgotten as often as it was registered');
    if (--entry.userCount > 0) {
      await this.#exclusively(file, async () => {});
      return;
    }
    const key = keyOf(entry.ref);
    this.#dropName(key, file);
    const left = this.#exclusively(file, async () => {
      this.#dropName(keyOf(entry.ref), file);
      this.#files.delete(file);
    });
    const { turn } = entry;
    this.#leaving.set(key, turn);
    await left.finally(() => {
      if (this.#leaving.get(key) === turn) this.#leaving.delete(key);
    });
  }

  #dropName(key: string, file: FileId): void {
    if (this.#ids.get(key) === file) this.#ids.delete(key);
  }

  async stat(file: FileId): Promise<FileStat | null> {
    return statFile(this.#entryOf(file).ref);
  }

  async allocate(file: FileId, bytes: number, mode: 'sparse' | 'full'): Promise<void> {
    await this.#exclusively(file, (entry) => allocateFile(entry.ref, bytes, mode));
  }

  /** Waits for the jobs given before, and lets later ones pass. */
  async sync(file: FileId): Promise<void> {
    const entry = this.#entryOf(file);
    await this.#tracked(
      entry.turn.then(async () => {
        await this.#settled(file);
        await syncFile(entry.ref);
      }),
    );
  }

  async move(file: FileId, to: FileRef): Promise<void> {
    assert(isSafeRef(to), 'a file reference is a root and a safe relative path');
    const from = await this.#exclusively(file, async (entry) => {
      const other = this.#ids.get(keyOf(to));
      if (other === file) return null;
      if (other !== undefined) throw existsError(to);
      this.#ids.set(keyOf(to), file);
      try {
        await moveFile(entry.ref, to);
      } catch (error) {
        this.#dropName(keyOf(to), file);
        throw error;
      }
      const left = entry.ref;
      this.#dropName(keyOf(left), file);
      entry.ref = { root: to.root, path: to.path, isSecret: to.isSecret === true };
      return left;
    });
    if (from !== null) await this.#onMoved?.(from, to);
  }

  async remove(file: FileId): Promise<void> {
    await this.#exclusively(file, (entry) => removeFile(entry.ref));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    while (this.#operations.size > 0) await Promise.allSettled(this.#operations);
    this.#closed = true;
    await Promise.all([this.#pooled?.close(), ...this.#threads.map((thread) => thread.close())]);
  }

  #entryOf(file: FileId): FileEntry {
    const entry = this.#files.get(file);
    assert(entry !== undefined, 'a file is registered while it is used');
    return entry;
  }

  #route(job: DiskJob, streamKey: number | null, done: Done): void {
    const id = this.#nextJob++;
    if (this.#pooled?.takes(job) === true) {
      const running: RunningJob = { job, done, thread: null, after: null };
      this.#running.set(id, running);
      this.#pooled.submit(job, (result) => this.#finish(id, running, result));
      return;
    }
    const thread = streamKey === null ? this.#threadFor(job) : this.#threads[streamKey % this.threadCount]!;
    this.#running.set(id, { job, done, thread, after: null });
    const slab = job.kind === 'check' ? null : job.slab;
    thread.add(orderOf(id, job), slab, (file) => this.#entryOf(file).ref);
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    queueMicrotask(() => {
      this.#flushPlanned = false;
      this.flush();
    });
  }

  #threadFor(job: DiskJob): DiskThread {
    if (job.kind === 'store') return this.#firstForStores();
    return job.kind === 'load' ? this.#firstForLoads() : this.#leastBusy();
  }

  #leastBusy(): DiskThread {
    let best = this.#threads[0]!;
    for (const thread of this.#threads) if (thread.queuedBytes < best.queuedBytes) best = thread;
    return best;
  }

  /**
   * For stores: the first thread that is not far behind. Threads that write to one file wait for each other, and while
   * they wait they burn a processor; another one is needed only when the device holds up the first, or where there is
   * a processor for it.
   */
  #firstForStores(): DiskThread {
    for (const thread of this.#threads) if (!this.#isBehind(thread)) return thread;
    return this.#leastBusy();
  }

  #isBehind(thread: DiskThread): boolean {
    if (thread.queuedBytes < diskLimits.behindBytes) return false;
    return hasSpareProcessor || performance.now() - thread.answeredMs >= diskLimits.heldUpMs;
  }

  /** Loads overtake whatever else a thread has to do: another one is needed only when many wait for the device. */
  #firstForLoads(): DiskThread {
    for (const thread of this.#threads) if (thread.loadCount < diskLimits.loadsBehind) return thread;
    return this.#leastBusy();
  }

  #handleReply({ asExpected, results }: DiskReply): void {
    this.#isAnswering = true;
    try {
      for (const id of asExpected) this.#handleExpected(id);
      for (const answer of results) this.#handleAnswer(answer);
    } finally {
      this.#isAnswering = false;
      for (const call of this.#afterAnswers.splice(0)) call();
    }
  }

  #handleExpected(id: number): void {
    const running = this.#running.get(id);
    if (running !== undefined) this.#finish(id, running, expectedResultOf(running.job));
  }

  #handleAnswer(answer: DiskAnswer): void {
    const running = this.#running.get(answer.id);
    if (running === undefined) return;
    this.#finish(
      answer.id,
      running,
      answer.fault === null
        ? { ok: true, digests: answer.digests, written: answer.written }
        : { ok: false, fault: answer.fault },
    );
  }

  #handleDeath(thread: DiskThread, reason: string): void {
    const fault: DiskFault = { code: 'io', message: `A disk thread ended: ${reason}.`, file: null };
    for (const [id, running] of [...this.#running]) {
      if (running.thread === thread) this.#finish(id, running, { ok: false, fault });
    }
  }

  #finish(id: number, running: RunningJob, result: DiskResult): void {
    this.#running.delete(id);
    running.thread?.markAnswered(running.job.kind, running.job.bytes);
    if (running.after !== null) for (const call of running.after) call();
    running.done(result);
  }

  /** Resolves when every job given until now that uses the file is answered. */
  #settled(file: FileId): Promise<void> {
    return new Promise((resolve) => {
      let left = 1;
      const markOne = (): void => {
        if (--left === 0) resolve();
      };
      for (const running of this.#running.values()) {
        const { job } = running;
        if (job.kind === 'hash' || !job.spans.some((span) => span.file === file)) continue;
        left++;
        running.after ??= [];
        running.after.push(markOne);
      }
      markOne();
    });
  }

  /** Runs `work` when no job uses the file and no handle of it is open; one such work after the other. */
  async #exclusively<Value>(file: FileId, work: (entry: FileEntry) => Promise<Value>): Promise<Value> {
    const entry = this.#entryOf(file);
    const run = entry.turn.then(async () => {
      assert(this.#files.get(file) === entry, 'a file is registered while it is used');
      entry.held = [];
      try {
        await this.#settled(file);
        await Promise.all([
          this.#pooled?.closeFile(file),
          ...this.#threads.map((thread) => thread.closeFile(file)),
        ]);
        return await work(entry);
      } finally {
        this.#release(entry);
      }
    });
    entry.turn = run.then(
      () => undefined,
      () => undefined,
    );
    return this.#tracked(run);
  }

  #release(entry: FileEntry): void {
    const held = entry.held ?? [];
    entry.held = null;
    for (const [key, holder] of this.#heldStreams) if (holder === entry) this.#heldStreams.delete(key);
    for (const { job, done } of held) this.submit(job, done);
  }

  /** `close` waits for it. */
  async #tracked<Value>(operation: Promise<Value>): Promise<Value> {
    this.#operations.add(operation);
    try {
      return await operation;
    } finally {
      this.#operations.delete(operation);
    }
  }
}

/**
 * Makes the port; threads start with the first job. At least two: a write that waits for the device must not hold up
 * the hashing of what has come meanwhile.
 */
export function createDisk(options?: DiskOptions): DiskPort {
  const count = options?.threadCount ?? Math.max(2, availableParallelism() - 1);
  return new ThreadedDisk(Math.min(diskLimits.threadCountMax, Math.max(1, Math.floor(count))), options ?? {});
}

function keyOf(ref: FileRef): string {
  return `${ref.root}\0${ref.path}`;
}

function refuse(done: Done, message: string, file: FileId | null): void {
  queueMicrotask(() => done({ ok: false, fault: { code: 'io', message, file } }));
}
