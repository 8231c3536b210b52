/**
 * Open files of those who work on libuv's pool: what disk-handles.ts is for a thread, but nothing blocks here.
 * Files are opened for writing, and made, with their folders, when they are missing.
 */
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import type { FileId, FileRef } from '@tequio/kernel';
import { DiskFailure, sentenceOf, systemCodeOf } from './disk-fault.ts';
import { diskLimits } from './disk-messages.ts';
import { checkFolders, fullPath, notAFolder, openFlags } from './disk-paths.ts';

type Entry = {
  /** Rejects when it cannot be opened; then the entry is gone. */
  readonly opening: Promise<Opened>;
  userCount: number;
  /** Its name leads elsewhere: it is closed with its last user. */
  isLost: boolean;
};

type Opened = {
  readonly handle: FileHandle;
  readonly device: number;
  readonly inode: number;
  checkedMs: number;
};

export class PooledHandles {
  /** In order of use, the oldest first. */
  readonly #entries = new Map<FileId, Entry>();
  readonly #handleMax: number;

  constructor(handleMax: number) {
    this.#handleMax = handleMax;
  }

  /** Runs `work` on the open file, which stays open meanwhile. @throws DiskFailure or as open and `work` do */
  async use(file: FileId, ref: FileRef, work: (handle: FileHandle) => Promise<void>): Promise<void> {
    const entry = await this.#take(file, ref);
    try {
      const opened = await entry.opening;
      if (!(await isNamed(ref, opened))) this.#lose(file, ref, entry);
      await work(opened.handle);
    } finally {
      if (--entry.userCount === 0 && entry.isLost) await closeOf(entry);
    }
  }

  /** Only when nobody uses it. */
  async close(file: FileId): Promise<void> {
    const entry = this.#entries.get(file);
    if (entry === undefined) return;
    this.#entries.delete(file);
    await closeOf(entry);
  }

  async closeAll(): Promise<void> {
    for (const file of [...this.#entries.keys()]) await this.close(file);
  }

  async #take(file: FileId, ref: FileRef): Promise<Entry> {
    while (this.#entries.size >= this.#handleMax && !this.#entries.has(file)) {
      if (!(await this.#tryCloseOldest())) break;
    }
    const entry = this.#entries.get(file) ?? { opening: this.#open(file, ref), userCount: 0, isLost: false };
    this.#entries.delete(file);
    this.#entries.set(file, entry);
    entry.userCount++;
    return entry;
  }

  async #open(file: FileId, ref: FileRef): Promise<Opened> {
    try {
      await checkFolders(ref, true);
      const handle = await this.#openFrugally(ref);
      const stats = await handle.stat();
      if (stats.isFile())
        return { handle, device: stats.dev, inode: stats.ino, checkedMs: performance.now() };
      await handle.close();
      throw notAFolder(ref);
    } catch (error) {
      this.#entries.delete(file);
      throw error;
    }
  }

  /** When the process has no descriptor left, gives back those that are only kept for later. */
  async #openFrugally(ref: FileRef): Promise<FileHandle> {
    const flags = constants.O_RDWR | constants.O_CREAT | openFlags;
    const rights = ref.isSecret === true ? 0o600 : 0o666;
    try {
      return await open(fullPath(ref), flags, rights);
    } catch (error) {
      if (systemCodeOf(error) !== 'EMFILE') throw error;
      while (await this.#tryCloseOldest()) {}
      return open(fullPath(ref), flags, rights);
    }
  }

  async #tryCloseOldest(): Promise<boolean> {
    for (const [file, { userCount }] of this.#entries) {
      if (userCount > 0) continue;
      await this.close(file);
      return true;
    }
    return false;
  }

  /** @throws DiskFailure */
  #lose(file: FileId, ref: FileRef, entry: Entry): never {
    entry.isLost = true;
    if (this.#entries.get(file) === entry) this.#entries.delete(file);
    throw new DiskFailure('missing', sentenceOf('missing', fullPath(ref), null), file);
  }
}

async function closeOf(entry: Entry): Promise<void> {
  const { handle } = await entry.opening;
  await handle.close();
}

/** False: its name was removed or replaced, so that what is written would be swallowed unseen. Looks once a second. */
async function isNamed(ref: FileRef, opened: Opened): Promise<boolean> {
  const nowMs = performance.now();
  if (nowMs - opened.checkedMs < diskLimits.handleCheckMs) return true;
  opened.checkedMs = nowMs;
  const named = await lstat(fullPath(ref)).catch(() => null);
  if (named === null) return false;
  if (named.ino === opened.inode && named.dev === opened.device) return true;
  // Some network file systems change inode numbers at will: there, the same size and time will do.
  const { nlink, size, mtimeMs } = await opened.handle.stat();
  return named.isFile() && nlink > 0 && named.size === size && named.mtimeMs === mtimeMs;
}
