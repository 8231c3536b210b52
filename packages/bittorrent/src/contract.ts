/**
 * What the BitTorrent application offers to the node and, over the api, to the command line and the web page:
 * plain data in, plain data out, browser-safe. Hashes are lower-case hex, times are milliseconds since 1970,
 * rates bytes per second. What torrents look like is in contract-torrent.ts, the DHT in contract-dht.ts.
 */
import type { DhtApi } from './contract-dht.ts';
import type {
  BanSnapshot,
  BittorrentTotals,
  FileSnapshot,
  PeerSnapshot,
  PieceView,
  TorrentChanges,
  TorrentId,
  TorrentRow,
  TorrentSnapshot,
  TrackerSnapshot,
  WebSeedSnapshot,
} from './contract-torrent.ts';

export type * from './contract-dht.ts';
export type * from './contract-torrent.ts';

/** How peers are connected: `both` listens on both and dials by the one that opens first. */
export type Transport = 'tcp' | 'utp' | 'both';

/**
 * Encryption of connections to peers (MSE). It hides what they are from a glance, and no more. All but `off` take what
 * the other side begins with, as far as they may.
 */
export type EncryptionPolicy =
  /** Plain where the other side takes it, encrypted where it does not: the least work. */
  | 'allow'
  /** Encrypted where the other side can, plain where it cannot. Two who prefer it always speak encrypted. */
  | 'prefer'
  /** Nothing goes out or is taken in the clear. */
  | 'require'
  /** Knows no encryption. */
  | 'off';

export type AddOptions = {
  /** Absolute folder for the content. */
  readonly folder: string;
  /** Globs over file paths; others are not wanted. Empty: all. */
  readonly select?: readonly string[];
  readonly sequential?: boolean;
  /** Content is believed to be complete in `folder`: verified first, nothing is made. */
  readonly seed?: boolean;
  /** HOST:PORT to dial at once. */
  readonly peers?: readonly string[];
  /** Bytes a second for this torrent; null: no limit. */
  readonly limitDown?: number | null;
  readonly limitUp?: number | null;
  /** A name of the user's for torrents that have limits together (`setCategoryLimits`). */
  readonly category?: string | null;
  readonly superSeed?: boolean;
  readonly preallocate?: boolean;
  /** Trackers in addition to the torrent's own, as one more tier. */
  readonly trackers?: readonly string[];
  /** It is remembered, looked at, and does nothing until `resume`. */
  readonly paused?: boolean;
  /** One a file, 0 to 7, instead of `select`; not heeded when the number of files is another. */
  readonly filePriorities?: readonly number[];
  /** To be shown instead of the torrent's own name; null: its own. */
  readonly name?: string | null;
};

/** Bytes a second; null: no limit. */
export type RateLimitPair = { readonly down: number | null; readonly up: number | null };

/** Other limits on some days at some times; the first rule that covers a moment holds. */
export type LimitRule = RateLimitPair & {
  /** 0 is Sunday. */
  readonly days: readonly number[];
  /** Minutes since midnight on the user's clock, 0 to 1439; an end that is not later is on the next day. */
  readonly fromMinute: number;
  readonly toMinute: number;
};

export type BittorrentEvent =
  | { readonly type: 'bittorrent.torrent.added'; readonly torrent: TorrentId; readonly name: string }
  | { readonly type: 'bittorrent.torrent.metadata'; readonly torrent: TorrentId; readonly name: string }
  | {
      readonly type: 'bittorrent.torrent.checked';
      readonly torrent: TorrentId;
      readonly havePieceCount: number;
    }
  | { readonly type: 'bittorrent.torrent.finished'; readonly torrent: TorrentId; readonly bytes: number }
  | {
      readonly type: 'bittorrent.torrent.failed';
      readonly torrent: TorrentId;
      readonly code: string;
      readonly message: string;
    }
  | { readonly type: 'bittorrent.torrent.recovered'; readonly torrent: TorrentId }
  | { readonly type: 'bittorrent.torrent.removed'; readonly torrent: TorrentId }
  | { readonly type: 'bittorrent.piece.verified'; readonly torrent: TorrentId; readonly piece: number }
  /** Verified, written, and remembered: a restart at any instant after this still has them. */
  | {
      readonly type: 'bittorrent.pieces.kept';
      readonly torrent: TorrentId;
      readonly pieces: readonly number[];
    }
  | {
      readonly type: 'bittorrent.peer.connected';
      readonly torrent: TorrentId;
      readonly endpoint: string;
      /** True: it has come to us. */
      readonly incoming: boolean;
      readonly transport: 'tcp' | 'utp';
      /** All that is said is; an encrypted handshake alone does not count. */
      readonly encrypted: boolean;
    }
  | {
      readonly type: 'bittorrent.peer.closed';
      readonly torrent: TorrentId;
      readonly endpoint: string;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly type: 'bittorrent.peer.banned';
      readonly torrent: TorrentId;
      readonly endpoint: string;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly type: 'bittorrent.tracker.answered';
      readonly torrent: TorrentId;
      readonly url: string;
      readonly peerCount: number;
    }
  | {
      readonly type: 'bittorrent.tracker.failed';
      readonly torrent: TorrentId;
      readonly url: string;
      readonly message: string;
    };

/** A .torrent's bytes, or the text of a magnet link or hex info-hash (40 or 64 digits). */
export type TorrentSource = { readonly torrent: Uint8Array } | { readonly magnet: string };

/** What `show` prints: one object, paths with `/` and safe. */
export type ShownTorrent = {
  readonly name: string;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly pieceBytes: number;
  readonly pieceCount: number;
  readonly totalBytes: number;
  readonly private: boolean;
  readonly trackers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly pad: boolean }[];
  readonly comment: string | null;
  readonly createdBy: string | null;
  readonly createdAt: number | null;
  readonly source: string | null;
  /** BEP 38: info-hashes, in hex, of torrents that may have files in common with it, and collections of such. */
  readonly similar: readonly string[];
  readonly collections: readonly string[];
  readonly nameChanges: readonly { readonly was: string; readonly is: string; readonly reason: string }[];
  readonly magnet: string;
};

export type CreateOptions = {
  /** File or folder. */
  readonly path: string;
  /** Only these of the folder, by path below it with `/`; by default all. */
  readonly files?: readonly string[];
  readonly version: 'v1' | 'v2' | 'hybrid';
  /** Bytes, a power of two from 16 KiB; null: chosen from the size. */
  readonly pieceBytes?: number | null;
  /** One array a tier. */
  readonly trackers?: readonly (readonly string[])[];
  readonly webSeeds?: readonly string[];
  readonly private?: boolean;
  readonly source?: string | null;
  /** BEP 38: info-hashes, 40 or 64 hex digits, of torrents that have files in common with it; part of its info-hash. */
  readonly similar?: readonly string[];
  /** BEP 38: names of collections whose torrents have files in common; part of the info-hash. */
  readonly collections?: readonly string[];
  readonly comment?: string | null;
  readonly createdBy?: string | null;
  /** Seconds since 1970; null: leave it out (the same input then gives the same file). */
  readonly createdAt?: number | null;
  /**
   * The same read also hashes chunks of the files, for networks that name content by them: pieces are then no smaller
   * than chunks, and every file begins with a piece.
   */
  readonly chunks?: ChunkHashing;
};

export type ChunkHashing = {
  /** A power of two from 16 KiB to 16 MiB. */
  readonly bytes: number;
  /** SHA-256 of chunks from `offset` of a file on, 32 bytes each. In no order. @param path as in `files` */
  readonly onChunks: (path: string, offset: number, digests: Uint8Array) => void;
};

/** Content that another network has, to be written to files and shared. */
export type OfferedContent = {
  /** Of the file, or of the folder. */
  readonly name: string;
  /** One file without a folder: `files` has one entry, whose path is the name. */
  readonly isSingle: boolean;
  /** By path below the folder with `/`, in any order. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** Called once a file, one after the other. */
  readonly read: (path: string) => AsyncIterable<Uint8Array>;
  readonly options: Omit<CreateOptions, 'path' | 'files' | 'chunks'>;
};

export type Progress = { readonly doneBytes: number; readonly totalBytes: number };

export type VerifyReport = {
  readonly ok: boolean;
  readonly pieceCount: number;
  readonly goodPieceCount: number;
  readonly files: readonly {
    readonly path: string;
    readonly bytes: number;
    /** `short`: smaller than it should be; `long`: right content, with more after it. */
    readonly state: 'good' | 'missing' | 'short' | 'long' | 'wrong' | 'not-a-file' | 'unreadable';
    /** Pieces of this file that are not good. */
    readonly badPieces: readonly number[];
    readonly goodBytes: number;
  }[];
};

/** Torrents and what is done with them. All throw NodeError `BITTORRENT_NO_TORRENT` for one that is not there. */
export interface TorrentEngineApi {
  /**
   * Adds a torrent and starts it; the same torrent again returns the same id, with the new options' peers and trackers
   * added. @throws NodeError
   */
  add(source: TorrentSource, options: AddOptions): Promise<TorrentId>;
  /**
   * Brings back every torrent of earlier runs, each running or paused as it was, without reading what the record
   * proves to be there. Called once, after `start`. @returns how many
   */
  restore(): Promise<number>;
  /** Forgets a torrent; its content stays unless `removeContent`. */
  remove(torrent: TorrentId, options?: { readonly removeContent?: boolean }): Promise<void>;
  pause(torrent: TorrentId): Promise<void>;
  resume(torrent: TorrentId): Promise<void>;
  /** Full recheck in place. */
  recheck(torrent: TorrentId): Promise<void>;
  /** Asks all trackers, and the DHT, again now, no sooner than they allow. */
  announce(torrent: TorrentId): void;
  /** 0: not wanted; 1 to 7. At any time. */
  setFilePriority(torrent: TorrentId, files: readonly number[], priority: number): Promise<void>;
  setSequential(torrent: TorrentId, on: boolean): Promise<void>;
  /** The first and the last piece of each wanted file before all others, for those who want a glimpse. */
  setEdgesFirst(torrent: TorrentId, on: boolean): Promise<void>;
  /** A piece that a player needs within `inMs`; null takes the wish back. */
  setPieceDeadline(torrent: TorrentId, piece: number, inMs: number | null): Promise<void>;
  /** BEP 16. Begins when everything is there; peers that know what we have are parted from. */
  setSuperSeed(torrent: TorrentId, on: boolean): void;
  /** Replaces the trackers, a tier an array; survives restarts. */
  setTrackers(torrent: TorrentId, tiers: readonly (readonly string[])[]): Promise<void>;
  /** Replaces the web seeds (BEP 19), those of the torrent file too; survives restarts. */
  setWebSeeds(torrent: TorrentId, urls: readonly string[]): Promise<void>;
  setTorrentLimits(torrent: TorrentId, limits: RateLimitPair): void;
  /** Null: none. */
  setCategory(torrent: TorrentId, category: string | null): void;
  /** The name that is shown; what lies on the disk keeps its own. */
  rename(torrent: TorrentId, name: string): void;
  move(torrent: TorrentId, folder: string): Promise<void>;
  /**
   * Each file moves to this folder when it is complete, before the others; where one of its name is there it stays. To
   * move the torrent takes all to one place. Null: they wait for each other.
   */
  setFilesFolder(torrent: TorrentId, folder: string | null): void;
  renameFile(torrent: TorrentId, file: number, path: string): Promise<void>;
  addPeer(torrent: TorrentId, hostPort: string): Promise<void>;
  /**
   * Content of a file. Pieces that are not there yet are asked for before all others, and waited for.
   * @throws NodeError `BITTORRENT_NO_METADATA`, `BITTORRENT_FILE_RANGE`, `BITTORRENT_READ`; the signal's reason
   */
  readContent(
    torrent: TorrentId,
    file: number,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array>;

  torrents(): readonly TorrentSnapshot[];
  torrent(torrent: TorrentId): TorrentSnapshot | null;
  /** All torrents, scalars only. */
  rows(): readonly TorrentRow[];
  row(torrent: TorrentId): TorrentRow | null;
  /** Rates count as a change while they are not 0, and once when they have become 0. */
  changes(since: number): TorrentChanges;
  files(torrent: TorrentId): readonly FileSnapshot[];
  peers(torrent: TorrentId): readonly PeerSnapshot[];
  trackers(torrent: TorrentId): readonly TrackerSnapshot[];
  webSeeds(torrent: TorrentId): readonly WebSeedSnapshot[];
  pieces(torrent: TorrentId): PieceView;
  /** The .torrent file of a torrent whose metadata is known. */
  exportTorrent(torrent: TorrentId): Uint8Array | null;
}

/** The service, as `createBittorrent` returns it and as the command line uses it. */
export interface BittorrentApi extends TorrentEngineApi {
  /** Null: this node takes no part in the DHT. */
  readonly dht: DhtApi | null;
  /** Bytes a second over all torrents, headers of packets counted; without `schedule` the one that there is stays. */
  setLimits(limits: RateLimitPair, schedule?: readonly LimitRule[]): void;
  /** Of all torrents of a category together. */
  setCategoryLimits(category: string, limits: RateLimitPair): void;
  totals(): BittorrentTotals;
  /** Whom the node does not speak to at present, and why. */
  bans(): readonly BanSnapshot[];
  /** Until it is taken back. @throws NodeError `BITTORRENT_ADDRESS` */
  ban(address: string, message: string): void;
  /** By an address, or as `bans` names it. False: there was no such ban. @throws NodeError `BITTORRENT_ADDRESS` */
  unban(address: string): boolean;
  /** Ends when the returned function is called. */
  subscribe(listener: (event: BittorrentEvent) => void): () => void;
  /** The TCP port that others can dial; 0 before `start`. */
  readonly port: number;
  show(source: TorrentSource): ShownTorrent;
  create(
    options: CreateOptions,
    onProgress?: (progress: Progress) => void,
    signal?: AbortSignal,
  ): Promise<Uint8Array>;
  /**
   * Writes content of elsewhere into `folder` and makes a torrent of it, in one pass; what is added with it from there
   * is not read again. @throws NodeError as `create`, `BITTORRENT_CREATE_EXISTS`, DISK_*, and as the content does
   */
  createFrom(
    content: OfferedContent,
    folder: string,
    onProgress?: (progress: Progress) => void,
    signal?: AbortSignal,
  ): Promise<Uint8Array>;
  verify(
    torrent: Uint8Array,
    path: string,
    onProgress?: (progress: Progress) => void,
    signal?: AbortSignal,
  ): Promise<VerifyReport>;
}
