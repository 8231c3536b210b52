/**
 * Open files of one worker: the least recently used is closed when there are too many. Opened for reading by load
 * and check, for reading and writing by store.
 *
 * An open file whose name was removed or replaced under it would swallow writes unseen, so at most a second later
 * its name is looked up again, and the job then fails as `missing`.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats } from 'node:fs';
import type { FileId, FileRef } from '@tequio/kernel';
import { DiskFailure, sentenceOf, systemCodeOf } from './disk-fault.ts';
import { diskLimits } from './disk-messages.ts';
import { checkFoldersSync, fullPath, notAFolder, openFlags } from './disk-paths.ts';

type Handle = {
  readonly fd: number;
  readonly writable: boolean;
  readonly device: number;
  readonly inode: number;
  checkedMs: number;
};

export class FileHandles {
  readonly #refs = new Map<number, FileRef>();
  /** In order of use, the oldest first. */
  readonly #handles = new Map<number, Handle>();
  readonly #handleMax: number;

  constructor(handleMax: number) {
    this.#handleMax = handleMax;
  }

  name(file: number, ref: FileRef): void {
    this.#refs.set(file, ref);
  }

  /** Its full path, for sentences. */
  pathOf(file: number): string {
    const ref = this.#refs.get(file);
    return ref === undefined ? `file ${file}` : fullPath(ref);
  }

  /** A descriptor for the file; `write` makes it, and its folders, when missing. @throws DiskFailure or as open does */
  open(file: number, write: boolean): number {
    const handle = this.#handles.get(file);
    if (handle !== undefined && (handle.writable || !write)) {
      this.#handles.delete(file);
      this.#handles.set(file, handle);
      this.#checkName(file, handle);
      return handle.fd;
    }
    this.close(file);
    const opened = this.#openNew(file, write);
    this.#handles.set(file, opened);
    return opened.fd;
  }

  close(file: number): void {
    const handle = this.#handles.get(file);
    if (handle === undefined) return;
    this.#handles.delete(file);
    closeSync(handle.fd);
  }

  forget(file: number): void {
    this.close(file);
    this.#refs.delete(file);
  }

  closeAll(): void {
    for (const file of [...this.#handles.keys()]) this.close(file);
  }

  #openNew(file: number, write: boolean): Handle {
    const ref = this.#refs.get(file);
    if (ref === undefined) throw new DiskFailure('io', `File ${file} is not registered.`, file as FileId);
    while (this.#handles.size >= this.#handleMax) this.#closeOldest();
    checkFoldersSync(ref, write);
    const path = fullPath(ref);
    const mode = write ? constants.O_RDWR | constants.O_CREAT : constants.O_RDONLY;
    if (constants.O_NOFOLLOW === undefined) refuseLink(ref, path);
    const fd = this.#openFrugally(path, mode | openFlags, ref.isSecret === true ? 0o600 : 0o666);
    const stats = fstatSync(fd);
    if (!stats.isFile()) {
      closeSync(fd);
      throw notAFolder(ref);
    }
    return { fd, writable: write, device: stats.dev, inode: stats.ino, checkedMs: performance.now() };
  }

  /** When the process has no descriptor left, gives back those that are only kept for later. */
  #openFrugally(path: string, flags: number, rights: number): number {
    try {
      return openSync(path, flags, rights);
    } catch (error) {
      if (systemCodeOf(error) !== 'EMFILE') throw error;
      this.closeAll();
      return openSync(path, flags, rights);
    }
  }

  #closeOldest(): void {
    for (const file of this.#handles.keys()) {
      this.close(file);
      return;
    }
  }

  #checkName(file: number, handle: Handle): void {
    const nowMs = performance.now();
    if (nowMs - handle.checkedMs < diskLimits.handleCheckMs) return;
    handle.checkedMs = nowMs;
    const path = this.pathOf(file);
    const named = lstatSync(path, { throwIfNoEntry: false });
    if (named !== undefined && isSameFile(named, handle)) return;
    this.close(file);
    throw new DiskFailure('missing', sentenceOf('missing', path, null), file as FileId);
  }
}

/** Some network file systems change inode numbers at will: there, the same size and time will do. */
function isSameFile(named: Stats, handle: Handle): boolean {
  if (named.ino === handle.inode && named.dev === handle.device) return true;
  const open = fstatSync(handle.fd);
  return named.isFile() && open.nlink > 0 && named.size === open.size && named.mtimeMs === open.mtimeMs;
}

function refuseLink(ref: FileRef, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) throw notAFolder(ref);
}
