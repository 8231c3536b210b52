/**
 * What torrent files may be, and how they are refused. Both are about the file: no peer is to blame for it.
 */
import { type Fault, failed } from '@tequio/kernel';

export const metainfoLimits = {
  /** 2^21 pieces: twenty-odd TB at usual piece sizes. Bounds bitfields, counters and pickers. */
  pieceCountMax: 2_097_152,
  /**
   * No known program makes larger pieces; one must fit the number of a block offset and, in parts, memory.
   */
  pieceBytesMax: 512 * 1024 * 1024,
  /** v1 pieces below this would make a file of hashes of the content's own size. */
  pieceBytesMin: 1024,
  /** Folders inside one another. */
  pathDepthMax: 100,
  trackerCountMax: 1000,
  webSeedCountMax: 1000,
  nodeCountMax: 1000,
  /** BEP 38 lists. */
  similarCountMax: 1000,
  /** Tracker and web-seed addresses, texts such as the comment. */
  urlBytesMax: 4096,
  textBytesMax: 64 * 1024,
} as const;

/** The refusal of a torrent file. @param code without its prefix @param message a plain sentence */
export function refused(code: string, message: string): { readonly ok: false; readonly fault: Fault } {
  return failed({ code: `BITTORRENT_METAINFO_${code}`, message, blame: 'file', penalty: 0 });
}
