/** Where the leaves of a file lie in its content: what a copy of the file on the disk can give in their place. */
import type { CID } from 'multiformats/cid';
import { readUnixfsNode, type UnixfsNode } from '../core/unixfs-node.ts';
import { codecs } from '../wire/cid.ts';
import type { BlockInFile, BlockReader } from './blocks.ts';
import { getBlock } from './dag-reader.ts';
import { mustBe } from './ipfs-errors.ts';

/**
 * The raw leaves of a file, in order; blocks that hold more than content are read, and not named.
 * @param bytes of the file @throws NodeError `IPFS_BLOCK_MISSING`, and of blocks that are no file
 */
export async function* leafPlaces(
  reader: BlockReader,
  file: CID,
  bytes: number,
  signal?: AbortSignal,
): AsyncGenerator<BlockInFile> {
  const waiting: BlockInFile[] = [{ cid: file, offset: 0, bytes }];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (one.cid.code === codecs.raw) {
      yield one;
      continue;
    }
    const node = mustBe(readUnixfsNode(one.cid, await getBlock(reader, one.cid, signal)));
    if (node.kind !== 'file' && node.kind !== 'raw') continue;
    // Children of no content would be read for nothing, as often as they are linked.
    const children = childPlaces(node, one.offset).filter((child) => child.bytes > 0);
    waiting.push(...children.reverse());
  }
}

/** @param offset of the node's first byte in the content */
export function childPlaces(
  node: Pick<UnixfsNode, 'links' | 'childBytes' | 'data'>,
  offset: number,
): BlockInFile[] {
  let at = offset + (node.data?.length ?? 0);
  return node.links.map(({ cid }, index) => {
    const bytes = node.childBytes[index] ?? 0;
    at += bytes;
    return { cid, offset: at - bytes, bytes };
  });
}
