/**
 * Torrent files (BEP 3, 5, 12, 19, 38, 52): the info dictionary and what stands beside it. Bytes after the
 * end of the outer dictionary are ignored, as everybody does. Keys that we do not know, inside `info` and
 * beside it, are kept as they stood: `info` is never encoded again, the others are handed on in `otherKeys`.
 */
import { encodeUtf8, type Hashes, ok, type Result, toLatin1, tryFromHex } from '@tequio/kernel';
import {
  type BencodeInput,
  BencodeRaw,
  type BencodeValue,
  decodeBencodePrefix,
  encodeBencode,
} from './bencode.ts';
import { metainfoLimits, refused } from './metainfo-fault.ts';
import { decodeCollections, decodeSimilar, readInfo, tryShortText } from './metainfo-info.ts';
import { decodePieceLayers } from './metainfo-v2.ts';
import type { Metainfo, OtherKey, TorrentInfo } from './torrent-info.ts';

/** Keys beside `info` that {@link encodeMetainfo} writes itself. */
const ownKeys: ReadonlySet<string> = new Set([
  'announce',
  'announce-list',
  'comment',
  'created by',
  'creation date',
  'info',
  'nodes',
  'piece layers',
  'url-list',
]);

/** A scheme, `://`, and no blanks or controls. Which schemes are used is the announcer's business. */
const urlShape = /^[a-z][a-z0-9+.-]{0,20}:\/\/[^\u0000-\u001f\u007f]+$/i;

/** True for the address of a tracker or web seed that a reader of the torrent will not drop. */
export function isTorrentUrl(text: string): boolean {
  return urlShape.test(text) && encodeUtf8(text).length <= metainfoLimits.urlBytesMax;
}

/**
 * Decodes a torrent file. The result keeps views of `bytes`, which must not change after.
 * Faults: `BITTORRENT_BENCODE_*`, `BITTORRENT_METAINFO_*`, blame `file`.
 */
export function decodeMetainfo(bytes: Uint8Array, hashes: Hashes): Result<Metainfo> {
  const prefix = decodeBencodePrefix(bytes);
  if (!prefix.ok) return { ok: false, fault: { ...prefix.fault, blame: 'file' } };
  const torrent = prefix.value.value;
  if (torrent.kind !== 'dictionary') return refused('DICTIONARY', 'The torrent file is no dictionary.');
  const infoValue = torrent.get('info');
  if (infoValue === null) return refused('INFO', 'The torrent has no info dictionary.');
  const info = readInfo(infoValue, hashes);
  if (!info.ok) return info;
  const pieceLayers = decodePieceLayers(torrent, info.value, hashes);
  if (!pieceLayers.ok) return pieceLayers;
  const otherKeys = decodeOtherKeys(torrent);
  return ok({
    info: withOuterSimilar(info.value, torrent),
    trackers: decodeTrackers(torrent),
    webSeeds: decodeWebSeeds(torrent),
    nodes: decodeNodes(torrent),
    comment: tryShortText(torrent.get('comment.utf-8')) ?? tryShortText(torrent.get('comment')),
    createdBy: tryShortText(torrent.get('created by.utf-8')) ?? tryShortText(torrent.get('created by')),
    createdAt: torrent.getInteger('creation date'),
    pieceLayers: pieceLayers.value,
    otherKeys,
  });
}

/** BEP 38 allows both lists beside `info` too, where they can be added later without a new info-hash. */
function withOuterSimilar(info: TorrentInfo, torrent: BencodeValue): TorrentInfo {
  const similar = decodeSimilar(torrent);
  const collections = decodeCollections(torrent);
  if (similar.length === 0 && collections.length === 0) return info;
  return {
    ...info,
    similar: [...info.similar, ...similar],
    collections: [...new Set([...info.collections, ...collections])],
  };
}

/** BEP 12: `announce-list` in place of `announce`, unless nothing usable is in it. */
function decodeTrackers(torrent: BencodeValue): readonly (readonly string[])[] {
  const seen = new Set<string>();
  const tiers: string[][] = [];
  for (const tier of torrent.getItems('announce-list') ?? []) {
    const urls = (tier.tryItems() ?? [tier]).map(tryUrl).filter((url) => url !== null);
    const fresh = urls.filter((url) => seen.size < metainfoLimits.trackerCountMax && isNew(seen, url));
    if (fresh.length > 0) tiers.push(fresh);
  }
  const announce = tryUrl(torrent.get('announce'));
  return tiers.length === 0 && announce !== null ? [[announce]] : tiers;
}

/** BEP 19: one address or a list of them. */
function decodeWebSeeds(torrent: BencodeValue): readonly string[] {
  const value = torrent.get('url-list');
  if (value === null) return [];
  const seen = new Set<string>();
  const urls = (value.tryItems() ?? [value]).map(tryUrl).filter((url) => url !== null);
  return urls.filter((url) => seen.size < metainfoLimits.webSeedCountMax && isNew(seen, url));
}

function isNew(seen: Set<string>, url: string): boolean {
  const before = seen.size;
  return seen.add(url).size > before;
}

function tryUrl(value: BencodeValue | null): string | null {
  const bytes = value?.tryBytes() ?? null;
  if (bytes === null || bytes.length > metainfoLimits.urlBytesMax) return null;
  const text = value!.tryText()?.trim() ?? '';
  return isTorrentUrl(text) ? text : null;
}

/** BEP 5: `[host, port]` pairs. */
function decodeNodes(torrent: BencodeValue): readonly { readonly host: string; readonly port: number }[] {
  const nodes: { host: string; port: number }[] = [];
  for (const item of torrent.getItems('nodes') ?? []) {
    const [hostValue, portValue] = item.tryItems() ?? [];
    const host = hostValue?.tryText() ?? '';
    const port = portValue?.tryInteger() ?? 0;
    if (host !== '' && host.length <= 255 && port >= 1 && port <= 65535) nodes.push({ host, port });
    if (nodes.length >= metainfoLimits.nodeCountMax) break;
  }
  return nodes;
}

function decodeOtherKeys(torrent: BencodeValue): readonly OtherKey[] {
  const seen = new Set<string>();
  return torrent
    .tryEntries()!
    .filter(({ key }) => !ownKeys.has(toLatin1(key)) && isNew(seen, toLatin1(key)))
    .map(({ key, value }) => ({ key, value: value.raw }));
}

/** What a torrent file is made of; `info` as it stands, everything else as far as it is there. */
export type MetainfoParts = { readonly infoBytes: Uint8Array } & Partial<Omit<Metainfo, 'info'>>;

/**
 * A torrent file with `info` byte for byte. `encodeMetainfo({ ...metainfo, infoBytes: metainfo.info.infoBytes
 * })` copies one.
 */
export function encodeMetainfo(parts: MetainfoParts): Uint8Array {
  const keys = new Map<string | Uint8Array, BencodeInput | undefined>();
  for (const other of parts.otherKeys ?? [])
    if (!ownKeys.has(toLatin1(other.key))) keys.set(other.key, new BencodeRaw(other.value));
  const trackers = parts.trackers ?? [];
  const webSeeds = parts.webSeeds ?? [];
  const nodes = parts.nodes ?? [];
  const layers = parts.pieceLayers ?? new Map<string, Uint8Array>();
  keys.set('announce', trackers[0]?.[0]);
  // One tracker alone needs no list, which old programs do not read.
  const isList = trackers.length > 1 || (trackers[0]?.length ?? 0) > 1;
  keys.set('announce-list', isList ? trackers : undefined);
  keys.set('comment', parts.comment ?? undefined);
  keys.set('created by', parts.createdBy ?? undefined);
  keys.set('creation date', parts.createdAt ?? undefined);
  keys.set('info', new BencodeRaw(parts.infoBytes));
  keys.set('nodes', nodes.length > 0 ? nodes.map((node) => [node.host, node.port]) : undefined);
  keys.set('piece layers', layers.size > 0 || isV2(parts.infoBytes) ? layersByRoot(layers) : undefined);
  keys.set('url-list', webSeeds.length > 0 ? webSeeds : undefined);
  return encodeBencode(keys);
}

/** BEP 52 asks for the key in every v2 torrent file, also when no file is long enough for a layer. */
function isV2(infoBytes: Uint8Array): boolean {
  const info = decodeBencodePrefix(infoBytes);
  return info.ok && info.value.value.getInteger('meta version') === 2;
}

function layersByRoot(layers: ReadonlyMap<string, Uint8Array>): ReadonlyMap<Uint8Array, Uint8Array> {
  return new Map([...layers].map(([root, layer]) => [tryFromHex(root) ?? encodeUtf8(root), layer]));
}
