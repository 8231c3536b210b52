/**
 * One entry of a folder set or taken away: only the blocks on the way to it are made anew. The folder that comes out
 * is the one that would come out if it was made of all its entries at once.
 */
import type { CID } from 'multiformats/cid';
import type { BlockMaker, DagRoot } from '../core/block-maker.ts';
import { entryBytes, folderData, makeFolder } from '../core/folder.ts';
import { readFolderBlock } from '../core/folder-walk.ts';
import {
  type FolderEntry,
  hashName,
  makeShard,
  makeShardedFolder,
  pickChild,
  readShard,
  type Shard,
  type ShardChild,
  shardIndexOf,
  tooAlike,
} from '../core/hamt.ts';
import type { DirectoryRules } from '../core/profile.ts';
import type { BlockReader } from './blocks.ts';
import { mustBe } from './ipfs-errors.ts';
import { getUnixfsNode, listFolder } from './unixfs-export.ts';

export type FolderEditDeps = {
  readonly reader: BlockReader;
  readonly maker: BlockMaker;
  readonly rules: DirectoryRules;
};

/**
 * @param entry what the name leads to from now on; null: the name is taken away, if it is there
 * @throws NodeError `IPFS_NOT_A_FOLDER`, `IPFS_BLOCK_MISSING`
 */
export async function editFolder(
  deps: FolderEditDeps,
  folder: CID,
  name: string,
  entry: FolderEntry | null,
): Promise<DagRoot> {
  const { reader, maker, rules } = deps;
  const node = await getUnixfsNode(reader, folder);
  if (node.kind !== 'hamt-shard') {
    const { entries } = mustBe(readFolderBlock(folder, node));
    const others = entries.filter((other) => other.name !== name);
    return mustBe(makeFolder(maker, rules, entry === null ? others : [...others, entry], node));
  }
  const old = await findInFolder(reader, folder, name);
  const shrinks = old !== null && (entry === null || entryBytes(rules, entry) < entryBytes(rules, old));
  const edited = await editShard(deps, mustBe(readShard(node)), 0, { name, hash: hashName(name), entry });
  if (edited.kind === 'shard' && (!shrinks || !(await fitsOneBlock(deps, edited, node)))) {
    return { cid: edited.cid, dagBytes: edited.dagBytes, fileBytes: 0 };
  }
  const left: FolderEntry[] = [];
  if (edited.kind === 'shard') for await (const other of listFolder(reader, edited.cid)) left.push(other);
  return mustBe(makeFolder(maker, rules, left, node));
}

/** What a name leads to, with few blocks read. @throws NodeError `IPFS_NOT_A_FOLDER`, `IPFS_BLOCK_MISSING` */
export async function findInFolder(
  reader: BlockReader,
  folder: CID,
  name: string,
): Promise<FolderEntry | null> {
  const hash = hashName(name);
  let cid = folder;
  for (let level = 0; ; level++) {
    const node = await getUnixfsNode(reader, cid);
    if (node.kind !== 'hamt-shard')
      return mustBe(readFolderBlock(cid, node)).entries.find((entry) => entry.name === name) ?? null;
    const shard = mustBe(readShard(node));
    const index = shardIndexOf(hash, shard.fanout, level);
    const child = index === null ? null : pickChild(shard, index);
    if (child === null) return null;
    if (child.kind === 'entry') return child.entry.name === name ? child.entry : null;
    cid = child.cid;
  }
}

type Change = { readonly name: string; readonly hash: Uint8Array; readonly entry: FolderEntry | null };

/** What stands in a shard's place: an entry, when it is the only one left. */
type Edited =
  | { readonly kind: 'shard'; readonly cid: CID; readonly dagBytes: number }
  | { readonly kind: 'entry'; readonly entry: FolderEntry };

/** Recursion: no deeper than a hash has levels. */
async function editShard(deps: FolderEditDeps, shard: Shard, level: number, change: Change): Promise<Edited> {
  const index = shardIndexOf(change.hash, shard.fanout, level);
  if (index === null) return mustBe(tooAlike(change.name));
  const child = await editChild(deps, shard, pickChild(shard, index), level, index, change);
  const others = shard.children.filter((other) => other.index !== index);
  const children = child === null ? others : [...others, child].sort((a, b) => a.index - b.index);
  const [first] = children;
  if (level > 0 && children.length === 1 && first?.kind === 'entry')
    return { kind: 'entry', entry: first.entry };
  const { cid, dagBytes } = makeShard(deps.maker, shard.fanout, children, shard);
  return { kind: 'shard', cid, dagBytes };
}

async function editChild(
  deps: FolderEditDeps,
  shard: Shard,
  child: ShardChild | null,
  level: number,
  index: number,
  change: Change,
): Promise<ShardChild | null> {
  const { entry, name } = change;
  if (child?.kind === 'shard') {
    const below = mustBe(readShard(await getUnixfsNode(deps.reader, child.cid)));
    return { index, ...(await editShard(deps, below, level + 1, change)) };
  }
  if (child === null || child.entry.name === name)
    return entry === null ? null : { kind: 'entry', index, entry };
  if (entry === null) return child;
  const both = [child.entry, entry];
  const made = mustBe(makeShardedFolder(deps.maker, shard.fanout, both, undefined, level + 1));
  return { kind: 'shard', index, cid: made.cid, dagBytes: made.dagBytes };
}

/** Looks at no more entries than it takes to know. */
async function fitsOneBlock(
  { reader, rules }: FolderEditDeps,
  folder: { readonly cid: CID },
  metadata: Parameters<typeof folderData>[0],
): Promise<boolean> {
  let bytes = rules.measure === 'block' ? folderData(metadata).length + 2 : 0;
  for await (const entry of listFolder(reader, folder.cid)) {
    bytes += entryBytes(rules, entry);
    if (bytes > rules.shardAboveBytes) return false;
  }
  return true;
}
