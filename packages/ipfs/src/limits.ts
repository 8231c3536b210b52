/** Ceilings that no option lifts. */
export const ipfsLimits = {
  /** The largest block that is made, asked for or taken: what other programs send over bitswap. */
  blockBytesMax: 2 << 20,
  /** Chunks leave room for what a block has around them. */
  chunkBytesMax: (2 << 20) - 256,
  /** A CID is a few dozen bytes; identity CIDs hold their content. */
  cidBytesMax: 256,
  /** Of an identity hash: what other programs accept. */
  identityBytesMax: 128,
  /** Links of one block: the smallest link takes 6 bytes, and useful blocks have 1024. */
  linkCountMax: 100_000,
  /** Children of a shard of a directory. */
  fanoutMax: 1024,
  /** Of an archive's header: some thousand CIDs. */
  carHeaderBytesMax: 1 << 20,
  /** Elements of a path. */
  pathDepthMax: 256,
} as const;

/** The block store. */
export const blockLimits = {
  /** More than any network takes (2 MiB over bitswap). */
  blockBytesMax: 4 * 1024 * 1024,
  /** A multihash: two numbers and a digest of at most 64 bytes are 68. */
  keyBytesMax: 96,
  /** A segment is closed before it grows beyond this. */
  segmentBytesMax: 256 * 1024 * 1024,
  /** What has been written is given to the device whenever there is so much of it. */
  syncAheadBytes: 64 * 1024 * 1024,
  /** What is written, and recorded, at once. */
  batchBytesMax: 4 * 1024 * 1024,
  batchCountMax: 4096,
  /** Read at once when a segment is walked through; more than the longest record. */
  windowBytes: 8 * 1024 * 1024,
  /** Segments of which less than this part is in use are written anew by a collection. */
  usedPartMin: 0.5,
  /** Rows of one step of a sweep or a listing; between two steps others have their turn. */
  stepCount: 1000,
  /** Blocks that a walk through a graph reads at once. */
  readsAtOnce: 16,
  /** A file that holds blocks in place is looked at again after so long. */
  fileTrustedMs: 2000,
  /** What a gateway keeps in memory of blocks that are asked for again and again. */
  hotBytesMax: 16 << 20,
  hotCountMax: 4096,
  /** Keys that were read lately, among which one that comes again is looked for. */
  hotSeenCount: 8192,
  /** Bytes of a pin's name. */
  pinNameBytesMax: 255,
} as const;

/** Answers of the gateway that are kept in memory. */
export const dnslinkLimits = {
  /** DNS answers come without their time to live here; domains change what they show by the minute. */
  ttlMs: 60_000,
  /** So long it is believed that a domain says nothing. */
  missingMs: 10_000,
  /** Domains whose answers are remembered. */
  keptCount: 1000,
  textChars: 1024,
} as const;

export const gatewayLimits = {
  /** Of one body: what is larger comes out of blocks that are kept. */
  hotAnswerBytesMax: 64 * 1024,
  /** Of all bodies. */
  hotBytesMax: 8 << 20,
  hotCountMax: 2048,
  /** Blocks that one is made of. */
  hotBlocksMax: 32,
  /** Requests that came lately, among which one that comes again is looked for. */
  hotSeenCount: 4096,
  /** Longer ones are not remembered. */
  hotTargetChars: 1024,
} as const;
