/** The engine's cheap view of many torrents. Moves to the engine's own contract. */
import type { TorrentId, TorrentState } from '@tequio/bittorrent/contract';
/** A line of a list: scalars only, cheap for a hundred thousand torrents. Same meanings as in TorrentSnapshot. */
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
  /** As trackers (or a DHT scrape) say; null: nobody said. */
  readonly swarmSeedCount: number | null;
  readonly swarmLeechCount: number | null;
  readonly secondsLeft: number | null;
  readonly checked: number;
  /**
   * Copies of the content among the connected peers and us: the whole part is that of the least available piece, the
   * fraction the share of pieces above it.
   */
  readonly availability: number;
  readonly category: string | null;
  readonly limitDown: number | null;
  readonly limitUp: number | null;
  readonly sequential: boolean;
  readonly superSeed: boolean;
  /** Host of the first tracker that works, or of the first one; null: none. */
  readonly trackerHost: string | null;
  /** Wall clock: content last went in or out; null: never. */
  readonly activeAtMs: number | null;
};

/** What changed since a version that was given out before. */
export type TorrentChanges = {
  /** To be asked with next time. */
  readonly version: number;
  /** True: `changed` is everything there is (the version was 0, unknown or too long ago). */
  readonly full: boolean;
  readonly changed: readonly TorrentId[];
  readonly removed: readonly TorrentId[];
};

export type WebSeedSnapshot = {
  readonly url: string;
  readonly state: 'waiting' | 'working' | 'failed';
  readonly message: string | null;
  readonly downRate: number;
};
export type PieceView = {
  /** Bit field of verified pieces (BEP 3 order). */
  readonly have: Uint8Array;
  /** How many connected peers have each piece, up to 255; empty when the torrent rests. */
  readonly availability: Uint8Array;
  /** Indices being downloaded now. */
  readonly active: readonly number[];
};
export type BanSnapshot = {
  readonly address: string;
  readonly code: string;
  readonly message: string;
  readonly untilMs: number;
};
/** Of the whole engine. */
export type BittorrentTotals = {
  readonly downRate: number;
  readonly upRate: number;
  /** This run. */
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly torrentCount: number;
  readonly connectionCount: number;
  readonly dhtNodeCount: number;
};
