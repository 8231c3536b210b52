/**
 * The main thread's end of one disk worker: starts it with its first job or a little before, collects a batch, counts
 * what is out.
 */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import type { FileId, FileRef, Slab } from '@tequio/kernel';
import { type DiskBatch, type DiskOrder, type DiskReply, diskLimits, emptyBatch } from './disk-messages.ts';

export type DiskThreadEvents = {
  onReply(reply: DiskReply): void;
  /** The worker died (it never should); what it had to do is lost. */
  onDeath(thread: DiskThread, reason: string): void;
};

export class DiskThread {
  readonly #events: DiskThreadEvents;
  readonly #handleMax: number;
  readonly #slabs = new Set<number>();
  readonly #files = new Set<number>();
  readonly #closing = new Map<number, (() => void)[]>();
  #worker: Worker | null = null;
  #batch: DiskBatch | null = null;
  #jobCount = 0;
  #loadCount = 0;
  #answeredMs = 0;
  #queuedBytes = 0;

  constructor(handleMax: number, events: DiskThreadEvents) {
    this.#handleMax = handleMax;
    this.#events = events;
  }

  /** Bytes of jobs given and not answered: how busy it is. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** When it last answered, or was given something after a rest; by `performance.now`. */
  get answeredMs(): number {
    return this.#answeredMs;
  }

  /** Loads given and not answered. */
  get loadCount(): number {
    return this.#loadCount;
  }

  get started(): boolean {
    return this.#worker !== null;
  }

  /** Adds a job to the batch, with the names and memory that the worker does not know yet. */
  add(order: DiskOrder, slab: Slab | null, refOf: (file: FileId) => FileRef): void {
    const batch = this.#open();
    if (slab !== null && !this.#slabs.has(slab.id)) {
      this.#slabs.add(slab.id);
      batch.slabs.push([slab.id, slab.bytes.buffer as SharedArrayBuffer]);
    }
    for (let i = 0; i < order.spans.length; i += 3) {
      const file = order.spans[i]!;
      if (file === 0 || this.#files.has(file)) continue;
      this.#files.add(file);
      const ref = refOf(file as FileId);
      batch.files.push([file, ref.root, ref.path, ref.isSecret === true]);
    }
    batch.jobs.push(order);
    this.#queuedBytes += order.bytes;
    if (order.kind === 'load') this.#loadCount++;
    if (this.#jobCount++ > 0) return;
    this.#answeredMs = performance.now();
    this.#worker?.ref();
  }

  flush(): void {
    if (this.#batch === null) return;
    const batch = this.#batch;
    this.#batch = null;
    this.#start().postMessage(batch);
  }

  /** One of its jobs was answered. */
  markAnswered(kind: DiskOrder['kind'], bytes: number): void {
    this.#queuedBytes -= bytes;
    if (kind === 'load') this.#loadCount--;
    if (--this.#jobCount === 0) this.#unrefWhenIdle();
  }

  dropSlab(slab: Slab): void {
    if (this.#slabs.delete(slab.id)) this.#open().droppedSlabs.push(slab.id);
  }

  /** Resolves when the worker has no handle of the file, and has forgotten its name. */
  closeFile(file: FileId): Promise<void> {
    if (!this.#files.delete(file)) return Promise.resolve();
    this.#open().closeFiles.push(file);
    return new Promise((resolve) => {
      const waiting = this.#closing.get(file);
      if (waiting === undefined) this.#closing.set(file, [resolve]);
      else waiting.push(resolve);
      this.#worker?.ref();
      this.flush();
    });
  }

  /** Does what is queued, closes all handles, ends the worker. */
  async close(): Promise<void> {
    this.flush();
    const worker = this.#worker;
    if (worker === null) return;
    worker.ref();
    this.#worker = null;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage({ ...emptyBatch(), close: true });
    await ended;
  }

  #open(): DiskBatch {
    this.#batch ??= emptyBatch();
    return this.#batch;
  }

  /** Begins to run, unless it does; keeps no process alive while it has nothing to do. */
  start(): void {
    if (this.#worker !== null) return;
    this.#start();
    this.#unrefWhenIdle();
  }

  #start(): Worker {
    if (this.#worker !== null) return this.#worker;
    const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./disk-worker.${suffix}`, import.meta.url), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      workerData: { handleMax: this.#handleMax },
      env: workerEnvironment(),
      // Hardly anything lives in a worker's heap: a small young generation keeps the process small.
      resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 },
    });
    this.#worker = worker;
    worker.on('message', (reply: DiskReply) => this.#handleReply(reply));
    worker.on('error', (error) => this.#handleDeath(worker, error instanceof Error ? error.message : ''));
    worker.on('exit', () => this.#handleDeath(worker, 'it ended'));
    return worker;
  }

  #handleReply(reply: DiskReply): void {
    for (const file of reply.closedFiles) {
      for (const resolve of this.#closing.get(file) ?? []) resolve();
      this.#closing.delete(file);
    }
    this.#answeredMs = performance.now();
    this.#events.onReply(reply);
    this.#unrefWhenIdle();
  }

  #unrefWhenIdle(): void {
    if (this.#jobCount === 0 && this.#closing.size === 0) this.#worker?.unref();
  }

  #handleDeath(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#batch = null;
    this.#slabs.clear();
    this.#files.clear();
    const closing = [...this.#closing.values()].flat();
    this.#closing.clear();
    for (const resolve of closing) resolve();
    this.#events.onDeath(this, reason);
  }
}

/** Handles for each of `threadCount` threads. */
export function handleMaxOf(threadCount: number): number {
  return Math.max(diskLimits.handleCountMin, Math.floor(diskLimits.handleCount / threadCount));
}

/**
 * A thread does not share the compile cache of the program; it finds it by this variable. Without it each thread strips
 * the types of its sources anew: 70 ms and 20 MB.
 */
function workerEnvironment(): NodeJS.ProcessEnv {
  const folder = getCompileCacheDir();
  return folder === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(folder) };
}
