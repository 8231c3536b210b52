/**
 * The disk port in virtual time: one device that does one thing after the other, each after a seek (when it is not
 * where the last one ended) and its transfer. Everything happens at the end of its time, on a timer of the simulated
 * clock, so that a run is the same each time.
 */
import {
  assert,
  type Clock,
  type DigestRequest,
  type DiskDigests,
  type DiskFault,
  type DiskJob,
  type DiskPort,
  type DiskResult,
  type FileId,
  type FileRef,
  type FileSpan,
  type FileStat,
  NodeError,
  PlainSlab,
  type Slab,
  type Timer,
} from '@tequio/kernel';
import { digestsOf } from './disk-digest.ts';
import { SimulatedVolume, VolumeFailure, type VolumeFile } from './disk-volume.ts';

export type SimulatedDiskOptions = {
  /** Files that were there before; by default an empty volume. */
  readonly volume?: SimulatedVolume;
  /** Before an access that does not follow the last one. Default 0.1 ms. */
  readonly seekMs?: number;
  /** Transfer, and hashing of `hash` jobs. Default 500 MB/s. */
  readonly bytesPerSecond?: number;
};

type Task = { readonly costMs: number; readonly work: () => void };

const errorCodes = {
  full: 'DISK_FULL',
  denied: 'DISK_DENIED',
  missing: 'DISK_MISSING',
  'not-a-file': 'DISK_NOT_A_FILE',
  io: 'DISK_IO',
} as const;

/** See the top of the file. `volume` is the world behind it, where tests make trouble. */
export class SimulatedDisk implements DiskPort {
  readonly threadCount = 1;
  readonly volume: SimulatedVolume;
  readonly #clock: Clock;
  readonly #seekMs: number;
  readonly #bytesPerMs: number;
  readonly #refs = new Map<FileId, FileRef>();
  readonly #ids = new Map<string, FileId>();
  /** How often each was registered and not yet forgotten. */
  readonly #userCounts = new Map<FileId, number>();
  readonly #freeSlabs = new Map<number, Slab[]>();
  readonly #streams = new Map<number, Uint8Array[]>();
  readonly #known = new Set<string>();
  #tasks: Task[] = [];
  #timer: Timer | null = null;
  #head: { file: FileId; offset: number } | null = null;
  #nextFile = 1;
  #nextSlab = 1;
  #closed = false;

  constructor(clock: Clock, options: SimulatedDiskOptions = {}) {
    this.#clock = clock;
    this.volume = options.volume ?? new SimulatedVolume();
    this.#seekMs = options.seekMs ?? 0.1;
    this.#bytesPerMs = (options.bytesPerSecond ?? 500e6) / 1000;
  }

  /** The program dies: nothing that is not done yet will be, and nobody is called any more. The volume stays. */
  crash(): void {
    this.#closed = true;
    this.#tasks = [];
    this.#timer?.cancel();
    this.#timer = null;
  }

  prepare(): void {}

  allocateSlab(bytes: number): Slab {
    const size = 2 ** Math.ceil(Math.log2(Math.max(16384, bytes)));
    return this.#freeSlabs.get(size)?.pop() ?? new PlainSlab(this.#nextSlab++, new Uint8Array(size));
  }

  freeSlab(slab: Slab): void {
    const list = this.#freeSlabs.get(slab.bytes.length);
    if (list === undefined) this.#freeSlabs.set(slab.bytes.length, [slab]);
    else list.push(slab);
  }

  register(ref: FileRef): FileId {
    const known = this.#ids.get(pathOf(ref));
    if (known !== undefined) {
      this.#userCounts.set(known, this.#userCounts.get(known)! + 1);
      return known;
    }
    const id = this.#nextFile++ as FileId;
    this.#ids.set(pathOf(ref), id);
    this.#userCounts.set(id, 1);
    this.#refs.set(id, { root: ref.root, path: ref.path });
    return id;
  }

  submit(job: DiskJob, done: (result: DiskResult) => void): void {
    const refused = this.#refusalOf(job);
    if (refused !== null) {
      this.#clock.setTimer(0, () => done({ ok: false, fault: refused }));
      return;
    }
    this.#queue(this.#costOf(job), () => done(this.#perform(job)));
  }

  flush(): void {}

  /** Each answer comes alone. */
  afterAnswers(call: () => void): void {
    call();
  }

  forget(file: FileId): Promise<void> {
    const left = (this.#userCounts.get(file) ?? 0) - 1;
    assert(left >= 0, 'a file is forgotten as often as it was registered');
    this.#userCounts.set(file, left);
    const known = this.#refs.get(file);
    if (left === 0 && known !== undefined) this.#dropName(pathOf(known), file);
    return this.#operation('forget', file, (ref) => {
      if (left > 0) return;
      this.#dropName(pathOf(ref), file);
      this.#refs.delete(file);
      this.#userCounts.delete(file);
    });
  }

  #dropName(path: string, file: FileId): void {
    if (this.#ids.get(path) === file) this.#ids.delete(path);
  }

  stat(file: FileId): Promise<FileStat | null> {
    return this.#operation('stat', file, (ref) => {
      const found = this.#tryFile(ref);
      return found === null ? null : { bytes: found.bytes, modifiedMs: found.modifiedMs };
    });
  }

  allocate(file: FileId, bytes: number, mode: 'sparse' | 'full'): Promise<void> {
    return this.#operation('allocate', file, (ref) => {
      const path = pathOf(ref);
      const found = this.volume.fileForWriting(path, ref.root, this.#clock.wallMs());
      if (mode === 'full') this.volume.claim(path, found, 0, bytes);
      found.resize(bytes);
      if (mode === 'full') found.reserve();
      this.#markUsed(found, path);
    });
  }

  sync(file: FileId): Promise<void> {
    return this.#operation('sync', file, (ref) => {
      if (this.#tryFile(ref) !== null) this.volume.sync(pathOf(ref));
    });
  }

  move(file: FileId, to: FileRef): Promise<void> {
    return this.#operation('move', file, (ref) => {
      const [from, there] = [pathOf(ref), pathOf(to)];
      if (from === there) return;
      if (this.#tryFile(ref) !== null) {
        this.volume.checkFolders(there, to.root);
        if (this.volume.kind(there) !== null || this.#ids.has(there)) throw existsError(there);
        this.volume.rename(from, there);
        this.volume.removeEmptyFolders(from, ref.root);
        this.#known.add(there);
      } else if (this.#ids.has(there)) throw existsError(there);
      this.#known.delete(from);
      this.#dropName(from, file);
      this.#ids.set(there, file);
      this.#refs.set(file, { root: to.root, path: to.path });
    });
  }

  remove(file: FileId): Promise<void> {
    return this.#operation('remove', file, (ref) => {
      const path = pathOf(ref);
      if (this.#tryFile(ref) !== null) this.volume.remove(path);
      this.#known.delete(path);
      this.volume.removeEmptyFolders(path, ref.root);
    });
  }

  close(): Promise<void> {
    const whenDone = new Promise<void>((resolve) => this.#queue(0, resolve));
    this.#closed = true;
    return whenDone;
  }

  #refusalOf(job: DiskJob): DiskFault | null {
    if (this.#closed) return { code: 'io', message: 'The disk is closed.', file: null };
    if (job.kind === 'hash') return null;
    const stranger = job.spans.find(({ file }) => file !== null && !this.#refs.has(file));
    if (stranger === undefined) return null;
    return { code: 'io', message: `File ${stranger.file} is not registered.`, file: stranger.file };
  }

  #costOf(job: DiskJob): number {
    let costMs = job.bytes / this.#bytesPerMs;
    if (job.kind === 'hash') return costMs;
    for (const { file, offset, bytes } of job.spans) {
      if (file === null) continue;
      if (this.#head === null || this.#head.file !== file || this.#head.offset !== offset)
        costMs += this.#seekMs;
      this.#head = { file, offset: offset + bytes };
    }
    return costMs;
  }

  /** First in, first out: so an operation on a file never meets a running job. */
  #queue(costMs: number, work: () => void): void {
    this.#tasks.push({ costMs, work });
    if (this.#timer === null) this.#startNext();
  }

  #startNext(): void {
    const task = this.#tasks[0];
    if (task === undefined) return;
    this.#timer = this.#clock.setTimer(task.costMs, () => {
      this.#timer = null;
      this.#tasks.shift();
      this.#startNext();
      task.work();
    });
  }

  #operation<Value>(op: string, file: FileId, work: (ref: FileRef) => Value): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#queue(this.#seekMs, () => {
        const ref = this.#refs.get(file);
        try {
          assert(ref !== undefined, 'a file is registered while it is used');
          resolve(work(ref));
        } catch (error) {
          reject(error instanceof VolumeFailure ? nodeErrorOf(error, op) : error);
        }
      });
    });
  }

  #perform(job: DiskJob): DiskResult {
    const at: { file: FileId | null } = { file: null };
    const stream = job.kind === 'load' ? null : (job.digest?.stream ?? null);
    try {
      return this.#performKind(job, at);
    } catch (error) {
      if (!(error instanceof VolumeFailure)) throw error;
      if (stream !== null) this.#streams.delete(stream.key);
      return { ok: false, fault: { code: error.code, message: error.message, file: at.file } };
    }
  }

  #performKind(job: DiskJob, at: { file: FileId | null }): DiskResult {
    const memory =
      job.kind === 'check'
        ? new Uint8Array(job.bytes)
        : job.slab.bytes.subarray(job.slabOffset, job.slabOffset + job.bytes);
    const spans = job.kind === 'hash' ? [] : job.spans;
    if (job.kind === 'load' || job.kind === 'check') this.#read(spans, memory, at);
    else clearPadding(spans, memory);
    const request = job.digest ?? null;
    const digests = request === null ? null : this.#digest(request, memory, treeBytesOf(job.bytes, spans));
    const written = job.kind === 'store' && (digests === null || digests.matched);
    if (written) this.#write(spans, memory, at);
    return { ok: true, digests, written };
  }

  #digest(request: DigestRequest, memory: Uint8Array, treeBytes: number): DiskDigests {
    const { stream } = request;
    if (stream === null) return digestsOf(request, memory, memory, treeBytes);
    const parts = stream.part === 'first' ? [] : this.#streams.get(stream.key);
    if (parts === undefined) throw new VolumeFailure('io', 'a piece of which an earlier part failed');
    parts.push(memory.slice());
    if (stream.part !== 'last') {
      this.#streams.set(stream.key, parts);
      return digestsOf(request, memory, null, treeBytes);
    }
    this.#streams.delete(stream.key);
    return digestsOf(request, memory, new Uint8Array(Buffer.concat(parts)), treeBytes);
  }

  #read(spans: readonly FileSpan[], memory: Uint8Array, at: { file: FileId | null }): void {
    let from = 0;
    for (const { file, offset, bytes } of spans) {
      const part = memory.subarray(from, from + bytes);
      from += bytes;
      if (file === null) {
        part.fill(0);
        continue;
      }
      at.file = file;
      const ref = this.#refs.get(file)!;
      const found = this.#tryFile(ref);
      if (found === null || found.bytes < offset + bytes) throw new VolumeFailure('missing', pathOf(ref));
      found.read(offset, part);
    }
  }

  #write(spans: readonly FileSpan[], memory: Uint8Array, at: { file: FileId | null }): void {
    let from = 0;
    for (const { file, offset, bytes } of spans) {
      const part = memory.subarray(from, from + bytes);
      from += bytes;
      if (file === null) continue;
      at.file = file;
      const ref = this.#refs.get(file)!;
      const path = pathOf(ref);
      if (this.#known.has(path) && this.volume.kind(path) === null) {
        this.#known.delete(path);
        throw new VolumeFailure('missing', path);
      }
      const found = this.volume.fileForWriting(path, ref.root, this.#clock.wallMs());
      this.volume.claim(path, found, offset, bytes);
      found.write(offset, part);
      this.#markUsed(found, path);
    }
  }

  /** From now on it is missed when it vanishes. */
  #markUsed(file: VolumeFile, path: string): void {
    file.modifiedMs = this.#clock.wallMs();
    this.#known.add(path);
  }

  #tryFile(ref: FileRef): VolumeFile | null {
    this.volume.checkFolders(pathOf(ref), ref.root);
    return this.volume.kind(pathOf(ref)) === null ? null : this.volume.file(pathOf(ref));
  }
}

function pathOf(ref: FileRef): string {
  return `${ref.root}/${ref.path}`;
}

function clearPadding(spans: readonly FileSpan[], memory: Uint8Array): void {
  let at = 0;
  for (const { file, bytes } of spans) {
    if (file === null) memory.fill(0, at, at + bytes);
    at += bytes;
  }
}

/** Trailing padding is no part of the merkle tree. */
function treeBytesOf(bytes: number, spans: readonly FileSpan[]): number {
  let rest = bytes;
  for (let i = spans.length - 1; i >= 0 && spans[i]!.file === null; i--) rest -= spans[i]!.bytes;
  return rest;
}

function existsError(path: string): NodeError {
  return new NodeError('DISK_EXISTS', `"${path}" exists already and is kept.`, {
    op: 'move',
    data: { path },
  });
}

function nodeErrorOf(failure: VolumeFailure, op: string): NodeError {
  const retry = failure.code !== 'not-a-file' && failure.code !== 'io';
  return new NodeError(errorCodes[failure.code], failure.message, { op, retry });
}
