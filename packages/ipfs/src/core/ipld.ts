/** Blocks as data: what they link to, and their values in the data model that all codecs share. */
import * as dagCbor from '@ipld/dag-cbor';
import * as dagJson from '@ipld/dag-json';
import { decodeUtf8Lossy, encodeUtf8, ok, type Result } from '@tequio/kernel';
import { CID } from 'multiformats/cid';
import { refused } from '../faults.ts';
import { codecs } from '../wire/cid.ts';
import { readDagCborLinks } from '../wire/dag-cbor-links.ts';
import { type DagPbLink, decodeDagPb, encodeDagPb } from '../wire/dag-pb.ts';

/** null, boolean, number or bigint, text, bytes, link, list, map. */
export type IpldValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | CID
  | readonly IpldValue[]
  | { readonly [key: string]: IpldValue };

/** Links in the order in which they stand in the block. Blocks of codecs that are not known have none. */
export function linksOf(cid: CID, block: Uint8Array): Result<CID[]> {
  switch (cid.code) {
    case codecs['dag-pb']: {
      const node = decodeDagPb(block);
      return node.ok ? ok(node.value.links.map((link) => link.cid)) : node;
    }
    case codecs['dag-cbor']:
      return readDagCborLinks(block);
    case codecs['dag-json']: {
      const value = decodeValue(codecs['dag-json'], block);
      return value.ok ? ok(linksIn(value.value)) : value;
    }
    default:
      return ok([]);
  }
}

/** All links in a value, in order. */
export function linksIn(value: IpldValue): CID[] {
  const links: CID[] = [];
  const waiting: IpldValue[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const link = asLink(next);
    if (link !== null) links.push(link);
    else if (isList(next)) waiting.push(...next.toReversed());
    else if (isMap(next)) waiting.push(...Object.values(next).toReversed());
  }
  return links;
}

/** The value that a block of this codec holds; a dag-pb node as its data model has it. */
export function decodeValue(codec: number, block: Uint8Array): Result<IpldValue> {
  try {
    switch (codec) {
      case codecs.raw:
        return ok(block);
      case codecs['dag-pb']:
        return decodePbValue(block);
      case codecs['dag-cbor']:
      case codecs.cbor:
        return ok(dagCbor.decode<IpldValue>(block));
      case codecs['dag-jose']:
        return joseOf(dagCbor.decode<IpldValue>(block));
      case codecs['dag-json']:
        return ok(dagJson.decode<IpldValue>(block));
      case codecs.json:
        return ok(JSON.parse(decodeUtf8Lossy(block)) as IpldValue);
      default:
        return refused('CODEC', `Blocks of codec 0x${codec.toString(16)} cannot be read as data here.`);
    }
  } catch (error) {
    // Also where nesting is deeper than the reader's stack.
    const reason = error instanceof Error ? error.message : String(error);
    return refused('MALFORMED', `A block is not what its codec says: ${reason}`);
  }
}

/** The block of this codec that holds a value. Faults when the codec cannot hold it. */
export function encodeValue(codec: number, value: IpldValue): Result<Uint8Array> {
  try {
    switch (codec) {
      case codecs.raw:
        return value instanceof Uint8Array ? ok(value) : cannotHold('a raw block holds bytes');
      case codecs['dag-pb']:
        return encodePbValue(value);
      case codecs['dag-cbor']:
      case codecs.cbor:
        return ok(dagCbor.encode(value));
      case codecs['dag-jose']: {
        const jose = joseOf(value);
        return jose.ok ? ok(dagCbor.encode(jose.value)) : jose;
      }
      case codecs['dag-json']:
        return ok(dagJson.encode(value));
      case codecs.json:
        return ok(encodeUtf8(JSON.stringify(value)));
      default:
        return refused('CODEC', `Blocks of codec 0x${codec.toString(16)} cannot be made here.`);
    }
  } catch (error) {
    return cannotHold(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Signed (JWS) or encrypted (JWE) data, in its general form with bytes for what JOSE writes in base 64.
 * Source: ipld.io/specs/codecs/dag-jose.
 */
function joseOf(value: IpldValue): Result<IpldValue> {
  const isJose =
    isMap(value) &&
    ((value['payload'] instanceof Uint8Array && isList(value['signatures'] ?? null)) ||
      value['ciphertext'] instanceof Uint8Array);
  return isJose ? ok(value) : refused('MALFORMED', 'This is neither signed nor encrypted data (JOSE).');
}

function decodePbValue(block: Uint8Array): Result<IpldValue> {
  const node = decodeDagPb(block);
  if (!node.ok) return node;
  const { links, data } = node.value;
  const value: Record<string, IpldValue> = {};
  if (data !== null) value['Data'] = data;
  value['Links'] = links.map(({ cid, name, dagBytes }) => ({
    Hash: cid,
    ...(name === null ? null : { Name: name }),
    ...(dagBytes === null ? null : { Tsize: dagBytes }),
  }));
  return ok(value);
}

function encodePbValue(value: IpldValue): Result<Uint8Array> {
  if (!isMap(value) || asLink(value) !== null)
    return cannotHold('a dag-pb block is a map with Links and Data');
  const { Links: links = [], Data: data = null, ...others } = value;
  if (Object.keys(others).length > 0) return cannotHold(`a dag-pb block has no ${Object.keys(others)[0]}`);
  if (data !== null && !(data instanceof Uint8Array)) return cannotHold('Data is bytes');
  if (!isList(links)) return cannotHold('Links is a list');
  const encoded: DagPbLink[] = [];
  for (const link of links) {
    if (!isMap(link)) return cannotHold('a link is a map');
    const { Hash: hash = null, Name: name = null, Tsize: dagBytes = null, ...rest } = link;
    const cid = asLink(hash);
    const isLink = cid !== null && Object.keys(rest).length === 0;
    if (!isLink || (name !== null && typeof name !== 'string') || !isSize(dagBytes))
      return cannotHold('a link has a Hash, and may have a Name that is text and a Tsize that is a number');
    encoded.push({ cid, name, dagBytes });
  }
  return ok(encodeDagPb(encoded, data));
}

function isSize(value: IpldValue): value is number | null {
  return value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0);
}

export function asLink(value: IpldValue): CID | null {
  return typeof value === 'object' && value !== null ? CID.asCID(value) : null;
}

export function isList(value: IpldValue): value is readonly IpldValue[] {
  return Array.isArray(value);
}

export function isMap(value: IpldValue): value is { readonly [key: string]: IpldValue } {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

function cannotHold(reason: string): Result<never> {
  return refused('VALUE', `This value does not fit the codec: ${reason}.`);
}
