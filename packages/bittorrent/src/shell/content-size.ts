import type { TorrentInfo } from '../wire/torrent-info.ts';

/** Files and bytes that a user sees: pads are neither. */
export type ContentSize = { readonly fileCount: number; readonly totalBytes: number };

const sizes = new WeakMap<TorrentInfo, ContentSize>();

/** Counted once for a torrent. */
export function sizeOf(info: TorrentInfo): ContentSize {
  const known = sizes.get(info);
  if (known !== undefined) return known;
  const files = info.files.filter(({ pad }) => !pad);
  const size = { fileCount: files.length, totalBytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
  sizes.set(info, size);
  return size;
}
