/** Where a content path ends: names resolved, elements walked, and every block on the way noted. */
import type { CID } from 'multiformats/cid';
import type { GatewayAddress } from '../core/gateway-address.ts';
import { type PathPlace, stepPath } from '../core/path.ts';
import type { BlockReader } from './blocks.ts';
import { getBlock } from './dag-reader.ts';
import { mustBe } from './ipfs-errors.ts';
import type { NameResolver } from './name-resolver.ts';

export type GatewayPlace = {
  /** What the name points to, or the CID of the request. */
  readonly root: CID;
  /** Of the whole path below the root, with what a name's value had. */
  readonly segments: readonly string[];
  /** The block that the path ends in, or within. */
  readonly cid: CID;
  /** Elements within that block, which is data. */
  readonly remainder: readonly string[];
  /** Blocks of the path before that one, shards of folders too. */
  readonly way: readonly CID[];
  /** The blocks that elements of the path stand for, from the root on. */
  readonly roots: readonly CID[];
  /** How long it is so; null: for ever. */
  readonly ttlMs: number | null;
};

/**
 * @throws NodeError `IPFS_NAME`, `IPFS_NO_LINK`, `IPFS_BLOCK_MISSING`, and as a malformed block is refused
 * @param allow is asked with the root and the path below it, and throws
 */
export async function findPlace(
  names: NameResolver,
  reader: BlockReader,
  address: GatewayAddress,
  allow: (root: CID, segments: readonly string[]) => void,
  signal: AbortSignal,
): Promise<GatewayPlace> {
  const resolved = await names.resolve(address.namespace, address.root, address.segments, signal);
  allow(resolved.root, resolved.segments);
  const walked = await walkPath(reader, resolved.root, resolved.segments, signal);
  return { ...walked, root: resolved.root, segments: resolved.segments, ttlMs: resolved.ttlMs };
}

type WalkedPath = Pick<GatewayPlace, 'cid' | 'remainder' | 'way' | 'roots'>;

/** @throws NodeError as {@link findPlace} */
export async function walkPath(
  reader: BlockReader,
  root: CID,
  segments: readonly string[],
  signal: AbortSignal,
): Promise<WalkedPath> {
  const way: CID[] = [];
  const roots: CID[] = [root];
  let place: PathPlace = { cid: root, segments, shardLevel: 0 };
  while (place.segments.length > 0) {
    const step = mustBe(stepPath(place, await getBlock(reader, place.cid, signal), 'unixfs'));
    if (step.kind === 'end') return { cid: place.cid, remainder: step.remainder, way, roots };
    way.push(place.cid);
    // A shard of the same folder is no element of the path.
    if (step.place.segments.length < place.segments.length) roots.push(step.place.cid);
    place = step.place;
  }
  return { cid: place.cid, remainder: [], way, roots };
}
