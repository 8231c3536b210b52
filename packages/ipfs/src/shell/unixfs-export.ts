/** Files and folders out of blocks, as streams in bounded memory. */
import { NodeError } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { createFileWalk, type FileWalkOptions } from '../core/file-walk.ts';
import { createFolderWalk } from '../core/folder-walk.ts';
import type { FolderEntry } from '../core/hamt.ts';
import { readUnixfsNode, type UnixfsNode } from '../core/unixfs-node.ts';
import type { BlockReader } from './blocks.ts';
import { getBlock, walkDag } from './dag-reader.ts';
import { mustBe } from './ipfs-errors.ts';

export type FileExportOptions = FileWalkOptions & { readonly signal?: AbortSignal };

/**
 * The content of a file, or of a range of it, in order, in parts of any size.
 * @throws NodeError `IPFS_BLOCK_MISSING` when a block cannot be had, `IPFS_*` when what is there is no file
 */
export function exportFile(
  reader: BlockReader,
  file: CID,
  options: FileExportOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  return walkDag(reader, createFileWalk(file, options), options.signal);
}

/** All of a file in memory. @throws NodeError `IPFS_FILE_TOO_LONG`, and as {@link exportFile} */
export async function exportBytes(
  reader: BlockReader,
  file: CID,
  bytesMax: number,
  options: FileExportOptions = {},
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of exportFile(reader, file, options)) {
    length += part.length;
    if (length > bytesMax) {
      const message = `${file} is longer than the ${bytesMax} bytes that are allowed.`;
      throw new NodeError('IPFS_FILE_TOO_LONG', message, { op: 'read' });
    }
    parts.push(part);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * The entries of a folder: of a sharded one in the order of their hashes, not of their names.
 * @throws NodeError as {@link exportFile}
 */
export function listFolder(
  reader: BlockReader,
  folder: CID,
  signal?: AbortSignal,
): AsyncGenerator<FolderEntry, void, undefined> {
  return walkDag(reader, createFolderWalk(folder), signal);
}

/** A file's or folder's own block. @throws NodeError `IPFS_BLOCK_MISSING`, `IPFS_*` when it is neither */
export async function getUnixfsNode(
  reader: BlockReader,
  cid: CID,
  signal?: AbortSignal,
): Promise<UnixfsNode> {
  return mustBe(readUnixfsNode(cid, await getBlock(reader, cid, signal)));
}
