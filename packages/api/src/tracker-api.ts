/** How a tracker is started. At least one of the two ports is not null; 0 takes a free one. */
export type TrackerOptions = {
  readonly httpPort: number | null;
  readonly udpPort: number | null;
  /** Address to listen on; null: all of them. */
  readonly bind: string | null;
  /** Hex info-hashes (40 or 64 digits) that are served; null: all. */
  readonly allow: readonly string[] | null;
};

/** Counts since the tracker started, and what it holds now. */
export type TrackerStats = {
  readonly torrentCount: number;
  readonly seedCount: number;
  readonly leechCount: number;
  readonly announceCount: number;
  readonly scrapeCount: number;
  /** Requests that were answered with an error: malformed, not allowed, too many. */
  readonly refusedCount: number;
};

/** A tracker that runs until `close`. */
export interface TrackerHandle {
  /** The ports that it listens on. */
  readonly httpPort: number | null;
  readonly udpPort: number | null;
  stats(): TrackerStats;
  close(): Promise<void>;
}
