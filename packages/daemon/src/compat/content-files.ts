import type { FileSnapshot, ListedTorrent } from '@tequio/api';

/** A file of a torrent as other programs count them: without those that only pad (BEP 47). */
export type ContentFile = {
  readonly file: FileSnapshot;
  /** Of its first byte; of an empty file that of the byte that would come next. */
  readonly firstPiece: number;
  /** Of its last byte, that included. */
  readonly lastPiece: number;
};

/** In the torrent's order; empty while its metadata is not known. */
export function contentFiles(
  files: readonly FileSnapshot[],
  row: Pick<ListedTorrent, 'infoHashV1' | 'pieceBytes' | 'pieceCount'>,
): readonly ContentFile[] {
  const found: ContentFile[] = [];
  let offset = 0;
  for (const file of files) {
    const firstPiece = pieceAt(offset, row);
    const lastPiece = file.bytes === 0 ? firstPiece : pieceAt(offset + file.bytes - 1, row);
    if (!file.pad) found.push({ file, firstPiece, lastPiece });
    offset += file.bytes;
    // Without a v1 part every file begins at a piece (BEP 52), and no file pads the one before.
    if (row.infoHashV1 === null && row.pieceBytes > 0)
      offset = Math.ceil(offset / row.pieceBytes) * row.pieceBytes;
  }
  return found;
}

function pieceAt(offset: number, row: Pick<ListedTorrent, 'pieceBytes' | 'pieceCount'>): number {
  if (row.pieceBytes === 0) return 0;
  return Math.min(Math.max(0, row.pieceCount - 1), Math.floor(offset / row.pieceBytes));
}

/** The torrent's own numbers of files that another program counts from 0. @returns null when one is out of range */
export function ownFileNumbers(
  files: readonly ContentFile[],
  numbers: readonly number[],
): readonly number[] | null {
  const own = numbers.map((number) => files[number]?.file.index);
  return own.every((number) => number !== undefined) ? own : null;
}

/** The folder that all files of a torrent lie in, or null for one of a single file. */
export function rootFolder(files: readonly ContentFile[]): string | null {
  const path = files[0]?.file.path ?? '';
  const slash = path.indexOf('/');
  return slash < 0 ? null : path.slice(0, slash);
}
