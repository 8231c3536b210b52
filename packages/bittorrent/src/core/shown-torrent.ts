/** What `show` prints of a torrent or a magnet link: plain data, safe names, hex hashes. */
import { toHex } from '@tequio/kernel';
import type { ShownTorrent } from '../contract.ts';
import { encodeMagnet } from '../wire/magnet.ts';
import type { Magnet, Metainfo } from '../wire/torrent-info.ts';

/** Trackers named in a shown magnet link; with all of them it could be longer than programs accept. */
const magnetTrackerCountMax = 20;

export function toShown(metainfo: Metainfo): ShownTorrent {
  const { info, trackers, webSeeds } = metainfo;
  return {
    name: info.name,
    infoHashV1: hexOf(info.infoHashV1),
    infoHashV2: hexOf(info.infoHashV2),
    pieceBytes: info.pieceBytes,
    pieceCount: info.pieceCount,
    totalBytes: info.totalBytes,
    private: info.private,
    trackers,
    webSeeds,
    files: info.files.map(({ path, bytes, pad }) => ({ path, bytes, pad })),
    comment: metainfo.comment,
    createdBy: metainfo.createdBy,
    createdAt: metainfo.createdAt,
    source: info.source,
    similar: info.similar.map(toHex),
    collections: info.collections,
    nameChanges: info.nameChanges,
    magnet: encodeMagnet({
      infoHashV1: info.infoHashV1,
      infoHashV2: info.infoHashV2,
      name: info.name,
      trackers: trackers.flat().slice(0, magnetTrackerCountMax),
      webSeeds: webSeeds.slice(0, magnetTrackerCountMax),
    }),
  };
}

/** A magnet link says little: no pieces, no files; its name is the hash when it has none. */
export function toShownMagnet(magnet: Magnet): ShownTorrent {
  return {
    name: magnet.name ?? hexOf(magnet.infoHashV1 ?? magnet.infoHashV2) ?? '',
    infoHashV1: hexOf(magnet.infoHashV1),
    infoHashV2: hexOf(magnet.infoHashV2),
    pieceBytes: 0,
    pieceCount: 0,
    totalBytes: 0,
    private: false,
    trackers: magnet.trackers.map((url) => [url]),
    webSeeds: magnet.webSeeds,
    files: [],
    comment: null,
    createdBy: null,
    createdAt: null,
    source: null,
    similar: [],
    collections: [],
    nameChanges: [],
    magnet: encodeMagnet(magnet),
  };
}

function hexOf(hash: Uint8Array | null): string | null {
  return hash === null ? null : toHex(hash);
}
