/**
 * The dag-pb codec (ipld.io/specs/codecs/dag-pb): a list of links and some bytes.
 *
 *   PBNode { repeated PBLink Links = 2; optional bytes Data = 1 }     Links are written first
 *   PBLink { bytes Hash = 1; optional string Name = 2; optional uint64 Tsize = 3 }
 *
 * A block has one way to be written, so the reader refuses what other readers refuse: unknown fields, fields out of
 * order within a link, and links in two places.
 */
import { compareBytes, decodeUtf8Lossy, encodeUtf8, ok, type Result } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { refused } from '../faults.ts';
import { ipfsLimits } from '../limits.ts';
import { tryDecodeCid } from './cid.ts';
import { ProtobufReader, varintBytes, writeVarint } from './protobuf.ts';

export type DagPbLink = {
  readonly cid: CID;
  /** Null: absent, which is not the same block as an empty one. */
  readonly name: string | null;
  /** Bytes of the block and of all below it, as whoever made the link says (Tsize); null: not said. */
  readonly dagBytes: number | null;
};

export type DagPbNode = {
  readonly links: readonly DagPbLink[];
  /** A view of the block; null: absent, which is not the same block as an empty one. */
  readonly data: Uint8Array | null;
};

/** Total: whatever the bytes are, a node or a fault. */
export function decodeDagPb(block: Uint8Array): Result<DagPbNode> {
  const reader = new ProtobufReader(block);
  const links: DagPbLink[] = [];
  let data: Uint8Array | null = null;
  let linksEnded = false;
  while (reader.next()) {
    if (reader.isBytes(1)) {
      if (data !== null) return malformed('has its data twice');
      data = reader.bytes();
      if (links.length > 0) linksEnded = true;
    } else if (reader.isBytes(2)) {
      if (linksEnded) return malformed('has links in two places');
      if (links.length >= ipfsLimits.linkCountMax) return malformed('has too many links');
      const link = tryDecodeLink(reader.message());
      if (link === null) return malformed('has a link that is none');
      links.push(link);
    } else return malformed('has a field that dag-pb does not have');
  }
  return reader.ok ? ok({ links, data }) : malformed('is no protobuf');
}

/** Fields in the order Hash, Name, Tsize, each at most once, the first always. */
function tryDecodeLink(reader: ProtobufReader): DagPbLink | null {
  let cid: CID | null = null;
  let name: string | null = null;
  let dagBytes: number | null = null;
  while (reader.next()) {
    if (reader.isBytes(1)) {
      if (cid !== null || name !== null || dagBytes !== null) return null;
      cid = tryDecodeCid(reader.bytes());
      if (cid === null) return null;
    } else if (reader.isBytes(2)) {
      if (name !== null || dagBytes !== null) return null;
      name = decodeUtf8Lossy(reader.bytes());
    } else if (reader.isVarint(3)) {
      if (dagBytes !== null) return null;
      dagBytes = reader.uint();
    } else return null;
  }
  return reader.ok && cid !== null ? { cid, name, dagBytes } : null;
}

/** Bytes that a link takes in its node; `nameBytes` of its name in UTF-8. */
export function linkBytes(cidBytes: number, nameBytes: number, dagBytes: number): number {
  const inside = linkInsideBytes(cidBytes, nameBytes, dagBytes);
  return 1 + varintBytes(inside) + inside;
}

/** The block. Links are written in the order of their names' bytes; those of one name stay in the order given. */
export function encodeDagPb(links: readonly DagPbLink[], data: Uint8Array | null): Uint8Array {
  const parts = sortedParts(links);
  let length = data === null ? 0 : 1 + varintBytes(data.length) + data.length;
  for (const part of parts) length += 1 + varintBytes(part.inside) + part.inside;
  const block = new Uint8Array(length);
  let at = 0;
  for (const { link, name, inside } of parts) {
    block[at++] = 0x12;
    at = writeVarint(block, at, inside);
    at = writeBytes(block, at, 0x0a, link.cid.bytes);
    if (name !== null) at = writeBytes(block, at, 0x12, name);
    if (link.dagBytes !== null) {
      block[at++] = 0x18;
      at = writeVarint(block, at, link.dagBytes);
    }
  }
  if (data !== null) writeBytes(block, at, 0x0a, data);
  return block;
}

type LinkPart = { readonly link: DagPbLink; readonly name: Uint8Array | null; readonly inside: number };

function sortedParts(links: readonly DagPbLink[]): LinkPart[] {
  let sorted = true;
  let last: Uint8Array = noName;
  const parts = links.map((link) => {
    const name = link.name === null ? null : link.name === '' ? noName : encodeUtf8(link.name);
    const cidBytes = link.cid.bytes.length;
    let inside = 1 + varintBytes(cidBytes) + cidBytes;
    if (name !== null) inside += 1 + varintBytes(name.length) + name.length;
    if (link.dagBytes !== null) inside += 1 + varintBytes(link.dagBytes);
    if (sorted && compareBytes(last, name ?? noName) > 0) sorted = false;
    last = name ?? noName;
    return { link, name, inside };
  });
  return sorted ? parts : parts.sort((a, b) => compareBytes(a.name ?? noName, b.name ?? noName));
}

const noName = new Uint8Array(0);

function linkInsideBytes(cidBytes: number, nameBytes: number, dagBytes: number): number {
  return (
    1 +
    varintBytes(cidBytes) +
    cidBytes +
    (1 + varintBytes(nameBytes) + nameBytes) +
    (1 + varintBytes(dagBytes))
  );
}

function writeBytes(block: Uint8Array, at: number, tag: number, bytes: Uint8Array): number {
  block[at] = tag;
  const start = writeVarint(block, at + 1, bytes.length);
  block.set(bytes, start);
  return start + bytes.length;
}

function malformed(what: string): Result<never> {
  return refused('DAG_PB', `A dag-pb block ${what}.`);
}
