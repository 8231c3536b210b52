/** Folders with all that the system knows of what is in them. */
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type FolderItem, type FoldersPort, NodeError } from '@tequio/kernel';

/** Names of one folder that are looked up at once. */
const lookupsAtOnce = 64;

export function createFolders(): FoldersPort {
  return { list, item };
}

async function list(folder: string): Promise<readonly FolderItem[]> {
  const items: FolderItem[] = [];
  const names = await namesIn(folder);
  for (let from = 0; from < names.length; from += lookupsAtOnce) {
    const lookups = names.slice(from, from + lookupsAtOnce).map((name) => item(join(folder, name)));
    // Null: it vanished meanwhile, or its name is no text and leads nowhere.
    for (const found of await Promise.all(lookups)) if (found !== null) items.push(found);
  }
  return items;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw readError(error, folder);
  }
}

async function item(path: string): Promise<FolderItem | null> {
  try {
    const stats = await lstat(path, { bigint: true });
    const kind = kindOf(stats);
    return {
      name: basename(path),
      kind,
      bytes: Number(stats.size),
      mode: Number(stats.mode & 0xfffn),
      modified: timeOf(stats.mtimeNs),
      target: kind === 'link' ? await readlink(path) : null,
    };
  } catch (error) {
    if (isMissing(error)) return null;
    throw readError(error, path);
  }
}

function kindOf(stats: BigIntStats): FolderItem['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

/** Nanoseconds count forward, also before 1970. */
function timeOf(nanoseconds: bigint): FolderItem['modified'] {
  const rest = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { seconds: Number((nanoseconds - rest) / 1_000_000_000n), nanoseconds: Number(rest) };
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function readError(error: unknown, path: string): NodeError {
  const more = { op: 'read', data: { path }, cause: error };
  if (isMissing(error))
    return new NodeError('FILE_MISSING', `"${path}" does not exist, or is no folder.`, more);
  const reason = error instanceof Error ? error.message : String(error);
  return new NodeError('FILE_READ', `"${path}" cannot be read: ${reason}.`, more);
}
