/** The numbers of bitswap: ceilings that no option lifts, and times. */
export const bitswapLimits = {
  /** Want-blocks under way to one peer: at first, and at most. Each block that comes makes room for one more. */
  windowFirst: 16,
  windowMax: 512,
  /** And what they are expected to bring: a window of large blocks is short. */
  windowBytes: 24 * 1024 * 1024,
  /** A block's size before the first one has come. */
  blockBytesGuess: 256 * 1024,
  /** Peers that one search asks whether they have something. */
  broadcastPeerMax: 64,
  /** Wants that one search asks about; the others are looked for where those are found. */
  broadcastWantMax: 64,
  /** And those that a peer which has just come is asked about. */
  newcomerWantMax: 256,

  /** A round trip before it was measured, and how long one is waited for, whatever was measured. */
  latencyGuessMs: 100,
  timeoutMinMs: 1_000,
  timeoutMaxMs: 30_000,
  timeoutFirstMs: 5_000,
  /**
   * Bytes of a message that is not whole yet: so many show that a block is on its way. Without a block at their end
   * they count up to here.
   */
  progressBytes: 4 * 1024,
  progressBytesMax: 4 * 1024 * 1024,
  /** Another peer that has the block is asked too when it takes this many round trips, but not before. */
  hedgeRoundTrips: 3,
  hedgeMinMs: 300,
  /** Want-blocks for one block under way at once. */
  hedgeCountMax: 2,

  /** Nobody we know has it: then who does? Asked so soon, and again after twice as long each time. */
  findFirstMs: 500,
  searchFirstMs: 1_000,
  searchMaxMs: 60_000,

  /** Wants that ended lately, whose late answers are nobody's fault. */
  recentCountMax: 65_536,
  wantCountMax: 1_000_000,
  sessionPeerMax: 256,

  /** Wants of one peer that are kept; kubo keeps as many. */
  peerWantMax: 1024,
  /** Refused wants that are forgiven: so many at once, and so many more each second. */
  refusedFree: 8_192,
  refusedFreePerSecond: 100,
  /** A block up to this size is sent at once to who only asks whether it is here (bitswap 1.2). */
  replaceHaveBytes: 1_024,
  /** A message is closed when it holds so much. */
  messageTargetBytes: 64 * 1024,
  /** Bytes given to one peer's stream that it has not taken yet. */
  peerQueueBytes: 1024 * 1024,
  /** Bytes that are being read from the store, for all peers together. */
  readBytes: 16 * 1024 * 1024,
  /** Who waits for bandwidth looks again after so long at most: the limit may have been raised. */
  limitedLookMs: 1_000,
  /** Look-ups in the store under way at once. */
  lookCountMax: 8_192,
} as const;

/** What a fault costs; a peer whose sum reaches 100 is sent away. */
export const bitswapPenalty = {
  /** A block whose bytes have a name that it was never asked for: wrong bytes are seen as this. */
  unwanted: 20,
  /** A block under a hash that nobody can compute. */
  unknownHash: 50,
  /** HAVE, and then DONT_HAVE or nothing: may happen when a block is being removed. */
  lie: 5,
  flood: 10,
  identity: 10,
} as const;
