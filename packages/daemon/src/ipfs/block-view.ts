/** A block as people look at it: what it is, what it links to, and what it says. */
import type { IpfsBlockLink, IpfsBlockView } from '@tequio/api';
import {
  cidText,
  codecs,
  contentBytesOf,
  decodeDagPb,
  decodeValue,
  encodeValue,
  hashCodes,
  type IpldValue,
  readUnixfsNode,
  type tryParseCid,
  type UnixfsNode,
} from '@tequio/ipfs';
import { toHex } from '@tequio/kernel';

export type Cid = NonNullable<ReturnType<typeof tryParseCid>>;

/** More than this is not shown of one block. */
const linkCountMax = 1000;
const jsonCharactersMax = 64 << 10;
const headBytes = 4096;

/** Version 1 in base32: one name for one thing, good in every address. */
export function textOf(cid: Cid): string {
  return cidText(cid, 'base32');
}

export function viewBlock(cid: Cid, block: Uint8Array, pin: IpfsBlockView['pin']): IpfsBlockView {
  const node = readUnixfsNode(cid, block);
  const links = linksIn(cid, block);
  return {
    cid: textOf(cid),
    codec: nameOf(codecs, cid.code),
    hash:
      [...hashCodes].find(([, code]) => code === cid.multihash.code)?.[0] ??
      `0x${cid.multihash.code.toString(16)}`,
    digest: toHex(cid.multihash.digest),
    blockBytes: block.length,
    kind: node.ok ? kindOf(node.value) : null,
    contentBytes: node.ok && kindOf(node.value) === 'file' ? contentBytesOf(node.value) : null,
    linkCount: links.length,
    links: links.slice(0, linkCountMax),
    json: jsonOf(cid, block),
    head: Buffer.from(block.subarray(0, headBytes)).toString('base64'),
    pin,
  };
}

export function kindOf({ kind }: UnixfsNode): 'file' | 'folder' | 'link' {
  return kind === 'directory' || kind === 'hamt-shard' ? 'folder' : kind === 'symlink' ? 'link' : 'file';
}

function linksIn(cid: Cid, block: Uint8Array): readonly IpfsBlockLink[] {
  if (cid.code === codecs['dag-pb']) {
    const node = decodeDagPb(block);
    if (!node.ok) return [];
    return node.value.links.map(({ name, cid: to, dagBytes }, index) => ({
      name: name === null || name === '' ? `Links/${index}/Hash` : name,
      cid: textOf(to),
      bytes: dagBytes,
    }));
  }
  if (cid.code === codecs.raw) return [];
  const value = decodeValue(cid.code, block);
  return value.ok ? [...linksOfValue(value.value)] : [];
}

/** Every link in a value with the path that leads to it, in order; without recursion, for a stranger nests it. */
function* linksOfValue(root: IpldValue): Generator<IpfsBlockLink> {
  const waiting: { readonly path: string; readonly value: IpldValue }[] = [{ path: '', value: root }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, value } = next;
    if (value === null || typeof value !== 'object' || value instanceof Uint8Array) continue;
    if ('multihash' in value && 'bytes' in value) {
      yield { name: path, cid: textOf(value as Cid), bytes: null };
      continue;
    }
    const inside = Object.entries(value as Readonly<Record<string, IpldValue>>).reverse();
    for (const [key, child] of inside)
      waiting.push({ path: path === '' ? key : `${path}/${key}`, value: child });
  }
}

function jsonOf(cid: Cid, block: Uint8Array): string | null {
  if (cid.code === codecs.raw) return null;
  const value = decodeValue(cid.code, block);
  if (!value.ok) return null;
  const json = encodeValue(codecs['dag-json'], value.value);
  if (!json.ok) return null;
  const text = JSON.stringify(JSON.parse(new TextDecoder().decode(json.value)), null, 2);
  return text.length <= jsonCharactersMax ? text : `${text.slice(0, jsonCharactersMax)}\n…`;
}

function nameOf(table: Readonly<Record<string, number>>, code: number): string {
  return Object.entries(table).find(([, known]) => known === code)?.[0] ?? `0x${code.toString(16)}`;
}
