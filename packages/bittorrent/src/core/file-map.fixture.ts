/** Small torrents for tests of storage: sizes and pads in, everything else made up. */
import type { TorrentInfo } from '../wire/torrent-info.ts';

/** @param pads which of the files are padding; by default none */
export function infoOf(
  pieceBytes: number,
  sizes: readonly number[],
  pads: readonly boolean[] = [],
): TorrentInfo {
  let offset = 0;
  const files = sizes.map((bytes, index) => {
    const pad = pads[index] ?? false;
    const file = {
      index,
      path: pad ? `t/.pad/${index}` : `t/folder${index % 3}/file${index}`,
      bytes,
      offset,
      pad,
      executable: false,
      hidden: false,
      symlink: null,
      piecesRoot: null,
    };
    offset += bytes;
    return file;
  });
  const pieceCount = Math.ceil(offset / pieceBytes);
  return {
    name: 't',
    infoBytes: new Uint8Array(0),
    infoHashV1: new Uint8Array(20),
    infoHashV2: null,
    pieceBytes,
    pieceCount,
    totalBytes: offset,
    private: false,
    files,
    pieceHashes: new Uint8Array(20 * pieceCount),
    source: null,
    similar: [],
    collections: [],
    nameChanges: [],
  };
}
