/**
 * Paths through blocks: `/ipfs/CID/folder/file`, and through data `CID/key/0/key`. A path is taken one element at a
 * time; whoever walks brings the block that an element needs next.
 */
import { ok, type Result } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { refused } from '../faults.ts';
import { ipfsLimits } from '../limits.ts';
import { codecs, tryParseCid } from '../wire/cid.ts';
import { decodeDagPb } from '../wire/dag-pb.ts';
import { hashName, pickChild, readShard, shardIndexOf } from './hamt.ts';
import { asLink, decodeValue, type IpldValue, isList, isMap } from './ipld.ts';
import { readUnixfsNode } from './unixfs-node.ts';

export type IpfsPath = { readonly root: CID; readonly segments: readonly string[] };

/** Of `/ipfs/CID/…`, `/ipld/CID/…`, `ipfs://CID/…` or `CID/…`; empty elements are left out. */
export function parseIpfsPath(text: string): Result<IpfsPath> {
  const rest = /^(?:\/(?:ipfs|ipld)\/|(?:ipfs|ipld):\/\/)?(.*)$/s.exec(text)![1]!;
  const [rootText = '', ...segments] = rest.split('/').filter((segment) => segment !== '');
  const root = tryParseCid(rootText);
  if (root === null) return refused('PATH', `"${text}" is no IPFS path: "${rootText}" is no CID.`);
  if (segments.length > ipfsLimits.pathDepthMax)
    return refused('PATH', `The path has more than ${ipfsLimits.pathDepthMax} elements.`);
  return ok({ root, segments });
}

/** Where a path is while it is walked. */
export type PathPlace = {
  /** The block that is wanted next, or that the path ends in. */
  readonly cid: CID;
  /** Elements that are left, of them the first belongs to this block. */
  readonly segments: readonly string[];
  /** In a sharded folder: how many shards lie above this one. */
  readonly shardLevel: number;
};

/** Blocks are read as files and folders, or as data. */
export type PathReading = 'unixfs' | 'data';

/** After the block has come: the next place. A path that stays within the block ends there, with what is left. */
export type PathStep =
  | { readonly kind: 'next'; readonly place: PathPlace }
  | { readonly kind: 'end'; readonly value: IpldValue; readonly remainder: readonly string[] };

/** One step from a place whose block has come, and whose path has elements left. Faults when there is no such link. */
export function stepPath(place: PathPlace, block: Uint8Array, reading: PathReading): Result<PathStep> {
  if (reading === 'unixfs' && place.cid.code === codecs['dag-pb']) return stepUnixfs(place, block);
  if (reading === 'unixfs' && place.cid.code === codecs.raw) return noLink(place);
  return stepData(place, block);
}

function stepUnixfs(place: PathPlace, block: Uint8Array): Result<PathStep> {
  const [name] = place.segments as [string];
  const node = readUnixfsNode(place.cid, block);
  // A dag-pb node that is no file or folder: its links by name.
  if (!node.ok) return stepPlainLinks(place, block);
  if (node.value.kind === 'hamt-shard') {
    const shard = readShard(node.value);
    if (!shard.ok) return shard;
    const index = shardIndexOf(hashName(name), shard.value.fanout, place.shardLevel);
    const child = index === null ? null : pickChild(shard.value, index);
    if (child?.kind === 'shard') return next(child.cid, place.segments, place.shardLevel + 1);
    return child?.entry.name === name ? next(child.entry.cid, place.segments.slice(1)) : noLink(place);
  }
  const link = node.value.links.find((candidate) => candidate.name === name);
  if (node.value.kind !== 'directory' || link === undefined) return noLink(place);
  return next(link.cid, place.segments.slice(1));
}

function stepPlainLinks(place: PathPlace, block: Uint8Array): Result<PathStep> {
  const node = decodeDagPb(block);
  if (!node.ok) return node;
  const link = node.value.links.find((candidate) => candidate.name === place.segments[0]);
  return link === undefined ? noLink(place) : next(link.cid, place.segments.slice(1));
}

/** Through maps by key and lists by index, up to a link or to the path's end. */
function stepData(place: PathPlace, block: Uint8Array): Result<PathStep> {
  const decoded = decodeValue(place.cid.code, block);
  if (!decoded.ok) return decoded;
  let value = decoded.value;
  for (const [index, segment] of place.segments.entries()) {
    const inside = childOf(value, segment);
    if (inside === undefined) return noLink(place, segment);
    const link = asLink(inside);
    if (link !== null) return next(link, place.segments.slice(index + 1));
    value = inside;
  }
  return ok({ kind: 'end', value, remainder: place.segments });
}

function childOf(value: IpldValue, segment: string): IpldValue | undefined {
  if (isList(value)) return /^(?:0|[1-9][0-9]{0,8})$/.test(segment) ? value[Number(segment)] : undefined;
  return isMap(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
}

function next(cid: CID, segments: readonly string[], shardLevel = 0): Result<PathStep> {
  return ok({ kind: 'next', place: { cid, segments, shardLevel } });
}

function noLink(place: PathPlace, name = place.segments[0]): Result<never> {
  return refused('NO_LINK', `no link named "${name}" under ${place.cid}`);
}
