/** Makes the blocks of a folder: one block, or shards when it would be too large for one. */
import { assert, compareBytes, encodeUtf8, type Hashes, ok, type Result } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { linkBytes } from '../wire/dag-pb.ts';
import { encodeUnixfs, noMetadata, type UnixfsMetadata } from '../wire/unixfs.ts';
import { BlockMaker, type DagRoot } from './block-maker.ts';
import { type FolderEntry, makeShardedFolder } from './hamt.ts';
import { type DirectoryRules, profiles } from './profile.ts';

/** A folder with one thing in it: how a file gets a name. */
export function wrapInFolder(
  hashes: Hashes,
  name: string,
  { cid, dagBytes }: Pick<DagRoot, 'cid' | 'dagBytes'>,
): { readonly cid: CID; readonly bytes: Uint8Array } {
  const blocks: { readonly cid: CID; readonly bytes: Uint8Array }[] = [];
  const maker = new BlockMaker(hashes, 1, (block) => void blocks.push(block));
  const root = makeFolder(maker, profiles['unixfs-v1-2025'].directory, [{ name, cid, dagBytes }]);
  const [block] = blocks;
  assert(root.ok && block !== undefined && blocks.length === 1, 'one name fits into one block');
  return block;
}

/** @param entries in any order, each name once */
export function makeFolder(
  maker: BlockMaker,
  rules: DirectoryRules,
  entries: readonly FolderEntry[],
  metadata: UnixfsMetadata = noMetadata,
): Result<DagRoot> {
  if (isSharded(rules, entries, metadata)) return makeShardedFolder(maker, rules.fanout, entries, metadata);
  const links = entries.map(({ name, cid, dagBytes }) => ({ name, cid, dagBytes }));
  return ok(maker.addNode(links, folderData(metadata), 0));
}

/** Whether the folder is too large for one block, as its rules measure it. */
export function isSharded(
  rules: DirectoryRules,
  entries: Iterable<FolderEntry>,
  metadata: UnixfsMetadata = noMetadata,
): boolean {
  let bytes = rules.measure === 'block' ? folderData(metadata).length + 2 : 0;
  for (const entry of entries) {
    bytes += entryBytes(rules, entry);
    if (bytes > rules.shardAboveBytes) return true;
  }
  return false;
}

export function entryBytes(rules: DirectoryRules, { name, cid, dagBytes }: FolderEntry): number {
  const nameBytes = utf8Bytes(name);
  return rules.measure === 'names'
    ? nameBytes + cid.bytes.length
    : linkBytes(cid.bytes.length, nameBytes, dagBytes);
}

export function folderData({ mode, modified }: UnixfsMetadata): Uint8Array {
  return encodeUnixfs({ kind: 'directory', mode, modified });
}

/** A symbolic link is a block that has its target as data. */
export function makeSymlink(
  maker: BlockMaker,
  target: string,
  { mode, modified }: UnixfsMetadata = noMetadata,
): DagRoot {
  return maker.addNode([], encodeUnixfs({ kind: 'symlink', data: encodeUtf8(target), mode, modified }), 0);
}

/** By the bytes of their names, as folders list them. */
export function sortEntries<Entry extends { readonly name: string }>(entries: readonly Entry[]): Entry[] {
  return entries
    .map((entry) => ({ entry, key: encodeUtf8(entry.name) }))
    .sort((a, b) => compareBytes(a.key, b.key))
    .map(({ entry }) => entry);
}

function utf8Bytes(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return encodeUtf8(text).length;
  return text.length;
}
