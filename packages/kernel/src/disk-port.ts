/**
 * Files and bulk hashing. Jobs are batched and run on other threads; each result comes back once, in any order.
 *
 *   core ── store {slab, spans, digest} ──> hash the slab ─ matches? ─> write the spans ──> result
 *   core ── load  {slab, spans}         ──> read the spans into the slab ────────────────> result
 *   core ── load  {slab, spans, digest} ──> the same, and hash what was read ────────────> result
 *   core ── check {spans, digest}       ──> read and hash, nothing comes back but digests ─> result
 *
 * A file is named by its root (a folder that the user chose) and a relative path below it. No component of the
 * relative path is followed when it is a symbolic link; a file that would lie outside its root is never opened.
 */
import type { Brand } from './brand.ts';
import type { Slab } from './memory.ts';

export type FileId = Brand<number, 'FileId'>;

/** `root` absolute; `path` relative, with `/`, already made safe (no empty element, `.` or `..`). */
export type FileRef = {
  readonly root: string;
  readonly path: string;
  /** When it is made, its owner alone may read it. */
  readonly isSecret?: boolean;
};

/** A run of bytes of one file; `file` null is padding: zeros when hashed, never written or read. */
export type FileSpan = { readonly file: FileId | null; readonly offset: number; readonly bytes: number };

/** What to hash while a job passes over its bytes. */
export type DigestRequest = {
  /** SHA-1 of the bytes, in the stream below. */
  readonly sha1: boolean;
  /** SHA-1 of each 16 KiB block apart (to find who sent a bad one). */
  readonly sha1Blocks?: boolean;
  /**
   * SHA-256 of each 16 KiB block (BEP 52 leaves) and the merkle root over them, padded with zero hashes to
   * `leafCount` leaves, a power of two; null: not wanted. Only the first `bytes` (all, when left out) are leaves: in
   * a hybrid torrent a piece's SHA-1 covers the padding after a file, its merkle tree does not.
   */
  readonly merkle: { readonly leafCount: number; readonly bytes?: number } | null;
  /**
   * SHA-256 of ranges of the job's bytes: first byte and byte after the last, again and again; rising, without overlap.
   */
  readonly sha256Ranges?: readonly number[];
  /** SHA-1 over several jobs (a piece larger than a slab): all parts in order under one key; null: this job alone. */
  readonly stream: { readonly key: number; readonly part: 'first' | 'middle' | 'last' } | null;
  /** A store job writes only when these match; other jobs report `matched` alone. */
  readonly expect: { readonly sha1: Uint8Array | null; readonly root: Uint8Array | null } | null;
};

export type DiskJob =
  | {
      readonly kind: 'store';
      readonly slab: Slab;
      readonly slabOffset: number;
      readonly bytes: number;
      /** In order, together `bytes` long. */
      readonly spans: readonly FileSpan[];
      readonly digest: DigestRequest | null;
    }
  | {
      readonly kind: 'load';
      readonly slab: Slab;
      readonly slabOffset: number;
      readonly bytes: number;
      readonly spans: readonly FileSpan[];
      /** Hashes what was read; its stream must be null. */
      readonly digest?: DigestRequest;
    }
  | {
      readonly kind: 'check';
      readonly bytes: number;
      readonly spans: readonly FileSpan[];
      readonly digest: DigestRequest;
    }
  | {
      readonly kind: 'hash';
      readonly slab: Slab;
      readonly slabOffset: number;
      readonly bytes: number;
      readonly digest: DigestRequest;
    };

export type DiskDigests = {
  /** 20 bytes; null when not asked for, or when its stream has not ended. */
  readonly sha1: Uint8Array | null;
  /** 20 bytes a block. */
  readonly sha1Blocks: Uint8Array | null;
  /** 32 bytes a block, unpadded. */
  readonly leaves: Uint8Array | null;
  readonly root: Uint8Array | null;
  /** 32 bytes a range; absent when no ranges were given. */
  readonly sha256?: Uint8Array;
  /** True when nothing was expected, or all that was expected was found. */
  readonly matched: boolean;
};

export type DiskFaultCode =
  /** ENOSPC, EDQUOT, EFBIG. */
  | 'full'
  /** EROFS, EACCES, EPERM. */
  | 'denied'
  /** The file is missing, or shorter than the span. */
  | 'missing'
  /** A symbolic link or a folder stands where the file should be. */
  | 'not-a-file'
  /** Any other error of the system. */
  | 'io';

export type DiskFault = {
  readonly code: DiskFaultCode;
  /** A plain sentence with the file's name. */
  readonly message: string;
  readonly file: FileId | null;
};

export type DiskResult =
  | { readonly ok: true; readonly digests: DiskDigests | null; readonly written: boolean }
  | { readonly ok: false; readonly fault: DiskFault };

export type FileStat = { readonly bytes: number; readonly modifiedMs: number };

export interface DiskPort {
  /** How many jobs run at once. */
  readonly threadCount: number;
  /** Jobs will come soon, most of them of `jobBytes`: what takes time to start is started. May be left out. */
  prepare(jobBytes?: number): void;
  /** Memory of at least `bytes`; its content is arbitrary. Freed slabs are used again. */
  allocateSlab(bytes: number): Slab;
  /** Only when no job or connection uses it any more. */
  freeSlab(slab: Slab): void;
  /**
   * Names a file; nothing is opened or made. The same reference gives the same id until it is forgotten as often as it
   * was registered.
   */
  register(ref: FileRef): FileId;
  /** Closes its handles. Jobs given before this are done first. The last user's id is no more from this call on. */
  forget(file: FileId): Promise<void>;
  /** Queues a job; `done` is called once, never from inside this call. Store makes missing folders and files. */
  submit(job: DiskJob, done: (result: DiskResult) => void): void;
  /** Hands all queued jobs to the threads: once a turn of the driver loop. Also happens by itself very soon. */
  flush(): void;
  /**
   * For use in `done`: calls when all answers that came together with this one have been given, so that what follows
   * from them is done once. Calls at once where it came alone.
   */
  afterAnswers(call: () => void): void;
  /** Null when there is none. @throws NodeError DISK_* for anything but a missing file */
  stat(file: FileId): Promise<FileStat | null>;
  /** Makes the file with this length: sparse, or with its blocks reserved. An existing longer file is cut. */
  allocate(file: FileId, bytes: number, mode: 'sparse' | 'full'): Promise<void>;
  /** Waits until the file's bytes are on the device (fdatasync). */
  sync(file: FileId): Promise<void>;
  /** Renames, or copies and removes across devices; the id then names the new place. Throws where a file exists. */
  move(file: FileId, to: FileRef): Promise<void>;
  /** Removes the file, and then folders below its root that this left empty. */
  remove(file: FileId): Promise<void>;
  close(): Promise<void>;
}

/** Whole small files and folder walks, for torrent files and `create`. */
export interface FilesPort {
  /** @throws NodeError `FILE_MISSING`, `FILE_TOO_LONG`, `FILE_READ` */
  readFile(path: string, bytesMax: number): Promise<Uint8Array>;
  /**
   * Written whole beside its place, then renamed over it. @throws NodeError `FILE_WRITE`
   * @param options `secret`: only its owner may read it
   */
  writeFile(path: string, bytes: Uint8Array, options?: { readonly secret?: boolean }): Promise<void>;
  /** Null when nothing is there. Symbolic links are not followed. */
  kind(path: string): Promise<'file' | 'folder' | 'link' | 'other' | null>;
  /** The path with all symbolic links in it followed; null when nothing is there. @throws NodeError `FILE_READ` */
  realPath(path: string): Promise<string | null>;
  /** All regular files below a folder, by path with `/`, sorted by bytes of the path. Links are left out and named. */
  walk(folder: string): Promise<{
    readonly files: readonly {
      readonly path: string;
      readonly bytes: number;
      readonly modifiedMs: number;
      readonly executable: boolean;
    }[];
    readonly leftOut: readonly string[];
  }>;
  makeFolder(path: string): Promise<void>;
}

/** What lies in a folder. Symbolic links are not followed. */
export type FolderItem = {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  readonly bytes: number;
  /** Permissions: the low 12 bits of a Unix mode. */
  readonly mode: number;
  readonly modified: { readonly seconds: number; readonly nanoseconds: number };
  /** Of a link: where it leads to, as it stands there; of others null. */
  readonly target: string | null;
};

/** Folders one by one, with all that is known of what is in them. */
export interface FoldersPort {
  /** In no order; names that are no valid text are left out. @throws NodeError `FILE_MISSING`, `FILE_READ` */
  list(folder: string): Promise<readonly FolderItem[]>;
  /** Of one path; null when nothing is there. @throws NodeError `FILE_READ` */
  item(path: string): Promise<FolderItem | null>;
}
