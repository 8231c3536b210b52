/** Folders that a user names: what is in them, and what becomes of it. */
import { readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeError } from '@tequio/kernel';

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
