/**
 * Which blocks the DHT is told of:
 *
 *   roots       what is pinned, and the root of the tree of files
 *   files       besides, each file and folder in them by its own root; not the pieces of a file
 *   pinned      every block of all that
 *   everything  every block that is here
 */
import type { CID } from 'multiformats/cid';
import { inlineBytes, keyOf, textOfKey } from './core/block-key.ts';
import { readFolderBlock } from './core/folder-walk.ts';
import { linksOf } from './core/ipld.ts';
import { readUnixfsNode } from './core/unixfs-node.ts';
import type { IpfsRepository } from './repository.ts';
import { GraphWalk } from './shell/block-collection.ts';
import { codecs } from './wire/cid.ts';

export type ProvideStrategy = 'roots' | 'files' | 'pinned' | 'everything';

/**
 * Multihashes, each once, by their text. What is not here is passed over; more than `countMax` are left out.
 * @param mayTell false: others are not told of this one, for they would not be given it
 */
export async function selectProvided(
  repository: IpfsRepository,
  strategy: ProvideStrategy,
  countMax: number,
  signal: AbortSignal,
  mayTell: (cid: CID) => boolean = () => true,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const keys = new Map<string, Uint8Array>();
  const add = (cid: CID): void => {
    if (inlineBytes(cid) !== null || keys.size >= countMax || !mayTell(cid)) return;
    const key = keyOf(cid);
    keys.set(textOfKey(key), key);
  };
  const { recursive, direct } = repository.pins.roots();
  for (const cid of direct) add(cid);
  const roots = [...recursive, ...repository.treeRoots()];
  if (strategy === 'roots') for (const cid of roots) add(cid);
  else if (strategy === 'pinned') await new GraphWalk(repository.blocks, signal).walk(roots, add);
  else if (strategy === 'files') await addFiles(repository, roots, signal, add);
  else
    for await (const cid of repository.blocks.list()) {
      signal.throwIfAborted();
      add(cid);
    }
  return keys;
}

/** What a block leads to: things of their own, and parts of the same thing. */
type Below = { readonly things: readonly CID[]; readonly parts: readonly CID[] };

const readsAtOnce = 16;

async function addFiles(
  { blocks }: IpfsRepository,
  roots: readonly CID[],
  signal: AbortSignal,
  add: (cid: CID) => void,
): Promise<void> {
  const graph = new GraphWalk(blocks, signal);
  const waiting = roots.map((cid) => ({ cid, isThing: true }));
  for (let round = 1; waiting.length > 0; round++) {
    signal.throwIfAborted();
    const batch: CID[] = [];
    while (waiting.length > 0 && batch.length < readsAtOnce) {
      const { cid, isThing } = waiting.pop()!;
      if (inlineBytes(cid) !== null || graph.add(cid) !== 'new') continue;
      if (isThing) add(cid);
      if (cid.code !== codecs.raw) batch.push(cid);
    }
    const read = await Promise.all(batch.map(async (cid) => belowOf(cid, await tryRead(cid))));
    for (const { things, parts } of read) {
      for (const cid of things) waiting.push({ cid, isThing: true });
      for (const cid of parts) waiting.push({ cid, isThing: false });
    }
    if (round % 64 === 0) await blocks.rest();
  }

  /** A block that has become unreadable is the verification's business, not that of this list. */
  function tryRead(cid: CID): Promise<Uint8Array | null> {
    return blocks.get(cid).catch(() => null);
  }
}

function belowOf(cid: CID, bytes: Uint8Array | null): Below {
  if (bytes === null) return { things: [], parts: [] };
  const node = readUnixfsNode(cid, bytes);
  if (node.ok) {
    const folder = readFolderBlock(cid, node.value);
    if (!folder.ok) return { things: [], parts: [] };
    const { entries, shards } = folder.value;
    return { things: entries.map((entry) => entry.cid), parts: shards.map((shard) => shard.cid) };
  }
  const links = linksOf(cid, bytes);
  return { things: links.ok ? links.value : [], parts: [] };
}
