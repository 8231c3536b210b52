import { toHex } from '@tequio/kernel';
import type { HashTree } from '../core/hash-tree.ts';
import { encodeMetainfo } from '../wire/metainfo.ts';
import type { Metainfo } from '../wire/torrent-info.ts';

/**
 * The torrent file of a running torrent.
 * @param trackers for one that has none of its own @param tree piece layers that peers have sent
 */
export function encodeTorrentFile(
  metainfo: Metainfo,
  trackers: Metainfo['trackers'],
  tree: HashTree | null,
): Uint8Array {
  const layers = new Map(metainfo.pieceLayers);
  for (const file of metainfo.info.files) {
    const layer = tree?.pieceLayerOf(file.index) ?? null;
    if (layer !== null && file.piecesRoot !== null) layers.set(toHex(file.piecesRoot), layer);
  }
  return encodeMetainfo({
    ...metainfo,
    infoBytes: metainfo.info.infoBytes,
    trackers: metainfo.trackers.length > 0 ? metainfo.trackers : trackers,
    pieceLayers: layers,
  });
}
