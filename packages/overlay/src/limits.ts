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
