/**
 * Files changed in place: a file that is written at an offset, or cut. Leaves in front of the change are linked again
 * without being read; the rest is cut anew. So a file that was written bit by bit has the CID of one that was added
 * whole, as long as its chunks are of one size.
 */
import type { CID } from 'multiformats/cid';
import type { DagRoot } from '../core/block-maker.ts';
import type { ImportProfile } from '../core/profile.ts';
import { contentBytesOf, type UnixfsNode } from '../core/unixfs-node.ts';
import { codecs } from '../wire/cid.ts';
import type { UnixfsMetadata } from '../wire/unixfs.ts';
import type { BlockReader } from './blocks.ts';
import { streamSource } from './content-source.ts';
import { exportFile, getUnixfsNode } from './unixfs-export.ts';
import { type ImportDeps, importContent } from './unixfs-import.ts';

export type FileChange = {
  /** First byte of what is written; beyond the end, zeros come between. */
  readonly offset: number;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** What was there before goes, from this byte on; null: only what is written over. */
  readonly cutAt: number | null;
};

/** @param file null: it does not exist yet */
export async function changeFile(
  deps: ImportDeps & { readonly reader: BlockReader },
  profile: ImportProfile,
  file: CID | null,
  change: FileChange,
  metadata: UnixfsMetadata,
): Promise<DagRoot> {
  const node = file === null ? null : await getUnixfsNode(deps.reader, file);
  const fileBytes = node === null ? 0 : contentBytesOf(node);
  const keptBytes = Math.min(fileBytes, change.offset, change.cutAt ?? fileBytes);
  // A file with a mode or a time has leaves of another kind.
  const isPlain = metadata.mode === null && metadata.modified === null;
  const leaves = node === null || !isPlain ? [] : await leavesBefore(deps.reader, profile, node, keptBytes);
  let start = 0;
  for (const leaf of leaves) start += leaf.fileBytes;
  const parts = changedContent(deps.reader, file, change, { start, keptBytes, fileBytes });
  return importContent(deps, profile, streamSource(parts), { metadata, leaves });
}

/** Whole leaves of a file that end at or before `end`, when they are as this profile cuts them; else none. */
async function leavesBefore(
  reader: BlockReader,
  profile: ImportProfile,
  root: UnixfsNode,
  end: number,
): Promise<DagRoot[]> {
  const chunkBytes = profile.chunker.fixedBytes;
  if (chunkBytes === null || !profile.rawLeaves || profile.layout !== 'balanced') return [];
  const leaves: DagRoot[] = [];
  const waiting: { readonly node: UnixfsNode; next: number }[] = [{ node: root, next: 0 }];
  while (waiting.length > 0) {
    const here = waiting.at(-1)!;
    const link = here.node.links[here.next];
    if (here.next === 0 && here.node.data !== null && here.node.data.length > 0) return leaves;
    if (link === undefined) {
      waiting.pop();
      continue;
    }
    const fileBytes = here.node.childBytes[here.next++]!;
    if (link.cid.code !== codecs.raw) {
      // All of it lies behind the end: nothing in it is a whole leaf before.
      if (leaves.length * chunkBytes >= end) return leaves;
      waiting.push({ node: await getUnixfsNode(reader, link.cid), next: 0 });
      continue;
    }
    if (fileBytes !== chunkBytes || (leaves.length + 1) * chunkBytes > end) return leaves;
    leaves.push({ cid: link.cid, fileBytes, dagBytes: fileBytes });
  }
  return leaves;
}

type Kept = { readonly start: number; readonly keptBytes: number; readonly fileBytes: number };

async function* changedContent(
  reader: BlockReader,
  file: CID | null,
  { offset, content, cutAt }: FileChange,
  { start, keptBytes, fileBytes }: Kept,
): AsyncGenerator<Uint8Array> {
  if (file !== null && start < keptBytes) yield* exportFile(reader, file, { from: start, to: keptBytes });
  for (let gap = offset - keptBytes; gap > 0; gap -= 1 << 18) yield new Uint8Array(Math.min(gap, 1 << 18));
  let at = offset;
  for await (const part of content) {
    yield part;
    at += part.length;
  }
  const end = Math.min(fileBytes, cutAt ?? fileBytes);
  if (file !== null && at < end) yield* exportFile(reader, file, { from: at, to: end });
}
