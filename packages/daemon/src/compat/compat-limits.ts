/** Ceilings that no option lifts. */
export const compatLimits = {
  /** A request's body: a torrent file of 64 MiB in base64, and some. */
  bodyBytesMax: 96 << 20,
  /** Torrents whose metadata's comment, author and date are remembered. */
  knownMetainfoCountMax: 2_000,
  /** Rows of an answer for which files are looked up, to say where content lies; in longer ones the name says it. */
  detailedRowCountMax: 2_000,
  /** For how long Transmission calls a torrent recently active. */
  recentMs: 60_000,
  removedCountMax: 10_000,
  /** Sessions of qBittorrent's API at once; the one that was silent longest goes. */
  sessionCountMax: 200,
  sessionIdleMs: 3_600_000,
  /** Rows that a session has been sent, remembered so that only what changed in them is sent again. */
  sentRowCountMax: 2_000,
  /** Calls in one batch or `system.multicall`. */
  batchCallCountMax: 2_000,
  metadataTimeoutMs: 30_000,
  /** Magnets whose metadata is being asked for at once. */
  metadataFetchCountMax: 50,
  /** Torrent files that were sent to be read, or were made, and are remembered: all together. */
  readTorrentBytesMax: 64 << 20,
  /** Torrents being made, waiting to be made, or made and remembered. */
  creationCountMax: 100,
  /** Of one folder that is looked into. */
  folderItemCountMax: 10_000,
  /** What other programs' user interfaces may keep with us, together. */
  clientDataBytesMax: 1 << 20,
} as const;
