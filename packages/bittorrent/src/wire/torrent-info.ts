/**
 * What a torrent says of itself, decoded and checked, whatever its version. All pieces lie in one linear space of
 * `totalBytes` bytes, as BEP 3 has it: for v2 and hybrid torrents every file starts at a multiple of `pieceBytes`,
 * and the space between is a pad file (in a v2-only torrent an invented one).
 */

/** Bytes of a request, and of a BEP 52 leaf; a power of two. The last block of a piece may be shorter. */
export const blockBytes = 16384;

export type TorrentFile = {
  /** Place in `files`. */
  readonly index: number;
  /** Safe relative path with `/`, unique after case folding; starts with the torrent's name when there is a folder. */
  readonly path: string;
  readonly bytes: number;
  /** First byte in the torrent's linear space. */
  readonly offset: number;
  /** Zeros that are hashed but never written, requested or shown to the user. */
  readonly pad: boolean;
  readonly executable: boolean;
  readonly hidden: boolean;
  /** BEP 47 link target inside the torrent, safe path with `/`; null for a file with content. */
  readonly symlink: string | null;
  /** BEP 52 merkle root of the file, 32 bytes; null in v1, and for empty files and pads. */
  readonly piecesRoot: Uint8Array | null;
};

/** A name that was made safe, for `show`. Both as text with `/`. */
export type NameChange = { readonly was: string; readonly is: string; readonly reason: string };

export type TorrentInfo = {
  readonly name: string;
  /** The raw bencoded `info` dictionary, as it stood. */
  readonly infoBytes: Uint8Array;
  /** 20 bytes; null when v2 only. */
  readonly infoHashV1: Uint8Array | null;
  /** 32 bytes; null when v1 only. */
  readonly infoHashV2: Uint8Array | null;
  readonly pieceBytes: number;
  readonly pieceCount: number;
  /** With pads. */
  readonly totalBytes: number;
  readonly private: boolean;
  /** In the torrent's order, pads included. */
  readonly files: readonly TorrentFile[];
  /** `pieceCount` times 20 bytes; null when v2 only. */
  readonly pieceHashes: Uint8Array | null;
  readonly source: string | null;
  /** BEP 38. Info-hashes, 20 bytes each. */
  readonly similar: readonly Uint8Array[];
  readonly collections: readonly string[];
  readonly nameChanges: readonly NameChange[];
};

export type Metainfo = {
  readonly info: TorrentInfo;
  /** BEP 12 tiers; duplicates and empty tiers removed. */
  readonly trackers: readonly (readonly string[])[];
  /** BEP 19. */
  readonly webSeeds: readonly string[];
  /** BEP 5 `nodes`: host and port. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly comment: string | null;
  readonly createdBy: string | null;
  /** Seconds since 1970. */
  readonly createdAt: number | null;
  /** BEP 52 `piece layers`: by hex of the file's root, 32 bytes a piece, checked against the roots. Absent: empty. */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
  /** Keys beside `info` that we do not know, with their bencoded values as they stood. */
  readonly otherKeys?: readonly OtherKey[];
};

export type OtherKey = { readonly key: Uint8Array; readonly value: Uint8Array };

export type Magnet = {
  readonly infoHashV1: Uint8Array | null;
  readonly infoHashV2: Uint8Array | null;
  readonly name: string | null;
  readonly trackers: readonly string[];
  readonly webSeeds: readonly string[];
  /** `x.pe`: HOST:PORT. */
  readonly peers: readonly string[];
  /** BEP 53 `so`: ranges of file indexes, both ends included; null: all files. */
  readonly select: readonly (readonly [number, number])[] | null;
};

/** Bytes of one piece; the last one may be shorter. */
export function pieceBytesOf(
  info: Pick<TorrentInfo, 'pieceBytes' | 'pieceCount' | 'totalBytes'>,
  piece: number,
): number {
  return piece === info.pieceCount - 1 ? info.totalBytes - piece * info.pieceBytes : info.pieceBytes;
}

/** Blocks of one piece. */
export function blockCountOf(
  info: Pick<TorrentInfo, 'pieceBytes' | 'pieceCount' | 'totalBytes'>,
  piece: number,
): number {
  return Math.ceil(pieceBytesOf(info, piece) / blockBytes);
}
