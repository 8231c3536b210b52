/** Walks a path by getting the blocks on it. */
import type { CID } from 'multiformats/cid';
import type { IpldValue } from '../core/ipld.ts';
import { type IpfsPath, type PathPlace, type PathReading, stepPath } from '../core/path.ts';
import type { BlockReader } from './blocks.ts';
import { getBlock } from './dag-reader.ts';
import { mustBe } from './ipfs-errors.ts';

export type ResolvedPath = {
  /** The block that the path ends in. */
  readonly cid: CID;
  /** Elements of the path within that block; empty: the path is the block. */
  readonly remainder: readonly string[];
  /** What lies there, when the path ends within a block. */
  readonly value: IpldValue | undefined;
  /** Every block that was needed on the way, the root first; without the one that the path ends in. */
  readonly way: readonly CID[];
};

/**
 * @param reading `unixfs`: names of files in folders (sharded ones too); `data`: keys and indices
 * @throws NodeError `IPFS_NO_LINK`, `IPFS_BLOCK_MISSING`, and as a malformed block is refused
 */
export async function resolvePath(
  reader: BlockReader,
  path: IpfsPath,
  reading: PathReading = 'unixfs',
  signal?: AbortSignal,
): Promise<ResolvedPath> {
  const way: CID[] = [];
  let place: PathPlace = { cid: path.root, segments: path.segments, shardLevel: 0 };
  while (place.segments.length > 0) {
    const step = mustBe(stepPath(place, await getBlock(reader, place.cid, signal), reading));
    if (step.kind === 'end') return { cid: place.cid, remainder: step.remainder, value: step.value, way };
    way.push(place.cid);
    place = step.place;
  }
  return { cid: place.cid, remainder: [], value: undefined, way };
}
