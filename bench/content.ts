/** What the benchmarks transfer: random bytes, and their torrents. */
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { LibtorrentTool } from '../e2e/lab/libtorrent.ts';
import type { TorrentVersion } from '../e2e/lab/programs.ts';
import { newestLibtorrent } from './libtorrents.ts';

export const mebibyte = 1024 * 1024;
export const gibibyte = 1024 ** 3;

/** The torrent's folder, and the file in it when there is only one. */
export const contentName = 'content';
export const contentFile = 'random.bin';

export type Content = {
  /** Holds the folder `contentName`. */
  readonly folder: string;
  readonly torrentFile: string;
  /** Hex: v1 where there is one, else v2. */
  readonly infoHash: string;
  readonly bytes: number;
};

export type ContentWish = {
  readonly bytes: number;
  readonly pieceBytes: number;
  readonly version?: TorrentVersion;
  /** As many files of a size between 1 and twice the mean. */
  readonly fileCount?: number;
  readonly trackers?: readonly string[];
};

/** Makes content and torrent below `parent`. It has just been written, so it is in the page cache. */
export async function makeContent(parent: string, name: string, wish: ContentWish): Promise<Content> {
  const folder = join(parent, name);
  const bytes = writeContent(join(folder, contentName), wish.bytes, wish.fileCount ?? 1);
  const torrentFile = join(parent, `${name}.torrent`);
  const { version = 'v1', pieceBytes, trackers = [] } = wish;
  const tool = new LibtorrentTool(newestLibtorrent().python);
  const path = join(folder, contentName);
  const made = await tool.create({ path, out: torrentFile, version, pieceBytes, trackers });
  await tool.stop();
  return { folder, torrentFile, infoHash: made.infoHashV1 ?? made.infoHashV2!, bytes };
}

/** @returns how many bytes there are */
export function writeContent(folder: string, bytes: number, fileCount: number): number {
  mkdirSync(folder, { recursive: true });
  if (fileCount === 1) {
    writeRandomFile(join(folder, contentFile), bytes);
    return bytes;
  }
  const mean = bytes / fileCount;
  const random = randomFillSync(new Uint8Array(Math.ceil(2 * mean) + fileCount));
  let written = 0;
  for (let i = 0; i < fileCount; i++) {
    // A thousand a folder; each file begins at another place of the same random bytes.
    const part = join(folder, `part-${Math.floor(i / 1000)}`);
    if (i % 1000 === 0) mkdirSync(part);
    const size = 1 + Math.floor((2 * mean * ((i * 7919) % fileCount)) / fileCount);
    writeFileSync(join(part, `file-${i}.bin`), random.subarray(i, i + size));
    written += size;
  }
  return written;
}

export function writeRandomFile(path: string, bytes: number): void {
  const file = openSync(path, 'w');
  const chunk = new Uint8Array(mebibyte);
  for (let left = bytes; left > 0; left -= chunk.length)
    writeSync(file, randomFillSync(chunk), 0, Math.min(left, chunk.length));
  closeSync(file);
}
