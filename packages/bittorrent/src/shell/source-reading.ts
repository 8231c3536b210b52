/** What a user gives as a torrent, read: a torrent file or a magnet link, and what an earlier run remembers of it. */
import { type Hashes, NodeError, toHex } from '@tequio/kernel';
import type { TorrentSource } from '../contract.ts';
import { decodeMagnet } from '../wire/magnet.ts';
import { decodeMetainfo } from '../wire/metainfo.ts';
import type { Magnet, Metainfo } from '../wire/torrent-info.ts';
import type { StoredTorrent } from './resume-store.ts';
import type { SessionSource } from './session-source.ts';

/** @throws NodeError with the code of what is wrong in it */
export function readSource(source: TorrentSource, hashes: Hashes): SessionSource {
  if ('torrent' in source) {
    const metainfo = readTorrent(source.torrent, hashes);
    const { info, trackers, webSeeds } = metainfo;
    const { infoHashV1, infoHashV2, name } = info;
    return { infoHashV1, infoHashV2, name, metainfo, trackers, webSeeds, select: null, stored: null };
  }
  const { infoHashV1, infoHashV2, name, trackers, webSeeds, select } = readMagnet(source.magnet);
  return {
    infoHashV1,
    infoHashV2,
    name: name ?? toHex(infoHashV1 ?? infoHashV2!),
    metainfo: null,
    trackers: trackers.map((url) => [url]),
    webSeeds,
    select,
    stored: null,
  };
}

/** With what an earlier run remembers, unless it was about another folder. */
export function withStored(
  read: SessionSource,
  stored: StoredTorrent | null,
  folder: string,
  hashes: Hashes,
): SessionSource {
  if (stored === null || stored.record.folder !== folder) return read;
  const metainfo = read.metainfo ?? tryReadTorrent(stored.metainfo, hashes);
  const { hasOwnTrackers, trackers } = stored.record;
  return { ...read, metainfo, trackers: hasOwnTrackers ? trackers : read.trackers, stored };
}

/** What an earlier run remembers, and nothing else. */
export function restoredSource(stored: StoredTorrent, hashes: Hashes): SessionSource {
  const { infoHashV1, infoHashV2, name, trackers, webSeeds } = stored.record;
  const metainfo = tryReadTorrent(stored.metainfo, hashes);
  return { infoHashV1, infoHashV2, name, metainfo, trackers, webSeeds, select: null, stored, isBack: true };
}

/** The peers that the source itself names. */
export function peersOf(source: TorrentSource): readonly string[] {
  if ('torrent' in source) return [];
  const magnet = decodeMagnet(source.magnet);
  return magnet.ok ? magnet.value.peers : [];
}

/** @throws NodeError with the code of what is wrong in it */
export function readTorrent(bytes: Uint8Array, hashes: Hashes): Metainfo {
  const metainfo = decodeMetainfo(bytes, hashes);
  if (!metainfo.ok) throw faultError(metainfo.fault);
  return metainfo.value;
}

/** SHA-1 of each piece of a .torrent, in hex; of version 2 alone, which has none, an empty list. @throws NodeError */
export function readPieceHashes(torrent: Uint8Array, hashes: Hashes): readonly string[] {
  const { pieceHashes, pieceCount } = readTorrent(torrent, hashes).info;
  if (pieceHashes === null) return [];
  return Array.from({ length: pieceCount }, (_, piece) =>
    toHex(pieceHashes.subarray(20 * piece, 20 * (piece + 1))),
  );
}

/** @throws NodeError with the code of what is wrong in it */
export function readMagnet(text: string): Magnet {
  const magnet = decodeMagnet(text);
  if (!magnet.ok) throw faultError(magnet.fault);
  return magnet.value;
}

/** Null: there is none, or it is not one any more. */
export function tryReadTorrent(bytes: Uint8Array | null, hashes: Hashes): Metainfo | null {
  if (bytes === null) return null;
  const metainfo = decodeMetainfo(bytes, hashes);
  return metainfo.ok ? metainfo.value : null;
}

function faultError(fault: { readonly code: string; readonly message: string }): NodeError {
  return new NodeError(fault.code, fault.message, { op: 'read' });
}
