/** Lists a folder, whether it is one block or many. */
import { ok, type Result } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { refused } from '../faults.ts';
import { DagWalk, type Expansion, type WalkNode } from './dag-walk.ts';
import { type FolderEntry, readShard } from './hamt.ts';
import { readUnixfsNode, type UnixfsNode } from './unixfs-node.ts';

/** Entries and shards of one block of a folder. */
export type FolderBlock = {
  readonly entries: readonly FolderEntry[];
  readonly shards: readonly { readonly cid: CID; readonly dagBytes: number }[];
};

/** Its items are the entries; of a folder of one block in their order, of others in that of their hashes. */
export function createFolderWalk(folder: CID, windowBlocks?: number): DagWalk<WalkNode, FolderEntry> {
  const expand = (part: WalkNode, block: Uint8Array): Result<Expansion<WalkNode, FolderEntry>> => {
    const node = readUnixfsNode(part.cid, block);
    if (!node.ok) return node;
    const read = readFolderBlock(part.cid, node.value);
    if (!read.ok) return read;
    const { entries, shards } = read.value;
    return ok({ items: entries, children: shards });
  };
  return new DagWalk({ cid: folder }, { expand }, windowBlocks);
}

/** Faults when it is no folder. */
export function readFolderBlock(cid: CID, node: UnixfsNode): Result<FolderBlock> {
  if (node.kind === 'directory') {
    const entries = node.links.map((link) => ({
      name: link.name ?? '',
      cid: link.cid,
      dagBytes: link.dagBytes ?? 0,
    }));
    return ok({ entries, shards: [] });
  }
  if (node.kind !== 'hamt-shard') return refused('NOT_A_FOLDER', `${cid} is a ${node.kind}, not a folder.`);
  const shard = readShard(node);
  if (!shard.ok) return shard;
  const entries: FolderEntry[] = [];
  const shards: { cid: CID; dagBytes: number }[] = [];
  for (const child of shard.value.children) {
    if (child.kind === 'entry') entries.push(child.entry);
    else shards.push(child);
  }
  return ok({ entries, shards });
}
