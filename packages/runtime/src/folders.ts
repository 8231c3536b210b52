/** Folders that a user names: what is in them, and what becomes of it. */
import { chmodSync, statSync } from 'node:fs';
import { readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeError } from '@tequio/kernel';

/** Whoever may write there may not remove others' files: a place that many share. */
const stickyBit = 0o1000;

export type FolderEntry = { readonly name: string; readonly bytes: number; readonly modifiedMs: number };

/** Regular files right in the folder, by name; at most so many. @throws NodeError `FILE_READ` */
export async function listFolder(folder: string, countMax: number): Promise<readonly FolderEntry[]> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    const names = found.filter((entry) => entry.isFile()).map(({ name }) => name);
    const entries: FolderEntry[] = [];
    for (const name of names.sort().slice(0, countMax)) {
      const { size, mtimeMs } = await stat(join(folder, name));
      entries.push({ name, bytes: size, modifiedMs: mtimeMs });
    }
    return entries;
  } catch (error) {
    throw folderError('FILE_READ', `"${folder}" cannot be read`, error);
  }
}

/** @throws NodeError `FILE_WRITE` */
export async function renameFile(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: unknown) => {
    throw folderError('FILE_WRITE', `"${from}" cannot be renamed`, error);
  });
}

/** @throws NodeError `FILE_WRITE` */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true }).catch((error: unknown) => {
    throw folderError('FILE_WRITE', `"${path}" cannot be removed`, error);
  });
}

/**
 * Takes a folder's rights from all but its owner. `was`: they had none, or the system does not know them; `refused`: it
 * is somebody else's, or everybody's (as `/tmp`).
 */
export function makePrivate(folder: string): 'was' | 'made' | 'refused' {
  const { mode } = statSync(folder);
  if (process.platform === 'win32' || (mode & 0o077) === 0) return 'was';
  if ((mode & stickyBit) !== 0) return 'refused';
  try {
    chmodSync(folder, 0o700);
    return 'made';
  } catch {
    return 'refused';
  }
}

/** For whoever runs this, on the device of the nearest folder that is there; null: not known. */
export async function freeBytesAt(path: string): Promise<number | null> {
  for (let at = path; ; at = join(at, '..')) {
    const stats = await statfs(at).catch(() => null);
    if (stats !== null) return stats.bavail * stats.bsize;
    if (join(at, '..') === at) return null;
  }
}

function folderError(code: string, what: string, cause: unknown): NodeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new NodeError(code, `${what}: ${reason}.`, { cause });
}
