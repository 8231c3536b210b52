import { blockBytes, pieceBytesOf, type TorrentInfo } from '../wire/torrent-info.ts';

/**
 * Where pieces, blocks and padding lie, worked out once from the torrent's files.
 *
 * BEP 47 padding is hashed (v1) but not fetched: the blocks at the end of a piece that are all padding are filled in
 * by ourselves. A block that is partly padding is fetched whole in v1 and hybrid torrents, for that is how everybody
 * counts there; in a v2-only torrent a piece ends with its file, and padding exists only in our linear space.
 * Cost: one number a file end; every look-up is one step.
 */
export class PieceLayout {
  readonly info: TorrentInfo;
  /** v2 only: a piece's bytes end with its file. */
  readonly endsWithFiles: boolean;
  /** Pieces that end in padding -> bytes before it. */
  readonly #shortPieces = new Map<number, number>();
  /** v2 and hybrid: pieces of files smaller than a piece -> blocks of the file. */
  readonly #smallFilePieces = new Map<number, number>();

  constructor(info: TorrentInfo) {
    this.info = info;
    this.endsWithFiles = info.infoHashV1 === null;
    for (const file of info.files) {
      if (file.bytes === 0) continue;
      if (file.pad) {
        const piece = Math.floor(file.offset / info.pieceBytes);
        const pieceEnd = Math.min((piece + 1) * info.pieceBytes, info.totalBytes);
        const dataBytes = file.offset - piece * info.pieceBytes;
        if (file.offset + file.bytes >= pieceEnd && dataBytes > 0) this.#shortPieces.set(piece, dataBytes);
      } else if (info.infoHashV2 !== null) {
        const rest = file.bytes % info.pieceBytes;
        const lastPiece = Math.floor((file.offset + file.bytes - 1) / info.pieceBytes);
        if (rest !== 0) this.#shortPieces.set(lastPiece, rest);
        if (file.bytes < info.pieceBytes)
          this.#smallFilePieces.set(lastPiece, Math.ceil(file.bytes / blockBytes));
      }
    }
  }

  /** Blocks of a piece that is not cut short. */
  get wholeBlockCount(): number {
    return Math.ceil(this.info.pieceBytes / blockBytes);
  }

  /** Bytes that are hashed for v1 and stored; in a v2-only torrent without the padding at the end. */
  bytesOf(piece: number): number {
    return this.endsWithFiles ? this.dataBytesOf(piece) : pieceBytesOf(this.info, piece);
  }

  /** Bytes before the padding at the end of the piece; in v2 what its merkle tree covers. */
  dataBytesOf(piece: number): number {
    return this.#shortPieces.get(piece) ?? pieceBytesOf(this.info, piece);
  }

  blockCountOf(piece: number): number {
    return Math.ceil(this.bytesOf(piece) / blockBytes);
  }

  /** Blocks that are fetched: those before the ones that are all padding. */
  fetchedBlockCountOf(piece: number): number {
    return Math.ceil(this.dataBytesOf(piece) / blockBytes);
  }

  /** Length of a request for this block. */
  blockBytesOf(piece: number, block: number): number {
    return Math.min(blockBytes, this.bytesOf(piece) - block * blockBytes);
  }

  /** Leaves of the piece's merkle tree, a power of two (BEP 52: a file below one piece has a smaller tree). */
  leafCountOf(piece: number): number {
    const blockCount = this.#smallFilePieces.get(piece);
    if (blockCount === undefined) return this.info.pieceBytes / blockBytes;
    return 2 ** Math.ceil(Math.log2(blockCount));
  }
}
