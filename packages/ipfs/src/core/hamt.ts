/**
 * Folders that are spread over many blocks: a hash array mapped trie (HAMT).
 *
 *   hash of a name   1010_0110 0001_1111 ...      8 bits a level when the fanout is 256
 *                    '-- A6 --'
 *   root shard       links  "A6report.txt" -> the file        the only name that begins with A6
 *                           "F0"           -> a shard         of all names that begin with F0
 *
 * A shard is a dag-pb node whose data has a bit for each child that is there. Its form depends only on the names in
 * it, not on the order in which they came: a shard of one name is folded into its parent.
 */
import { encodeUtf8, ok, type Result } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { refused } from '../faults.ts';
import { ipfsLimits } from '../limits.ts';
import type { DagPbLink } from '../wire/dag-pb.ts';
import { encodeUnixfs, noMetadata, type UnixfsMetadata } from '../wire/unixfs.ts';
import type { BlockMaker, DagRoot } from './block-maker.ts';
import { murmur3x64 } from './murmur3.ts';
import type { UnixfsNode } from './unixfs-node.ts';

/** Multicodec number of the one hash of names that is in use. */
const murmur3Code = 0x22;

/** A name in a folder and what it leads to. */
export type FolderEntry = { readonly name: string; readonly cid: CID; readonly dagBytes: number };

/** One child of a shard: a name's entry, or a shard below. */
export type ShardChild =
  | { readonly kind: 'entry'; readonly index: number; readonly entry: FolderEntry }
  | { readonly kind: 'shard'; readonly index: number; readonly cid: CID; readonly dagBytes: number };

export type Shard = UnixfsMetadata & { readonly fanout: number; readonly children: readonly ShardChild[] };

/** Which child of the shard at `level` (0: the root) a name belongs to; null: names are alike to the last bit. */
export function shardIndexOf(nameHash: Uint8Array, fanout: number, level: number): number | null {
  const bits = Math.log2(fanout);
  const from = level * bits;
  if (from + bits > 64) return null;
  let index = 0;
  for (let bit = from; bit < from + bits; bit++)
    index = (index << 1) | ((nameHash[bit >> 3]! >> (7 - (bit & 7))) & 1);
  return index;
}

export function hashName(name: string): Uint8Array {
  return murmur3x64(encodeUtf8(name));
}

/** A shard out of its block. Faults when it is not what it says, or uses what nobody uses. */
export function readShard(node: UnixfsNode): Result<Shard> {
  const { fanout, hashCode, mode, modified } = node;
  if (hashCode !== murmur3Code) return malformed('has a hash of names that is not known');
  if (fanout === null || fanout < 8 || fanout > ipfsLimits.fanoutMax || !Number.isInteger(Math.log2(fanout)))
    return malformed('has a number of children that no shard has');
  const prefixChars = prefixCharsOf(fanout);
  const children: ShardChild[] = [];
  for (const { cid, name, dagBytes } of node.links) {
    const index = Number.parseInt((name ?? '').slice(0, prefixChars), 16);
    const before = children.at(-1)?.index ?? -1;
    if (!(index > before) || index >= fanout || name === null) return malformed('has links out of order');
    children.push(
      name.length === prefixChars
        ? { kind: 'shard', index, cid, dagBytes: dagBytes ?? 0 }
        : { kind: 'entry', index, entry: { name: name.slice(prefixChars), cid, dagBytes: dagBytes ?? 0 } },
    );
  }
  return ok({ mode, modified, fanout, children });
}

/** Where to look for a name next. */
export function pickChild(shard: Shard, index: number): ShardChild | null {
  return shard.children.find((child) => child.index === index) ?? null;
}

/** Makes the block of a shard. */
export function makeShard(
  maker: BlockMaker,
  fanout: number,
  children: readonly ShardChild[],
  metadata: UnixfsMetadata = noMetadata,
): DagRoot {
  const prefixChars = prefixCharsOf(fanout);
  const links: DagPbLink[] = children.map((child) => {
    const prefix = child.index.toString(16).toUpperCase().padStart(prefixChars, '0');
    return child.kind === 'shard'
      ? { cid: child.cid, name: prefix, dagBytes: child.dagBytes }
      : { cid: child.entry.cid, name: prefix + child.entry.name, dagBytes: child.entry.dagBytes };
  });
  const data = encodeUnixfs({
    mode: metadata.mode,
    modified: metadata.modified,
    kind: 'hamt-shard',
    data: bitFieldOf(fanout, children),
    hashCode: murmur3Code,
    fanout,
  });
  return maker.addNode(links, data, 0);
}

/**
 * All shards of a folder, the lowest first. Faults when two names cannot be told apart.
 * @param level 0: the folder; more: a shard so far below, of names that are alike up to there
 */
export function makeShardedFolder(
  maker: BlockMaker,
  fanout: number,
  entries: readonly FolderEntry[],
  metadata: UnixfsMetadata = noMetadata,
  level = 0,
): Result<DagRoot> {
  const hashed = entries.map((entry) => ({ entry, hash: hashName(entry.name) }));
  return makeLevel(maker, fanout, hashed, level, metadata);
}

type HashedEntry = { readonly entry: FolderEntry; readonly hash: Uint8Array };

/** Recursion: no deeper than the hash has levels. */
function makeLevel(
  maker: BlockMaker,
  fanout: number,
  entries: readonly HashedEntry[],
  level: number,
  metadata: UnixfsMetadata,
): Result<DagRoot> {
  const groups = new Map<number, HashedEntry[]>();
  for (const hashed of entries) {
    const index = shardIndexOf(hashed.hash, fanout, level);
    if (index === null) return tooAlike(hashed.entry.name);
    const group = groups.get(index);
    if (group === undefined) groups.set(index, [hashed]);
    else group.push(hashed);
  }
  const children: ShardChild[] = [];
  for (const [index, group] of [...groups].sort(([a], [b]) => a - b)) {
    if (group.length === 1) {
      children.push({ kind: 'entry', index, entry: group[0]!.entry });
      continue;
    }
    const below = makeLevel(maker, fanout, group, level + 1, noMetadata);
    if (!below.ok) return below;
    children.push({ kind: 'shard', index, cid: below.value.cid, dagBytes: below.value.dagBytes });
  }
  return ok(makeShard(maker, fanout, children, metadata));
}

export function tooAlike(name: string): Result<never> {
  return refused('FOLDER_NAMES', `"${name}" and another name have the same hash: a folder cannot hold both.`);
}

/** Big-endian: the last byte has the first eight children. Zeros in front are left out. */
function bitFieldOf(fanout: number, children: readonly ShardChild[]): Uint8Array {
  const bits = new Uint8Array(fanout / 8);
  for (const { index } of children) bits[bits.length - 1 - (index >> 3)]! |= 1 << (index & 7);
  const first = bits.findIndex((byte) => byte !== 0);
  return first < 0 ? bits.subarray(0, 0) : bits.subarray(first);
}

function prefixCharsOf(fanout: number): number {
  return (fanout - 1).toString(16).length;
}

function malformed(what: string): Result<never> {
  return refused('SHARD', `A folder's shard ${what}.`);
}
