/** A block as UnixFS sees it: a raw block is a file without anything below it. */
import { ok, type Result } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { refused } from '../faults.ts';
import { codecs } from '../wire/cid.ts';
import { type DagPbLink, decodeDagPb } from '../wire/dag-pb.ts';
import { decodeUnixfs, noMetadata, type UnixfsData } from '../wire/unixfs.ts';

export type UnixfsNode = UnixfsData & { readonly links: readonly DagPbLink[] };

/** Faults also where a file says of its children what cannot be. */
export function readUnixfsNode(cid: CID, block: Uint8Array): Result<UnixfsNode> {
  if (cid.code === codecs.raw) return ok(rawNode(block));
  if (cid.code !== codecs['dag-pb'])
    return refused(
      'NOT_UNIXFS',
      `${cid} is neither a file nor a folder: its codec is 0x${cid.code.toString(16)}.`,
    );
  const node = decodeDagPb(block);
  if (!node.ok) return node;
  const { data, links } = node.value;
  if (data === null)
    return refused('NOT_UNIXFS', `${cid} is neither a file nor a folder: it says nothing of itself.`);
  const unixfs = decodeUnixfs(data);
  if (!unixfs.ok) return unixfs;
  const { kind, childBytes } = unixfs.value;
  if ((kind === 'file' || kind === 'raw') && childBytes.length !== links.length)
    return refused('UNIXFS_SIZES', `${cid} has ${links.length} links, and sizes of ${childBytes.length}.`);
  return ok({ ...unixfs.value, links });
}

function rawNode(block: Uint8Array): UnixfsNode {
  return {
    ...noMetadata,
    kind: 'raw',
    data: block,
    fileBytes: block.length,
    childBytes: [],
    hashCode: null,
    fanout: null,
    links: [],
  };
}

/** Content bytes of a file: what it holds itself and what its links are said to hold. */
export function contentBytesOf(node: UnixfsNode): number {
  let bytes = node.data?.length ?? 0;
  for (const child of node.childBytes) bytes += child;
  return bytes;
}
