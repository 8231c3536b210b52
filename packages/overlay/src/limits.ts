/** Every ceiling of the overlay. No option lifts them. */
export const limits = {
  streams: {
    /** Open streams of one protocol with one peer, each way. */
    perProtocol: 1024,
    /** Bytes that a stream that is not open yet holds for later, and what it may be behind before it asks to wait. */
    queuedBytes: 1024 * 1024,
    /** Streams that are being opened, all together: more fail at once. */
    opening: 4096,
  },
  connection: {
    /** What the system may be behind before a connection asks its streams to wait. */
    queuedBytes: 1024 * 1024,
    /** One write under a bandwidth limit. */
    limitedWriteBytes: 64 * 1024,
    /** Who waits for bandwidth looks again after so long at most: the limit may have been raised. */
    limitedLookMs: 1000,
    /** Handshakes of strangers at once. */
    incomingPending: 100,
    /** Connections a second from one address. */
    incomingPerSecond: 20,
    /** Connections, where the node's budget is larger than this. */
    count: 400,
  },
  noise: {
    /** One message, its tag included. Source: The Noise Protocol Framework, section 3. */
    messageBytes: 65_535,
    /** Names of muxers in a handshake that are looked at. */
    muxerCount: 16,
    /** Buffers of one message that are kept for the next ones, all connections together. */
    spareCount: 16,
  },
  yamux: {
    /** What may be sent on a stream before the other side has said more. Source: hashicorp/yamux, spec.md. */
    windowBytes: 256 * 1024,
    /** A window grows up to this while its stream is read as fast as it is filled. */
    windowBytesMax: 16 * 1024 * 1024,
    /** A new stream begins with what the last ones grew to, up to this: some programs open one for each message. */
    usualBytesMax: 2 * 1024 * 1024,
    /** By which all windows of a connection may have grown, together. */
    grownBytes: 32 * 1024 * 1024,
    /** A window grows when half of it is used up within so many round trips, each counted as at least so long. */
    growRoundTrips: 4,
    roundTripMinMs: 10,
    /** Streams that the other side may have open. */
    inboundCount: 1024,
    /** And that we have. */
    outboundCount: 4096,
    /** One frame of ours: with its head it fills a message of Noise. */
    frameBytes: 65_535 - 16 - 12,
    /** Round trips are measured so often. */
    pingMs: 30_000,
    /** Answers to somebody who asks and does not read: with so much on its way the connection ends. */
    unreadBytes: 4 * 1024 * 1024,
  },
  topics: {
    /** Topics of ours at once. */
    count: 1000,
    /** Bytes of a topic's name. */
    nameBytes: 1024,
    /** Bytes of one message: what other implementations take by default, less room for its envelope. */
    messageBytes: 1024 * 1024 - 16 * 1024,
    /** What the topics of one peer may cost: about 250 of them. */
    bytesPerPeer: 256 * 1024,
    /** Subscriptions in one message of a peer. */
    perMessage: 1000,
    /** Names of messages in one message of a peer. */
    idsPerMessage: 5000,
  },
  records: {
    /** Bytes of a key, and of a value, in the DHT. */
    keyBytes: 1024,
    valueBytes: 10 * 1024,
    /** Values that agree well enough: reading stops. Source: go-libp2p-kad-dht's quorum. */
    quorum: 16,
    /** Kept for others, newest first. */
    count: 200_000,
    /** Source: libp2p specs, kad-dht, provider records. */
    lastMs: 48 * 3600 * 1000,
    /** How often those that have ended are swept out. */
    sweepMs: 3600 * 1000,
  },
  regions: {
    /** Peers that are told who has a key. Source: libp2p specs, kad-dht, k. */
    nearestCount: 20,
    /** Of the peers that are known so many must have answered, where there are fewer than that. */
    answeringPart: 0.75,
    /** Lookups that one region is worth; beyond it keys are looked up one by one. */
    lookups: 12,
    lookupMs: 60_000,
    /** Regions that are looked for at once. */
    exploredAtOnce: 4,
    /** Of a region: with 16 there are a million peers. A key in such a one is found by that many tries. */
    prefixBits: 16,
    /** Who is in a region changes slowly: peers stay for hours. */
    trustedMs: 5 * 60 * 1000,
    /** Regions that are remembered. */
    count: 4096,
  },
  lines: {
    /** A stream on which nothing is told is closed, before the other side does so: some do after ten seconds. */
    idleMs: 4000,
    openMs: 15_000,
    /** Until a peer has worked through one write. */
    answerMs: 30_000,
    /** Of the answer: a few dozen peers with their addresses. */
    answerBytes: 1024 * 1024,
    /** Bytes that wait for one peer. */
    queuedBytes: 4 * 1024 * 1024,
    /** One write. */
    writeBytes: 64 * 1024,
    /** A peer that could not be told is not tried again for so long. */
    failedMs: 60_000,
    /** Such peers that are remembered. */
    failedCount: 4096,
  },
  peers: {
    /** Known peers that are kept, newest first. */
    count: 10_000,
    /** How long they are kept without news. */
    lastMs: 7 * 24 * 3600 * 1000,
    /** Known peers that are dialled at the start, and how many of these are enough. */
    dialledAtStart: 24,
    enoughAtStart: 6,
  },
  store: {
    /** What is to be remembered waits so long, to be written in one go. */
    flushMs: 2000,
    /** Or until there is so much of it. */
    pendingCount: 2000,
  },
  relay: {
    /** Others that this node holds a place for. */
    reservations: 64,
    /** A relayed connection may last so long and carry so much. Source: libp2p specs, circuit-v2, kubo's defaults. */
    lastMs: 2 * 60 * 1000,
    bytes: 128 * 1024,
    /** Answers of the STUN server. */
    stunPerSecond: 200,
    /** Relays that are asked from where this node is seen. */
    stunServers: 2,
  },
} as const;
