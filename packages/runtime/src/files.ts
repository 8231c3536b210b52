/** Whole small files and folder walks. Nothing here is for torrent content: see disk.ts. */
import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type FilesPort, NodeError } from '@tequio/kernel';

/** Names of one folder that are looked up at once. */
const lookupsAtOnce = 64;
/** A file is read in runs of this many bytes, so that what it says of its length is never believed. */
const readBytes = 1 << 16;

type Walked = Awaited<ReturnType<FilesPort['walk']>>;
type WalkedFile = Walked['files'][number];

export function createFiles(): FilesPort {
  return { readFile, writeFile, kind, realPath, walk, makeFolder };
}

async function readFile(path: string, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const file = await open(path, 'r');
    try {
      while (length <= bytesMax) {
        const part = new Uint8Array(Math.min(readBytes, bytesMax + 1 - length));
        const { bytesRead } = await file.read(part, 0, part.length);
        if (bytesRead === 0) return joined(parts, length);
        parts.push(part.subarray(0, bytesRead));
        length += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(error, 'read', path);
  }
  throw new NodeError('FILE_TOO_LONG', `"${path}" is longer than the ${bytesMax} bytes that are allowed.`, {
    op: 'read',
    data: { path, bytesMax },
  });
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** On the device before it gets its name: after a crash there is the old file or the new one, never a part. */
async function writeFile(
  path: string,
  bytes: Uint8Array,
  options: { readonly secret?: boolean } = {},
): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(beside, 'wx', options.secret === true ? 0o600 : 0o666);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw fileError(error, 'write', path);
  }
}

async function kind(path: string): Promise<'file' | 'folder' | 'link' | 'other' | null> {
  try {
    return kindOf(await lstat(path));
  } catch (error) {
    if (isMissing(error)) return null;
    throw fileError(error, 'read', path);
  }
}

async function realPath(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw fileError(error, 'read', path);
  }
}

function kindOf(stats: Stats): 'file' | 'folder' | 'link' | 'other' {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

/**
 * `leftOut` has the links, devices, pipes and sockets, and names that are no valid text. A folder that cannot be read
 * ends the walk: a torrent without it would not be what the user meant. @throws NodeError `FILE_READ`, `FILE_MISSING`
 */
async function walk(folder: string): Promise<Walked> {
  const files: WalkedFile[] = [];
  const leftOut: string[] = [];
  const waiting: string[] = [''];
  for (let inside = waiting.pop(); inside !== undefined; inside = waiting.pop()) {
    const names = await namesIn(join(folder, inside));
    for (let from = 0; from < names.length; from += lookupsAtOnce) {
      const paths = names.slice(from, from + lookupsAtOnce).map((name) => `${inside}${name}`);
      const found = await Promise.all(paths.map((path) => tryLstat(join(folder, path))));
      paths.forEach((path, i) => {
        const stats = found[i] ?? null;
        if (stats?.isFile() === true) files.push(walkedFile(path, stats));
        else if (stats?.isDirectory() === true) waiting.push(`${path}/`);
        else leftOut.push(path);
      });
    }
  }
  return {
    files: sortedByBytes(files, (file) => file.path),
    leftOut: sortedByBytes(leftOut, (path) => path),
  };
}

function walkedFile(path: string, stats: Stats): WalkedFile {
  return {
    path,
    bytes: stats.size,
    modifiedMs: stats.mtimeMs,
    executable: process.platform !== 'win32' && (stats.mode & 0o100) !== 0,
  };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') {
      throw new NodeError('FILE_READ', `"${folder}" is not a folder.`, {
        op: 'read',
        data: { path: folder },
      });
    }
    throw fileError(error, 'read', folder);
  }
}

/** Null when it is gone, or has a name that text cannot hold and that therefore leads nowhere. */
async function tryLstat(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw fileError(error, 'read', path);
  }
}

function sortedByBytes<Item>(items: readonly Item[], pathOf: (item: Item) => string): Item[] {
  const keyed = items.map((item) => ({ item, key: Buffer.from(pathOf(item)) }));
  keyed.sort((a, b) => Buffer.compare(a.key, b.key));
  return keyed.map(({ item }) => item);
}

/** With its parents; an existing folder is fine. @throws NodeError `FILE_WRITE` */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw fileError(error, 'write', path);
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function fileError(error: unknown, op: 'read' | 'write', path: string): NodeError {
  const reason = error instanceof Error ? error.message : String(error);
  const more = { op, data: { path }, cause: error };
  if (op === 'write') return new NodeError('FILE_WRITE', `"${path}" cannot be written: ${reason}.`, more);
  if (isMissing(error)) return new NodeError('FILE_MISSING', `"${path}" does not exist.`, more);
  return new NodeError('FILE_READ', `"${path}" cannot be read: ${reason}.`, more);
}
