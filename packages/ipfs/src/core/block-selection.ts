/** Which blocks of a graph go into an archive, and when: each before what it links to, links in their order. */
import { ok, type Result } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { cidKey, codecs } from '../wire/cid.ts';
import { DagWalk, type Expansion } from './dag-walk.ts';
import { type ByteRange, type FilePart, filePartsIn, fileRoot, readFilePart } from './file-walk.ts';
import { readFolderBlock } from './folder-walk.ts';
import { linksOf } from './ipld.ts';
import { readUnixfsNode } from './unixfs-node.ts';

export type SelectionScope =
  /** The root alone. */
  | 'block'
  /** One file, or one folder with its shards but not what is in it; of data, one block. */
  | 'entity'
  /** All that can be reached. */
  | 'all';

export type SelectionOptions = {
  readonly scope?: SelectionScope;
  /** Of a file, with scope `entity`: only blocks that hold these bytes. */
  readonly range?: ByteRange;
  /** A block that is linked twice comes twice; by default each comes once. */
  readonly duplicates?: boolean;
  readonly windowBlocks?: number;
};

export type SelectedBlock = { readonly cid: CID; readonly bytes: Uint8Array };

type SelectionNode = FilePart & {
  /** What is known of it: the beginning of an entity, a part of a file, a part of a folder, or anything. */
  readonly role: 'root' | 'file' | 'shard' | 'any';
};

export function createSelection(
  root: CID,
  options: SelectionOptions = {},
): DagWalk<SelectionNode, SelectedBlock> {
  const { scope = 'all', range = {}, duplicates = false } = options;
  const seen = new Set<string>();
  const expand = (
    node: SelectionNode,
    bytes: Uint8Array,
  ): Result<Expansion<SelectionNode, SelectedBlock>> => {
    if (!duplicates) seen.add(cidKey(node.cid));
    const children = childrenOf(node, bytes, scope, range);
    return children.ok ? ok({ items: [{ cid: node.cid, bytes }], children: children.value }) : children;
  };
  const skips = (node: SelectionNode): boolean => !duplicates && seen.has(cidKey(node.cid));
  return new DagWalk({ ...fileRoot(root), role: 'root' }, { expand, skips }, options.windowBlocks);
}

function childrenOf(
  node: SelectionNode,
  bytes: Uint8Array,
  scope: SelectionScope,
  range: ByteRange,
): Result<readonly SelectionNode[]> {
  if (scope === 'block') return ok([]);
  if (scope === 'all') {
    const links = linksOf(node.cid, bytes);
    return links.ok ? ok(links.value.map((cid) => ({ ...fileRoot(cid), role: 'any' }))) : links;
  }
  return entityChildren(node, bytes, range);
}

function entityChildren(
  node: SelectionNode,
  bytes: Uint8Array,
  range: ByteRange,
): Result<readonly SelectionNode[]> {
  if (node.cid.code !== codecs['dag-pb']) return ok([]);
  const unixfs = readUnixfsNode(node.cid, bytes);
  // A dag-pb block that is no file or folder is an entity of one block.
  if (!unixfs.ok) return node.role === 'root' ? ok([]) : unixfs;
  const { kind } = unixfs.value;
  if (node.role !== 'shard' && (kind === 'file' || kind === 'raw')) {
    const part = readFilePart(node, bytes);
    if (!part.ok) return part;
    return ok(filePartsIn(node, part.value, range).map((child) => ({ ...child, role: 'file' })));
  }
  if (kind !== 'hamt-shard') return ok([]);
  const folder = readFolderBlock(node.cid, unixfs.value);
  return folder.ok ? ok(folder.value.shards.map(({ cid }) => ({ ...fileRoot(cid), role: 'shard' }))) : folder;
}
