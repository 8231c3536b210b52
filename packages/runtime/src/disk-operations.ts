/**
 * Whole-file operations of the disk port, on the system's own thread pool so that no job waits behind a slow sync.
 * The caller has made sure that no job uses the file meanwhile.
 */
import { constants, type Stats } from 'node:fs';
import { copyFile, type FileHandle, lstat, open, rename, rm, rmdir, unlink, utimes } from 'node:fs/promises';
import type { FileRef, FileStat } from '@tequio/kernel';
import { NodeError } from '@tequio/kernel';
import { diskErrorOf } from './disk-error.ts';
import { systemCodeOf } from './disk-fault.ts';
import { checkFolders, foldersOf, fullPath, notAFolder, openFlags } from './disk-paths.ts';

/** Zeros are written in runs of this many bytes when blocks are reserved. */
const reserveBytes = 1 << 20;

/** Suffix of a copy across devices until it is whole. */
const movingSuffix = '.tequio-moving';

/** Null when there is none. @throws NodeError DISK_* */
export async function statFile(ref: FileRef): Promise<FileStat | null> {
  return guarded('stat', ref, async () => {
    const stats = await tryLstat(ref);
    if (stats === null) return null;
    if (!stats.isFile()) throw notAFolder(ref);
    return { bytes: stats.size, modifiedMs: stats.mtimeMs };
  });
}

/** See `DiskPort.allocate`. Reserving writes zeros behind the present end; a hole inside stays a hole. */
export async function allocateFile(ref: FileRef, bytes: number, mode: 'sparse' | 'full'): Promise<void> {
  await guarded('allocate', ref, async () => {
    await checkFolders(ref, true);
    const rights = ref.isSecret === true ? 0o600 : 0o666;
    const file = await open(fullPath(ref), constants.O_RDWR | constants.O_CREAT | openFlags, rights);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw notAFolder(ref);
      if (mode === 'sparse' || stats.size >= bytes) await file.truncate(bytes);
      else await reserve(file, stats.size, bytes);
    } finally {
      await file.close();
    }
  });
}

async function reserve(file: FileHandle, from: number, to: number): Promise<void> {
  const zeros = new Uint8Array(Math.min(reserveBytes, to - from));
  try {
    for (let at = from; at < to; ) {
      const { bytesWritten } = await file.write(zeros, 0, Math.min(zeros.length, to - at), at);
      at += bytesWritten;
    }
  } catch (error) {
    await file.truncate(from);
    throw error;
  }
}

/** Windows syncs only what is open for writing; elsewhere a file that we may only read is synced too. */
const syncFlags = process.platform === 'win32' ? constants.O_RDWR : constants.O_RDONLY;

/** fdatasync. Nothing to do when the file is missing: there is nothing to keep. */
export async function syncFile(ref: FileRef): Promise<void> {
  await guarded('sync', ref, async () => {
    const stats = await tryLstat(ref);
    if (stats === null) return;
    if (!stats.isFile()) throw notAFolder(ref);
    const file = await open(fullPath(ref), syncFlags | openFlags);
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
  });
}

/**
 * Renames, or copies and removes across devices. A file that does not exist (yet) has nothing to be moved. Whether
 * something is at the new place is looked up just before: a file made there in between would be replaced.
 */
export async function moveFile(from: FileRef, to: FileRef): Promise<void> {
  await guarded('move', from, async () => {
    const stats = await tryLstat(from);
    if (stats === null) return;
    if (!stats.isFile()) throw notAFolder(from);
    await checkFolders(to, true);
    if ((await tryLstat(to)) !== null) throw existsError(to);
    try {
      await rename(fullPath(from), fullPath(to));
    } catch (error) {
      if (systemCodeOf(error) !== 'EXDEV') throw error;
      await copyAcross(from, to, stats);
    }
    await removeEmptyFolders(from);
  });
}

export function existsError(to: FileRef): NodeError {
  return new NodeError('DISK_EXISTS', `"${fullPath(to)}" exists already and is kept.`, {
    op: 'move',
    data: { path: fullPath(to) },
  });
}

/** The copy gets its name, and the original goes, only when it is whole and on the device. */
async function copyAcross(from: FileRef, to: FileRef, stats: Stats): Promise<void> {
  const part = fullPath(to) + movingSuffix;
  await rm(part, { force: true });
  try {
    await copyFile(fullPath(from), part, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await utimes(part, stats.atimeMs / 1000, stats.mtimeMs / 1000);
    const copy = await open(part, constants.O_RDWR | openFlags);
    await copy.sync().finally(() => copy.close());
    await rename(part, fullPath(to));
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw error;
  }
  await unlink(fullPath(from));
}

/** Removes the file when it is there, then the folders below the root that this left empty. */
export async function removeFile(ref: FileRef): Promise<void> {
  await guarded('remove', ref, async () => {
    const stats = await tryLstat(ref);
    if (stats !== null) {
      if (!stats.isFile()) throw notAFolder(ref);
      await unlink(fullPath(ref));
    }
    await removeEmptyFolders(ref);
  });
}

async function removeEmptyFolders(ref: FileRef): Promise<void> {
  const folders = foldersOf(ref).slice(1).reverse();
  for (const folder of folders) {
    try {
      await rmdir(folder);
    } catch (error) {
      // Not empty, or not ours to remove: its parents then stay too. A missing one may still have an empty parent.
      if (systemCodeOf(error) !== 'ENOENT') return;
    }
  }
}

/** Null when the file, or a folder on the way, is missing. @throws DiskFailure when a folder on the way is none */
async function tryLstat(ref: FileRef): Promise<Stats | null> {
  try {
    await checkFolders(ref, false);
    return await lstat(fullPath(ref));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

async function guarded<Value>(op: string, ref: FileRef, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw diskErrorOf(error, op, fullPath(ref));
  }
}
