/**
 * A disk port and a files port over a Map, for tests of the creator and the verifier: only what those two
 * use.
 */
import { createHash } from 'node:crypto';
import {
  assert,
  type DiskDigests,
  type DiskJob,
  type DiskPort,
  type DiskResult,
  type FileId,
  type FileRef,
  type FilesPort,
  type Hashes,
  NodeError,
  Prng,
} from '@tequio/kernel';
import { merkleRoot } from '../core/merkle.ts';

export const testHashes: Hashes = {
  sha1: (bytes) => new Uint8Array(createHash('sha1').update(bytes).digest()),
  sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};

/** Files by absolute path; a link is null. */
export type Tree = Map<string, Uint8Array | null>;

export class MemoryDisk {
  readonly tree: Tree;
  readonly executables = new Set<string>();
  /** Reading these fails. */
  readonly denied = new Set<string>();
  /** Called before each job: tests change files here. */
  beforeJob: (jobCount: number) => void = () => {};
  /** Most jobs that were ever under way at once. */
  runningMax = 0;
  readonly #refs: FileRef[] = [];
  readonly #prng = new Prng(7);
  readonly #waiting: (() => void)[] = [];
  #jobCount = 0;
  modifiedMs = 1;

  constructor(tree: Tree) {
    this.tree = tree;
  }

  get disk(): DiskPort {
    const unused = (): never => assert(false, 'not used here') as never;
    return {
      threadCount: 2,
      register: (ref) => this.#register(ref),
      forget: async () => {},
      submit: (job, done) => this.#submit(job, done),
      flush: () => {},
      afterAnswers: (call) => call(),
      stat: async (file) => this.#stat(this.#pathOf(file)),
      prepare: () => {},
      allocateSlab: unused,
      freeSlab: unused,
      allocate: unused,
      sync: unused,
      move: unused,
      remove: unused,
      close: unused,
    };
  }

  get files(): FilesPort {
    const unused = (): never => assert(false, 'not used here') as never;
    return {
      kind: async (path) => this.#kind(path),
      realPath: async (path) => (this.#kind(path) === null ? null : path),
      walk: async (folder) => this.#walk(folder),
      readFile: unused,
      writeFile: unused,
      makeFolder: unused,
    };
  }

  #register(ref: FileRef): FileId {
    this.#refs.push(ref);
    return this.#refs.length as FileId;
  }

  #pathOf(file: FileId): string {
    const ref = this.#refs[file - 1]!;
    return `${ref.root}/${ref.path}`;
  }

  #kind(path: string): 'file' | 'folder' | 'link' | null {
    if (this.tree.has(path)) return this.tree.get(path) === null ? 'link' : 'file';
    return [...this.tree.keys()].some((key) => key.startsWith(`${path}/`)) ? 'folder' : null;
  }

  #walk(folder: string): Awaited<ReturnType<FilesPort['walk']>> {
    const inside = [...this.tree].filter(([path]) => path.startsWith(`${folder}/`));
    const relative = (path: string): string => path.slice(folder.length + 1);
    return {
      // In no order that anybody should rely on.
      files: this.#prng.shuffle(
        inside.flatMap(([path, bytes]) =>
          bytes === null
            ? []
            : {
                path: relative(path),
                bytes: bytes.length,
                modifiedMs: this.modifiedMs,
                executable: this.executables.has(path),
              },
        ),
      ),
      leftOut: inside.filter(([, bytes]) => bytes === null).map(([path]) => relative(path)),
    };
  }

  #stat(path: string): { bytes: number; modifiedMs: number } | null {
    const kind = this.#kind(path);
    if (kind === null) return null;
    if (kind !== 'file') throw new NodeError('DISK_NOT_A_FILE', path);
    return { bytes: this.tree.get(path)!.length, modifiedMs: this.modifiedMs };
  }

  /** Done in random order, some turns later. */
  #submit(job: DiskJob, done: (result: DiskResult) => void): void {
    this.#waiting.push(() => done(this.#check(job)));
    this.runningMax = Math.max(this.runningMax, this.#waiting.length);
    setImmediate(() => this.#waiting.splice(this.#prng.below(this.#waiting.length), 1)[0]!());
  }

  #check(job: DiskJob): DiskResult {
    assert(job.kind === 'check', 'only checks here');
    this.beforeJob(this.#jobCount++);
    const parts: Uint8Array[] = [];
    for (const { file, offset, bytes } of job.spans) {
      const content = file === null ? new Uint8Array(bytes) : this.tree.get(this.#pathOf(file));
      const isShort = content === undefined || content === null || content.length < offset + bytes;
      const code =
        file !== null && this.denied.has(this.#pathOf(file)) ? 'denied' : isShort ? 'missing' : null;
      if (code !== null)
        return { ok: false, fault: { code, message: `${code}: ${this.#pathOf(file!)}`, file } };
      parts.push(content!.subarray(offset, offset + bytes));
    }
    const bytes = Uint8Array.from(Buffer.concat(parts));
    assert(bytes.length === job.bytes, 'the spans are as long as the job says');
    return { ok: true, written: false, digests: digestsOf(job.digest, bytes) };
  }
}

function digestsOf(request: Extract<DiskJob, { kind: 'check' }>['digest'], bytes: Uint8Array): DiskDigests {
  const sha1 = request.sha1 ? testHashes.sha1(bytes) : null;
  let root: Uint8Array | null = null;
  if (request.merkle !== null) {
    const covered = bytes.subarray(0, request.merkle.bytes ?? bytes.length);
    const leaves: Uint8Array[] = [];
    for (let at = 0; at < covered.length; at += 16384)
      leaves.push(testHashes.sha256(covered.subarray(at, at + 16384)));
    root = merkleRoot(testHashes, Uint8Array.from(Buffer.concat(leaves)), 0, request.merkle.leafCount);
  }
  const same = (expected: Uint8Array | null | undefined, got: Uint8Array | null): boolean =>
    expected === null || expected === undefined || (got !== null && Buffer.compare(expected, got) === 0);
  const matched = same(request.expect?.sha1, sha1) && same(request.expect?.root, root);
  return { sha1, sha1Blocks: null, leaves: null, root, matched };
}
