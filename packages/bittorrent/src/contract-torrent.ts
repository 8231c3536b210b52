/** The part of the contract that shows torrents: plain data, browser-safe. Meanings as in contract.ts. */

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
  /** Hex of the 20 bytes that it calls itself by. */
  readonly peerId: string;
  /** It has come to us. */
  readonly incoming: boolean;
  /** Who named it first of all that are worth most; `incoming`: nobody, it came. */
  readonly source: 'user' | 'magnet' | 'saved' | 'incoming' | 'tracker' | 'local' | 'dht' | 'pex';
  readonly transport: 'tcp' | 'utp';
  readonly encrypted: boolean;
  /** Content, since it is connected. */
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly downRate: number;
  readonly upRate: number;
  /** 0 to 1. */
  readonly progress: number;
  readonly choking: boolean;
  readonly choked: boolean;
  readonly interesting: boolean;
  readonly interested: boolean;
  /** It has not sent what it was asked for in a long time. */
  readonly snubbed: boolean;
  /** It says that it wants nothing (BEP 21). */
  readonly uploadOnly: boolean;
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

/** A line of a list: scalars only, cheap for a hundred thousand torrents. Meanings as in {@link TorrentSnapshot}. */
export type TorrentRow = {
  readonly id: TorrentId;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly name: string;
  readonly folder: string;
  readonly state: TorrentState;
  readonly error: string | null;
  readonly errorCode: string | null;
  /** Null while `metadata`. */
  readonly private: boolean | null;
  readonly pieceCount: number;
  readonly pieceBytes: number;
  readonly havePieceCount: number;
  readonly fileCount: number;
  readonly totalBytes: number;
  readonly wantedBytes: number;
  readonly doneBytes: number;
  /** Over all runs. */
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly wastedBytes: number;
  readonly downRate: number;
  readonly upRate: number;
  /** Connected; of them complete. */
  readonly peerCount: number;
  readonly seedCount: number;
  readonly candidateCount: number;
  /** As trackers say; null: nobody said. */
  readonly swarmSeedCount: number | null;
  readonly swarmLeechCount: number | null;
  readonly secondsLeft: number | null;
  readonly checked: number;
  /**
   * Copies of the content among the connected peers and us: the whole part is how many there are of the rarest piece,
   * the fraction the share of pieces of which there are more.
   */
  readonly availability: number;
  readonly category: string | null;
  readonly limitDown: number | null;
  readonly limitUp: number | null;
  readonly sequential: boolean;
  readonly superSeed: boolean;
  /** Host of the first tracker that works, or of the first one; null: none. */
  readonly trackerHost: string | null;
  readonly addedAtMs: number;
  /** Null: not yet. */
  readonly finishedAtMs: number | null;
  /** When content last went in or out; null: never. */
  readonly activeAtMs: number | null;
};

/** What has changed since a version that was given out before. */
export type TorrentChanges = {
  /** To be asked with next time. */
  readonly version: number;
  /** `changed` is everything there is: the version was 0, unknown, or too long ago. */
  readonly full: boolean;
  readonly changed: readonly TorrentId[];
  readonly removed: readonly TorrentId[];
};

export type WebSeedSnapshot = {
  readonly url: string;
  readonly state: 'waiting' | 'working' | 'failed';
  /** Why it failed last. */
  readonly message: string | null;
  readonly downRate: number;
  /** Since the torrent runs. */
  readonly downloadedBytes: number;
};

export type PieceView = {
  /** Verified pieces, the first one the highest bit of the first byte (BEP 3); empty while `metadata`. */
  readonly have: Uint8Array;
  /** How many connected peers have each piece, up to 255; empty when there are no peers. */
  readonly availability: Uint8Array;
  /** Indices of those that are being downloaded now. */
  readonly active: readonly number[];
};

export type BanSnapshot = {
  /** An IPv4 address, an IPv6 network of 64 bits, or `address:port` on loopback. */
  readonly address: string;
  readonly code: string;
  readonly message: string;
  /** Null: until it is taken back. */
  readonly untilMs: number | null;
};

/** Of the whole engine. */
export type BittorrentTotals = {
  readonly downRate: number;
  readonly upRate: number;
  /** Content, in this run. */
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly torrentCount: number;
  readonly connectionCount: number;
  readonly dhtNodeCount: number;
};
