/**
 * Which bytes of which files make up each piece, for reading content from the disk: creating and verifying
 * torrents.
 *
 * v1 and hybrid: a piece is `pieceBytes` of the linear space, pads included, hashed with SHA-1. v2 and
 * hybrid: a piece belongs to one file, and its merkle tree covers that file's bytes alone; in a v2-only
 * torrent nothing else is read. Cost of one piece: the logarithm of the file count, and its own spans.
 */
import { pieceLeafCount } from '../wire/merkle.ts';
import type { TorrentFile } from '../wire/torrent-info.ts';

/** Bytes of one file; `file` is its index, null for zeros. */
export type ContentSpan = { readonly file: number | null; readonly offset: number; readonly bytes: number };

export type ContentPiece = {
  /** Together `bytes` long. */
  readonly spans: readonly ContentSpan[];
  readonly bytes: number;
  /** v2 and hybrid: the file that the piece belongs to, and its tree; null in v1. */
  readonly tree: { readonly file: number; readonly bytes: number; readonly leafCount: number } | null;
};

type LaidFile = Pick<TorrentFile, 'bytes' | 'offset' | 'pad'>;

export class ContentLayout {
  readonly files: readonly LaidFile[];
  readonly pieceBytes: number;
  readonly totalBytes: number;
  readonly pieceCount: number;
  readonly #isV1: boolean;
  readonly #isV2: boolean;

  /** @param files in order, without gaps, at least one byte in all; v2 and hybrid: padded to whole pieces */
  constructor(
    files: readonly LaidFile[],
    pieceBytes: number,
    versions: { readonly isV1: boolean; readonly isV2: boolean },
  ) {
    const last = files[files.length - 1];
    this.files = files;
    this.pieceBytes = pieceBytes;
    this.totalBytes = last === undefined ? 0 : last.offset + last.bytes;
    this.pieceCount = Math.ceil(this.totalBytes / pieceBytes);
    this.#isV1 = versions.isV1;
    this.#isV2 = versions.isV2;
  }

  pieceOf(piece: number): ContentPiece {
    const start = piece * this.pieceBytes;
    const end = Math.min(start + this.pieceBytes, this.totalBytes);
    const spans = this.#spansBetween(start, end);
    if (!this.#isV2) return { spans, bytes: end - start, tree: null };
    const file = spans[0]!.file!;
    const treeBytes = spans[0]!.bytes;
    const tree = {
      file,
      bytes: treeBytes,
      leafCount: pieceLeafCount(this.files[file]!.bytes, this.pieceBytes),
    };
    return this.#isV1
      ? { spans, bytes: end - start, tree }
      : { spans: spans.slice(0, 1), bytes: treeBytes, tree };
  }

  /** First and last piece that hold bytes of a file; null for an empty one. */
  piecesOf(file: number): { readonly first: number; readonly last: number } | null {
    const { offset, bytes } = this.files[file]!;
    if (bytes === 0) return null;
    return {
      first: Math.floor(offset / this.pieceBytes),
      last: Math.floor((offset + bytes - 1) / this.pieceBytes),
    };
  }

  /** Bytes of a file that lie in a piece. */
  bytesInPiece(file: number, piece: number): number {
    const { offset, bytes } = this.files[file]!;
    const start = piece * this.pieceBytes;
    return Math.max(0, Math.min(offset + bytes, start + this.pieceBytes) - Math.max(offset, start));
  }

  #spansBetween(start: number, end: number): ContentSpan[] {
    const spans: ContentSpan[] = [];
    let index = this.#fileAt(start);
    for (let at = start; at < end; index++) {
      const { offset, bytes, pad } = this.files[index]!;
      const taken = Math.min(offset + bytes, end) - at;
      if (taken <= 0) continue;
      spans.push({ file: pad ? null : index, offset: pad ? 0 : at - offset, bytes: taken });
      at += taken;
    }
    return spans;
  }

  /** The last file that begins at or before `offset`; empty ones before it are passed over by the caller. */
  #fileAt(offset: number): number {
    let low = 0;
    let high = this.files.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.files[middle]!.offset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
