/**
 * Reads a file, or a range of it, out of its blocks. Only blocks that the range touches are asked for. The tree is a
 * stranger's: sizes that it claims are compared with what comes.
 */
import { ok, type Result } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { refused } from '../faults.ts';
import { DagWalk, type Expansion, type WalkNode } from './dag-walk.ts';
import { contentBytesOf, readUnixfsNode, type UnixfsNode } from './unixfs-node.ts';

export type ByteRange = {
  /** First byte; beyond the end: nothing is read. */
  readonly from?: number;
  /** Byte after the last; beyond the end: up to the end. */
  readonly to?: number;
};

export type FileWalkOptions = ByteRange & {
  /** Blocks that are asked for or held at once. */
  readonly windowBlocks?: number;
};

export type FilePart = WalkNode & {
  /** Place of its first byte in the file. */
  readonly start: number;
  /** What its parent says of its length; null: the root, of which nobody has said anything. */
  readonly bytes: number | null;
};

/** Its items are the content, in parts of any size but none. */
export function createFileWalk(file: CID, options: FileWalkOptions = {}): DagWalk<FilePart, Uint8Array> {
  const expand = (part: FilePart, block: Uint8Array): Result<Expansion<FilePart, Uint8Array>> => {
    const node = readFilePart(part, block);
    if (!node.ok) return node;
    const content = cut(part.start, node.value.data, options);
    const items = content === null ? [] : [content];
    return ok({ items, children: filePartsIn(part, node.value, options) });
  };
  return new DagWalk(fileRoot(file), { expand }, options.windowBlocks);
}

export function fileRoot(cid: CID): FilePart {
  return { cid, start: 0, bytes: null };
}

/** Faults when it is no part of a file, or not what its parent says of it. */
export function readFilePart(part: FilePart, block: Uint8Array): Result<UnixfsNode> {
  const read = readUnixfsNode(part.cid, block);
  if (!read.ok) return read;
  const { kind, fileBytes } = read.value;
  if (kind !== 'file' && kind !== 'raw')
    return refused('NOT_A_FILE', `${part.cid} is a ${kind}, not a file.`);
  const bytes = contentBytesOf(read.value);
  const claimed = part.bytes ?? fileBytes ?? bytes;
  if (!Number.isSafeInteger(part.start + bytes) || claimed !== bytes || (fileBytes ?? bytes) !== bytes)
    return refused('UNIXFS_SIZES', `${part.cid} should have ${claimed} bytes, and has ${bytes}.`);
  return read;
}

/** Children that hold a byte of the range. */
export function filePartsIn(parent: FilePart, node: UnixfsNode, range: ByteRange): FilePart[] {
  const { from = 0, to = Number.POSITIVE_INFINITY } = range;
  const parts: FilePart[] = [];
  let start = parent.start + (node.data?.length ?? 0);
  for (const [index, { cid }] of node.links.entries()) {
    const bytes = node.childBytes[index]!;
    if (bytes > 0 && start < to && start + bytes > from) parts.push({ cid, start, bytes });
    start += bytes;
  }
  return parts;
}

/** What of `content`, whose first byte is the file's byte `start`, lies in the range. */
function cut(start: number, content: Uint8Array | null, { from = 0, to }: ByteRange): Uint8Array | null {
  if (content === null) return null;
  const first = Math.max(0, from - start);
  const end = to === undefined ? content.length : Math.min(content.length, to - start);
  return first < end ? content.subarray(first, end) : null;
}
