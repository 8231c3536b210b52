/**
 * What the BitTorrent application offers to the node and, over the api, to the command line and the web page:
 * plain data in, plain data out, browser-safe. Hashes are lower-case hex, times are milliseconds since 1970,
 * rates bytes per second.
 */

/** Hex of the v1 info-hash, or of the v2 one when there is no v1: how a torrent is named everywhere. */
export type TorrentId = string;

export type TorrentState =
  /** A magnet whose `info` is still being fetched. */
  | 'metadata'
  | 'checking'
  | 'downloading'
  /** All wanted files are there. */
  | 'seeding'
  | 'paused'
  /** `error` says what, and what to do; it goes on by itself when the cause is gone. */
  | 'error';

/** How peers are connected: `both` listens on both and dials by the one that opens first. */
export type Transport = 'tcp' | 'utp' | 'both';

/**
 * Encryption of connections to peers (MSE). It hides what they are from a glance, and no more: `prefer` takes both and
 * speaks as the other side wants; with `require` nothing goes out or is taken in the clear; `off` knows no encryption.
 */
export type EncryptionPolicy = 'prefer' | 'require' | 'off';

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

export type FileSnapshot = {
  readonly index: number;
  readonly path: string;
  readonly bytes: number;
  /** In verified pieces. */
  readonly doneBytes: number;
  /** 0: not wanted; 1 to 7, 4 is normal. */
  readonly priority: number;
  readonly pad: boolean;
};

export type PeerSnapshot = {
  readonly endpoint: string;
  readonly client: string;
  readonly transport: 'tcp' | 'utp';
  readonly encrypted: boolean;
  readonly downRate: number;
  readonly upRate: number;
  /** 0 to 1. */
  readonly progress: number;
  readonly choking: boolean;
  readonly choked: boolean;
  readonly interesting: boolean;
  readonly interested: boolean;
};

export type TrackerSnapshot = {
  readonly url: string;
  readonly tier: number;
  readonly state: 'waiting' | 'announcing' | 'working' | 'failed';
  readonly message: string | null;
  readonly peerCount: number;
  readonly seedCount: number | null;
  readonly leechCount: number | null;
  readonly nextAnnounceMs: number | null;
};

export type TorrentSnapshot = {
  readonly id: TorrentId;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly name: string;
  readonly folder: string;
  readonly state: TorrentState;
  readonly error: string | null;
  readonly errorCode: string | null;
  /** 0 while `metadata`. */
  readonly pieceCount: number;
  readonly pieceBytes: number;
  readonly havePieceCount: number;
  /** Base64 of the verified-pieces bitfield. */
  readonly pieces: string;
  readonly totalBytes: number;
  /** Of wanted files, without pads. */
  readonly wantedBytes: number;
  readonly doneBytes: number;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly wastedBytes: number;
  readonly downRate: number;
  readonly upRate: number;
  readonly peerCount: number;
  readonly seedCount: number;
  /** Known and not connected. */
  readonly candidateCount: number;
  /** Null: not known. */
  readonly secondsLeft: number | null;
  /** While `checking`: 0 to 1. */
  readonly checked: number;
  readonly files: readonly FileSnapshot[];
  readonly trackers: readonly TrackerSnapshot[];
  readonly peers: readonly PeerSnapshot[];
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
  readonly nameChanges: readonly { readonly was: string; readonly is: string; readonly reason: string }[];
  readonly magnet: string;
};

export type CreateOptions = {
  /** File or folder. */
  readonly path: string;
  readonly version: 'v1' | 'v2' | 'hybrid';
  /** Bytes, a power of two from 16 KiB; null: chosen from the size. */
  readonly pieceBytes?: number | null;
  /** One array a tier. */
  readonly trackers?: readonly (readonly string[])[];
  readonly webSeeds?: readonly string[];
  readonly private?: boolean;
  readonly source?: string | null;
  readonly comment?: string | null;
  readonly createdBy?: string | null;
  /** Seconds since 1970; null: leave it out (the same input then gives the same file). */
  readonly createdAt?: number | null;
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

/** A node of the DHT: its id, and `address:port`. */
export type DhtNodeSnapshot = { readonly id: string; readonly endpoint: string };

/** How this node stands in the DHT. */
export type DhtStatus = {
  /** UDP port, shared with uTP. */
  readonly port: number;
  readonly families: readonly {
    readonly family: 4 | 6;
    readonly id: string;
    readonly contactCount: number;
    /** As other nodes agree to see us; null: not known yet. */
    readonly externalAddress: string | null;
    /** Our UDP port as the latest of them saw it, one entry a network: different ones behind a symmetric NAT. */
    readonly portsSeen: readonly number[];
  }[];
  /** Datagrams, queries of others answered, and not answered because the budget for that was spent. */
  readonly receivedCount: number;
  readonly answeredCount: number;
  readonly droppedCount: number;
  /** What is kept for others. */
  readonly storedHashCount: number;
  readonly storedPeerCount: number;
  readonly storedItemCount: number;
};

/** What a search through the DHT came to. */
export type DhtSearch = {
  readonly target: string;
  /** Those nearest to the target that answered, nearest first. */
  readonly nodes: readonly DhtNodeSnapshot[];
  readonly queryCount: number;
  readonly answerCount: number;
  /** Nodes between us and the nearest one, that one included. */
  readonly hopCount: number;
  readonly elapsedMs: number;
};

/** An item that the DHT keeps (BEP 44). `value` is bencoded. */
export type DhtItemSnapshot = {
  readonly value: Uint8Array;
  /** Of mutable items; else null. */
  readonly publicKey: string | null;
  readonly salt: Uint8Array | null;
  readonly sequence: bigint | null;
};

export type DhtPutOptions = {
  /** Bencoded, at most 1000 bytes. */
  readonly value: Uint8Array;
  /** 32 bytes: signs a mutable item. Null: an immutable one, stored under its hash. */
  readonly secretKey: Uint8Array | null;
  readonly salt?: Uint8Array;
  /** Null: one more than what is stored. */
  readonly sequence?: bigint | null;
  /** Replace only the item with this sequence number. */
  readonly cas?: bigint | null;
};

/** A torrent that changes has changed: which one it is now (BEP 46). */
export type MutableUpdate = { readonly infoHash: string; readonly sequence: bigint };

export type PublishedTorrent = {
  readonly publicKey: string;
  readonly sequence: bigint;
  /** Nodes that keep it. */
  readonly storedCount: number;
};

/** Questions to the DHT. Hashes, ids and keys are hex. All throw NodeError `BITTORRENT_DHT_CLOSED` at the end. */
export interface DhtApi {
  /** Null: not started, or no network. */
  status(): DhtStatus | null;
  /** True as soon as there is somebody to ask; false after so many milliseconds. */
  ready(timeoutMs: number): Promise<boolean>;
  /** Null: no answer. @throws NodeError `NET_RESOLVE`, `BITTORRENT_DHT_TARGET` */
  ping(hostPort: string): Promise<(DhtNodeSnapshot & { readonly elapsedMs: number }) | null>;
  /** Peers of an info-hash, and an estimate of how many there are (BEP 33; null: nobody knows). */
  lookup(infoHash: string): Promise<
    DhtSearch & {
      readonly peers: readonly string[];
      readonly estimate: { readonly seedCount: number; readonly peerCount: number } | null;
    }
  >;
  /** @param target of 40 digits, or a public key of 64 */
  get(target: string, salt?: Uint8Array): Promise<DhtSearch & { readonly item: DhtItemSnapshot | null }>;
  /** `storedCount` 0: nobody took it; `refusal` then says why, if anybody did. */
  put(options: DhtPutOptions): Promise<
    DhtSearch & {
      readonly storedCount: number;
      readonly item: DhtItemSnapshot;
      readonly refusal: string | null;
    }
  >;
  /** Info-hashes that nodes on the way to a target keep (BEP 51); null: a target by chance. */
  sample(target: string | null): Promise<DhtSearch & { readonly infoHashes: readonly string[] }>;
  /** Says which torrent (v1 info-hash) is the present one of a key (32 bytes) and salt, and keeps saying it. */
  publish(secretKey: Uint8Array, salt: Uint8Array, infoHash: string): Promise<PublishedTorrent>;
  /**
   * Calls back with the present torrent of a public key (32 bytes) and salt, and again when it is another one.
   * @param pollMs between two looks; by default a minute
   * @returns ends it
   */
  follow(
    publicKey: Uint8Array,
    salt: Uint8Array,
    updated: (update: MutableUpdate) => void,
    pollMs?: number,
  ): () => void;
}

/** The service, as `createBittorrent` returns it and as the command line uses it. */
export interface BittorrentApi {
  /** Null: this node takes no part in the DHT. */
  readonly dht: DhtApi | null;
  /**
   * Adds a torrent and starts it; the same torrent again returns the same id, with the new options' peers and trackers
   * added. @throws NodeError
   */
  add(source: TorrentSource, options: AddOptions): Promise<TorrentId>;
  /** Forgets a torrent; its content stays unless `removeContent`. */
  remove(torrent: TorrentId, options?: { readonly removeContent?: boolean }): Promise<void>;
  pause(torrent: TorrentId): Promise<void>;
  resume(torrent: TorrentId): Promise<void>;
  /** Full recheck in place. */
  recheck(torrent: TorrentId): Promise<void>;
  /** 0: not wanted; 1 to 7. At any time. */
  setFilePriority(torrent: TorrentId, files: readonly number[], priority: number): Promise<void>;
  setSequential(torrent: TorrentId, on: boolean): Promise<void>;
  /** A piece that a player needs within `inMs`; null takes the wish back. */
  setPieceDeadline(torrent: TorrentId, piece: number, inMs: number | null): Promise<void>;
  move(torrent: TorrentId, folder: string): Promise<void>;
  renameFile(torrent: TorrentId, file: number, path: string): Promise<void>;
  addPeer(torrent: TorrentId, hostPort: string): Promise<void>;
  /** Bytes a second over all torrents, headers of packets counted; without `schedule` the one that there is stays. */
  setLimits(limits: RateLimitPair, schedule?: readonly LimitRule[]): void;
  /** Of all torrents of a category together. */
  setCategoryLimits(category: string, limits: RateLimitPair): void;
  torrents(): readonly TorrentSnapshot[];
  torrent(torrent: TorrentId): TorrentSnapshot | null;
  /** The .torrent file of a torrent whose metadata is known. */
  exportTorrent(torrent: TorrentId): Uint8Array | null;
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
  verify(
    torrent: Uint8Array,
    path: string,
    onProgress?: (progress: Progress) => void,
    signal?: AbortSignal,
  ): Promise<VerifyReport>;
}
