/**
 * Where a file of a root lies, and that no symbolic link leads there.
 *
 * Each folder between the root and the file is looked at with lstat before a file is opened, and the file itself is
 * opened with O_NOFOLLOW. The race that remains: a program of the same user that swaps a folder for a link between
 * the look and the opening is followed. It needs the right to write to the folder, with which it could do the same
 * harm itself; a torrent cannot do it, for nothing here ever makes a link. The root may be, or lie behind, a link:
 * it is the user's own choice.
 */
import { constants, lstatSync, mkdirSync } from 'node:fs';
import { lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileRef } from '@tequio/kernel';
import { DiskFailure, sentenceOf, systemCodeOf } from './disk-fault.ts';

/** Absent on Windows, where links need a privilege to be made. O_NONBLOCK: a named pipe must not block its opener. */
export const openFlags = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

export function fullPath(ref: FileRef): string {
  return join(ref.root, ref.path);
}

/** True when the relative path of `ref` is what the port promises to be given. */
export function isSafeRef(ref: FileRef): boolean {
  if (ref.path.includes('\0') || ref.root.includes('\0') || ref.root === '') return false;
  if (process.platform === 'win32' && /[\\:]/.test(ref.path)) return false;
  return ref.path.split('/').every((element) => element !== '' && element !== '.' && element !== '..');
}

/** The folders from the root down to the one that holds the file. */
export function foldersOf(ref: FileRef): string[] {
  const elements = ref.path.split('/');
  const folders: string[] = [ref.root];
  for (let i = 0; i + 1 < elements.length; i++) folders.push(join(folders[i]!, elements[i]!));
  return folders;
}

/** Checks the folders of `ref`, and makes those that are missing when `make`. @throws as lstat and mkdir do */
export function checkFoldersSync(ref: FileRef, make: boolean): void {
  const folders = foldersOf(ref);
  if (make) mkdirSync(folders[0]!, { recursive: true });
  for (let i = 1; i < folders.length; i++) {
    const refusal = make ? refusalOf(() => mkdirSync(folders[i]!)) : null;
    const stats = lstatSync(folders[i]!, { throwIfNoEntry: refusal === null });
    // Not there, and not to be made: that is what is wrong.
    if (stats === undefined) throw refusal;
    if (!stats.isDirectory()) throw notAFolder(ref);
  }
}

/** The same without blocking the thread. */
export async function checkFolders(ref: FileRef, make: boolean): Promise<void> {
  const folders = foldersOf(ref);
  if (make) await mkdir(folders[0]!, { recursive: true });
  for (let i = 1; i < folders.length; i++) {
    const refusal = make ? await mkdir(folders[i]!).then(() => null, passExisting) : null;
    const stats = await lstat(folders[i]!).catch((error: unknown) => {
      throw refusal ?? error;
    });
    if (!stats.isDirectory()) throw notAFolder(ref);
  }
}

export function notAFolder(ref: FileRef): DiskFailure {
  return new DiskFailure('not-a-file', sentenceOf('not-a-file', fullPath(ref), null), null);
}

/** What the system said instead of making it, if it may be there all the same. */
function refusalOf(make: () => void): unknown {
  try {
    make();
    return null;
  } catch (error) {
    return passExisting(error);
  }
}

/** EEXIST; some systems say EROFS or EACCES of a folder that is there: the look that follows decides. */
function passExisting(error: unknown): unknown {
  const code = systemCodeOf(error);
  if (code !== 'EEXIST' && code !== 'EROFS' && code !== 'EACCES') throw error;
  return error;
}
