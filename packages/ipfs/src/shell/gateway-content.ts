/** What is shown of the block that a path ends in, in the format that was asked for. */
import { decodeUtf8Lossy, emptyBytes, NodeError } from '@tequio/kernel';
import { contentTypeOf, sniffBytes } from '../core/content-type.ts';
import { dataPage, directoryPage, type PageEntry, pageVersion } from '../core/directory-page.ts';
import { folderLocation, type GatewayAddress, type GatewayTarget } from '../core/gateway-address.ts';
import {
  type CarParameters,
  formatTypes,
  type GatewayFormat,
  placeRange,
  readCarParameters,
} from '../core/gateway-format.ts';
import { contentDisposition, immutableCaching, ownPagePolicy, pageCaching } from '../core/gateway-headers.ts';
import { decodeValue, encodeValue } from '../core/ipld.ts';
import { contentBytesOf, readUnixfsNode, type UnixfsNode } from '../core/unixfs-node.ts';
import { codecs } from '../wire/cid.ts';
import type { BlockReader } from './blocks.ts';
import { exportCar } from './car-files.ts';
import { getBlock } from './dag-reader.ts';
import type { AnswerRequest, GatewayAnswer } from './gateway-answer.ts';
import { type GatewayPlace, walkPath } from './gateway-place.ts';
import { mustBe } from './ipfs-errors.ts';
import { exportTar } from './tar-export.ts';
import { exportBytes, exportFile, getUnixfsNode, listFolder } from './unixfs-export.ts';

export type GatewayContext = {
  readonly request: AnswerRequest & { readonly target: string };
  readonly target: GatewayTarget;
  readonly address: GatewayAddress;
  readonly query: URLSearchParams;
  readonly format: GatewayFormat | null;
  readonly reader: BlockReader;
  readonly signal: AbortSignal;
  readonly place: GatewayPlace;
  /** Of an answer that goes well: 200, or what `_redirects` says. */
  readonly status: number;
};

export type GatewayRefusal = { readonly status: number; readonly refusal: string };

/** Entries that a page shows. */
const listedMax = 10_000;
/** Bytes of a block that a page shows as text. */
const shownBytesMax = 64 * 1024;

type DataFormat = 'json' | 'cbor' | 'dag-json' | 'dag-cbor';

const dataFormats: ReadonlyMap<number, DataFormat> = new Map([
  [codecs.json, 'json'],
  [codecs.cbor, 'cbor'],
  [codecs['dag-json'], 'dag-json'],
  [codecs['dag-cbor'], 'dag-cbor'],
]);

/** Where a folder without a slash at its end is sent; null: it is none, or not shown as a folder. */
export async function redirectToFolder(context: GatewayContext): Promise<string | null> {
  const { place, format, address, reader, signal } = context;
  const isShown = format === null || format === 'html';
  if (!isShown || address.hasTrailingSlash || place.remainder.length > 0) return null;
  if (address.mode !== 'path' && address.segments.length === 0) return null;
  if (place.cid.code !== codecs['dag-pb'] || context.status !== 200) return null;
  const node = await getUnixfsNode(reader, place.cid, signal);
  return isFolder(node) ? folderLocation(address, context.target) : null;
}

/** @throws NodeError as reading does */
export async function answerContent(context: GatewayContext): Promise<GatewayAnswer | GatewayRefusal> {
  const { place, format } = context;
  const native = dataFormats.get(place.cid.code) ?? null;
  if (place.remainder.length > 0)
    return {
      status: 501,
      refusal: `"${place.remainder.join('/')}" lies within block ${place.cid}; only whole blocks are shown.`,
    };
  switch (format) {
    case 'raw':
      return await answerRaw(context);
    case 'car':
      return await answerCar(context);
    case 'tar':
      return answerTar(context);
    case 'json':
    case 'cbor':
    case 'dag-json':
    case 'dag-cbor':
      return await answerAs(context, format, native);
    default:
      if (native === null) return await answerUnixfs(context);
      return format === 'html'
        ? await answerDataPage(context, native)
        : await answerData(context, native, native);
  }
}

/** Under a name content may change when the name's time is over. */
function cachingOf({ place }: GatewayContext): string {
  return place.ttlMs === null ? immutableCaching : `public, max-age=${Math.floor(place.ttlMs / 1000)}`;
}

function fileName({ query, place }: GatewayContext, extension: string): string {
  return query.get('filename') ?? `${place.cid}.${extension}`;
}

async function answerRaw(context: GatewayContext): Promise<GatewayAnswer> {
  const { place, reader, signal } = context;
  const block = await getBlock(reader, place.cid, signal);
  return {
    status: 200,
    type: formatTypes.raw,
    etag: `"${place.cid}.raw"`,
    caching: cachingOf(context),
    disposition: contentDisposition('attachment', fileName(context, 'bin')),
    headers: { 'x-content-type-options': 'nosniff' },
    bytes: block.length,
    read: (from, to) => block.subarray(from, to),
  };
}

async function answerCar(context: GatewayContext): Promise<GatewayAnswer | GatewayRefusal> {
  const { place, query, request, reader, signal } = context;
  const parameters = readCarParameters(query, request.headers['accept']);
  if (typeof parameters === 'string') return { status: 400, refusal: parameters };
  const { scope, duplicates, order } = parameters;
  // Missing blocks are found out before the answer begins.
  const block = await getBlock(reader, place.cid, signal);
  const range = rangeOf(parameters, place, block);
  const tag = [scope, order, duplicates ? 'dups' : 'once', range?.from ?? '', range?.to ?? ''].join('.');
  return {
    status: 200,
    type: `${formatTypes.car}; version=1; order=${order}; dups=${duplicates ? 'y' : 'n'}`,
    etag: `W/"${place.roots[0]}.${place.cid}.car.${tag}"`,
    caching: cachingOf(context),
    disposition: contentDisposition('attachment', fileName(context, 'car')),
    headers: { 'x-content-type-options': 'nosniff' },
    bytes: null,
    read: () =>
      exportCar(reader, [place.cid], {
        scope,
        duplicates,
        way: place.way,
        signal: request.signal,
        ...(range === null ? null : { range }),
      }),
  };
}

/** Of a file; other entities have no bytes to choose from. */
function rangeOf(
  { range }: CarParameters,
  place: GatewayPlace,
  block: Uint8Array,
): { readonly from: number; readonly to: number } | null {
  if (range === null) return null;
  const node = readUnixfsNode(place.cid, block);
  if (!node.ok || (node.value.kind !== 'file' && node.value.kind !== 'raw')) return null;
  return placeRange(range, contentBytesOf(node.value));
}

function answerTar(context: GatewayContext): GatewayAnswer {
  const { place, reader, request } = context;
  return {
    status: 200,
    type: formatTypes.tar,
    etag: `W/"${place.cid}.x-tar"`,
    caching: cachingOf(context),
    disposition: contentDisposition('attachment', fileName(context, 'tar')),
    headers: { 'x-content-type-options': 'nosniff' },
    bytes: null,
    read: () => exportTar(reader, place.cid, place.cid.toString(), request.signal),
  };
}

/** Data in a codec: only as it is, or under the plain name of its own codec. Nothing is converted (IPIP-524). */
async function answerAs(
  context: GatewayContext,
  format: DataFormat,
  native: DataFormat | null,
): Promise<GatewayAnswer | GatewayRefusal> {
  if (native === format || native === `dag-${format}`) return await answerData(context, format, native!);
  if (native === null && (format === 'json' || format === 'cbor')) {
    const node = readUnixfsNode(
      context.place.cid,
      await getBlock(context.reader, context.place.cid, context.signal),
    );
    if (node.ok && (node.value.kind === 'file' || node.value.kind === 'raw')) {
      const answer = await answerUnixfs(context);
      if (answer.type === formatTypes[format] || answer.type === 'application/octet-stream')
        return { ...answer, type: formatTypes[format] };
    }
  }
  return {
    status: 406,
    refusal: `${context.place.cid} is not ${format}, and is not converted; ask for format=raw and decode it.`,
  };
}

async function answerData(
  context: GatewayContext,
  format: DataFormat,
  native: DataFormat,
): Promise<GatewayAnswer> {
  const { place, query, reader, signal } = context;
  const block = await getBlock(reader, place.cid, signal);
  const isText = native === 'json' || native === 'dag-json';
  const kind = isText && query.get('download') !== 'true' ? 'inline' : 'attachment';
  return {
    status: 200,
    type: formatTypes[format],
    etag: `"${place.cid}.${format}"`,
    caching: cachingOf(context),
    disposition: contentDisposition(kind, fileName(context, isText ? 'json' : 'cbor')),
    headers: { 'x-content-type-options': 'nosniff' },
    bytes: block.length,
    read: (from, to) => block.subarray(from, to),
  };
}

async function answerDataPage(context: GatewayContext, native: DataFormat): Promise<GatewayAnswer> {
  const { place, address, reader, signal } = context;
  const block = await getBlock(reader, place.cid, signal);
  const value = mustBe(decodeValue(place.cid.code, block));
  const json = encodeValue(codecs['dag-json'], value);
  const text = decodeUtf8Lossy((json.ok ? json.value : block).subarray(0, shownBytesMax));
  return pageAnswer(context, 'DagIndex', dataPage(address, place.cid.toString(), native, text));
}

function pageAnswer(context: GatewayContext, kind: string, html: string): GatewayAnswer {
  const bytes = new TextEncoder().encode(html);
  const { place } = context;
  return {
    status: context.status,
    type: 'text/html; charset=utf-8',
    etag: `"${kind}-${pageVersion}_CID-${place.cid}"`,
    caching: place.ttlMs === null ? pageCaching : cachingOf(context),
    headers: { 'content-security-policy': ownPagePolicy },
    bytes: bytes.length,
    read: (from, to) => bytes.subarray(from, to),
  };
}

// Files and folders

async function answerUnixfs(context: GatewayContext): Promise<GatewayAnswer> {
  const { place, reader, signal } = context;
  const node = await getUnixfsNode(reader, place.cid, signal);
  if (isFolder(node)) return await answerFolder(context);
  if (node.kind === 'symlink') return answerSymlink(context, node);
  if (node.kind !== 'file' && node.kind !== 'raw')
    throw new NodeError('IPFS_NOT_UNIXFS', `${place.cid} is neither a file nor a folder.`, { op: 'gateway' });
  return await answerFile(context, node, place.cid.toString(), context.address.segments.at(-1) ?? null);
}

function isFolder({ kind }: UnixfsNode): boolean {
  return kind === 'directory' || kind === 'hamt-shard';
}

/** Its `index.html`, or a list of what is in it. */
async function answerFolder(context: GatewayContext): Promise<GatewayAnswer> {
  const { place, address, reader, signal } = context;
  const index = await walkPath(reader, place.cid, ['index.html'], signal).catch((error: unknown) => {
    if (error instanceof NodeError && error.code === 'IPFS_NO_LINK') return null;
    throw error;
  });
  if (index !== null) {
    const node = await getUnixfsNode(reader, index.cid, signal);
    if (node.kind === 'file' || node.kind === 'raw') {
      const shown = { ...context, place: { ...place, cid: index.cid } };
      return await answerFile(shown, node, place.cid.toString(), 'index.html');
    }
  }
  const entries: PageEntry[] = [];
  let isWhole = true;
  for await (const { name, cid, dagBytes } of listFolder(reader, place.cid, signal)) {
    if (entries.length >= listedMax) {
      isWhole = false;
      break;
    }
    entries.push({ name, cid: cid.toString(), bytes: dagBytes });
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return pageAnswer(context, 'DirIndex', directoryPage(address, place.cid.toString(), entries, isWhole));
}

/** What it says, as text: where it leads is for whoever reads it. */
function answerSymlink(context: GatewayContext, node: UnixfsNode): GatewayAnswer {
  const target = node.data ?? emptyBytes;
  return {
    status: context.status,
    type: 'inode/symlink',
    etag: `"${context.place.cid}"`,
    caching: cachingOf(context),
    bytes: target.length,
    read: (from, to) => target.subarray(from, to),
  };
}

async function answerFile(
  context: GatewayContext,
  node: UnixfsNode,
  tag: string,
  name: string | null,
): Promise<GatewayAnswer> {
  const { place, query, reader, request } = context;
  const bytes = contentBytesOf(node);
  const asked = query.get('filename');
  const download = query.get('download') === 'true';
  const start = await startOf(context, node, bytes);
  const disposition = asked ?? (download ? (name ?? place.cid.toString()) : null);
  return {
    status: context.status,
    type: contentTypeOf(asked ?? name, start, start.length === bytes),
    etag: `"${tag}"`,
    caching: cachingOf(context),
    ...(disposition === null
      ? null
      : { disposition: contentDisposition(download ? 'attachment' : 'inline', disposition) }),
    bytes,
    read: (from, to) =>
      node.links.length === 0
        ? (node.data ?? emptyBytes).subarray(from, to)
        : exportFile(reader, place.cid, { from, to, signal: request.signal }),
  };
}

/** Its first bytes; none where they cannot be had: then its name alone says what it is. */
async function startOf(
  { place, reader, signal }: GatewayContext,
  node: UnixfsNode,
  bytes: number,
): Promise<Uint8Array> {
  if (node.links.length === 0) return (node.data ?? emptyBytes).subarray(0, sniffBytes);
  const to = Math.min(bytes, sniffBytes);
  return await exportBytes(reader, place.cid, to, { from: 0, to, signal }).catch((error: unknown) => {
    if (error instanceof NodeError && error.code === 'IPFS_BLOCK_MISSING') return emptyBytes;
    throw error;
  });
}
