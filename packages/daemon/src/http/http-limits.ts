/** Ceilings of page and API; those of connections, heads and silence are `webServerLimits` of the runtime. */
export const httpLimits = {
  /** Of somebody who has not shown yet who they are. */
  loginBodyBytes: 16 << 10,
  /** A JSON body. Those that carry a .torrent file may be longer. */
  bodyBytes: 1 << 20,
  torrentBodyBytes: 96 << 20,
  /** Bodies of `torrentBodyBytes` that are read at once. */
  largeBodyCount: 4,
  /** Requests that are being answered, besides streams. */
  requestCount: 512,
  targetCharacters: 8192,
  /** Open event streams, and of these how many of one caller. */
  eventStreamCount: 1000,
  /** Rows that all event streams together watch. */
  eventViewRowCount: 200_000,
  eventViewRows: 1000,
  /** Files that are being put into IPFS at once. */
  uploadCount: 32,
  /** Pieces of content that are being read at once. */
  contentStreamCount: 128,
  sessionCount: 1000,
  sessionIdleMs: 30 * 24 * 3600_000,
  oneTimeTokenCount: 16,
  oneTimeTokenMs: 24 * 3600_000,
  /** Of clients that have not shown who they are, by address: so many at once, and so many a second after that. */
  strangerBurst: 120,
  strangerRate: 20,
  /** Wrong passwords and keys of one address; each one more doubles the wait. */
  failureCountFree: 5,
  failureWaitMs: 1000,
  failureWaitMsMax: 300_000,
  /** Addresses that are remembered. */
  addressCount: 10_000,
  /** Checks of passwords and keys that wait. */
  checkCount: 64,
  /** The same refusal is logged once in so long. */
  refusalLogMs: 60_000,
  refusalLogCount: 200,
} as const;
