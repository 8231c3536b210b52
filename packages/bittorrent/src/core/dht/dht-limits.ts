/** The numbers of the DHT: ceilings that no option lifts, and times. */
export const dhtLimits = {
  /** BEP 5's K: contacts of a bucket, and nodes that a value is stored on. */
  bucketSize: 8,
  /** Proven contacts that wait for a place in a full bucket. */
  replacementCountMax: 8,
  /** A contact that was silent for longer is questionable (BEP 5). */
  questionableMs: 15 * 60_000,
  /** A contact that failed once is asked again after this; from the second time on it is bad. */
  retryMs: 15_000,
  badFailCount: 2,
  /** A bad contact without replacement is kept this long: the fault may be the line's. */
  goneFailCount: 5,

  /** Queries of one lookup under way and not yet late. */
  lookupAlpha: 4,
  /** Contacts of our own that a lookup asks in any case. */
  lookupWitnessCount: 8,
  /** Candidates of one lookup, the nearest. */
  lookupCandidateCountMax: 100,
  /** Candidates of one lookup in one /24 (IPv4) or /48 (IPv6); only one of them is ever counted on. */
  lookupBlockCountMax: 4,
  /** Whoever named so many nodes that did not answer, and none that did, is not believed any further. */
  lookupLieCountMax: 3,
  lookupQueryCountMax: 200,
  /** Lookups under way at once; further ones wait. */
  searchCountMax: 32,
  /** And those that wait. */
  searchWaitingCountMax: 4096,

  /** After this another candidate is asked besides; the answer still counts. */
  lateMs: 1000,
  timeoutMs: 8000,
  /** Queries under way; beyond that a query fails at once. */
  queryCountMax: 1024,

  /** Pings to nodes that others named or that wrote to us, under way at once. */
  verifyCountMax: 16,
  /** Not to be pinged again so soon, and how many are remembered. */
  verifyAgainMs: 5 * 60_000,
  verifyMemoryCountMax: 512,

  /** A part of the id space is looked at anew, and the neighbourhood of our own id. */
  refreshMs: 15 * 60_000,
  upkeepMs: 5000,
  bootstrapMinMs: 1000,
  bootstrapMaxMs: 5 * 60_000,
  /** With fewer contacts the bootstrap hosts are asked again. */
  enoughContactCount: 8,
  /** Kept for a next start, and of those given at a start. */
  savedContactCountMax: 200,
  bootstrapHostCountMax: 32,

  /** Nodes and peers in one answer. */
  answerNodeCount: 8,
  answerPeerCountMax: 50,
  /** With two filters of 256 bytes in it. */
  answerPeerCountScrape: 16,
  sampleCountMax: 20,
  sampleIntervalS: 600,

  /** Sent in answer to others, a second on average, and saved up for a burst. */
  replyBytesPerSecond: 8000,
  replyBurstS: 4,
  /** Of IPv4 and UDP, counted for each datagram. */
  headerBytes: 28,
  /** Datagrams that one address may send unasked: so many in the window, or it is not heard for a while. */
  floodWindowMs: 10_000,
  floodCountMax: 50,
  floodBlockMs: 5 * 60_000,
  floodMemoryCountMax: 4096,

  /** Tokens are good for one to two of these. */
  tokenPeriodMs: 5 * 60_000,

  /** What we keep for others: announced peers. */
  storedHashCountMax: 3000,
  storedPeersPerHashMax: 1000,
  storedPeerCountMax: 50_000,
  storedHashesPerBlockMax: 500,
  storedPeerMs: 45 * 60_000,
  /** Items of BEP 44: at 1.2 kB each this is about 1.5 MB. */
  storedItemCountMax: 1200,
  storedItemsPerBlockMax: 100,
  storedItemMs: 2 * 3600_000,

  /** Our own items are put again this often (BEP 44), and how many we keep alive. */
  republishMs: 3600_000,
  keptItemCountMax: 1000,

  /** Votes for our external address that are remembered, and how many an address needs. */
  voteCountMax: 24,
  voteCountMin: 4,
} as const;
