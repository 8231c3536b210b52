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
  /** Levels below the root of a file: 174 links a block make 10^13 leaves of five. */
  fileDepthMax: 32,
  /** Elements of a path. */
  pathDepthMax: 256,
} as const;
