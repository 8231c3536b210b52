/** Ceilings and figures of this package; no option lifts them. */
export const limits = {
  bandwidth: {
    /** A bucket holds so much of its rate: who looks in at least this often reaches the full rate. */
    burstMs: 50,
    /** But at least one block of BitTorrent. */
    burstBytesMin: 16 * 1024,
    /** How far a child may get ahead of one that waits: its part of so much of the rate, and at least one block. */
    leadMs: 50,
    leadBytesMin: 16 * 1024,
    /** After this, who could have come back and did not is not waited for. */
    patienceMs: 100,
    /** Who is refused for the sake of others asks again after this. */
    turnMs: 5,
  },
  bans: {
    /** Bans and scores that are kept; the ones that end first are dropped for new ones. */
    banCount: 20_000,
    scoreCount: 20_000,
    /** A sum of penalties that leads to a ban (see `Fault.penalty`). */
    scoreMax: 100,
    /** Old sins halve in this time, so that a long-lived honest peer with rare bad luck is never banned. */
    scoreHalfLifeMs: 30 * 60 * 1000,
    banMs: 24 * 3600 * 1000,
  },
  sharedUdp: {
    /** Any port will do, but IPv4 and IPv6 must both have it free: so many numbers are tried. */
    bindTryCount: 10,
  },
  utp: {
    /** RFC 6817, TARGET: queueing that we allow ourselves to cause. */
    targetMs: 100,
    /** RFC 6817, BASE_HISTORY: the path's own delay is the least of so many minutes. */
    baseMinutes: 10,
    /** RFC 6817, CURRENT_FILTER: the delay now is the least of so many samples. */
    currentSampleCount: 4,
    /** RFC 6817, INIT_CWND and MIN_CWND. */
    windowPacketsFirst: 2,
    windowPacketsMin: 2,
    /** Slow start ends at this share of the target, for what is on its way by then still comes on top. */
    slowStartExitShare: 0.5,
    /** A pause to see the empty path: how small the window, how many round trips, what share of the time at most. */
    pausePackets: 2,
    pauseRoundTrips: 2,
    pauseShare: 0.1,

    /** Until the first round trip is known; RFC 6298 says 1 s. */
    timeoutFirstMs: 1000,
    timeoutMsMin: 500,
    timeoutMsMax: 30_000,
    /** So many time-outs in a row end a connection: 31 s and more. */
    timeoutCountMax: 6,
    /** The same, when only our end is unheard and theirs has come. */
    endTimeoutCountMax: 1,
    /** An acknowledgement may wait so long for bytes to travel with, or for the next packet. */
    ackDelayMs: 10,
    /** Every second packet is acknowledged, but in a stream of thousands a second only each so many, or so often. */
    ackPacketCountMax: 16,
    ackEveryMs: 0.5,
    /** Home routers forget a silent flow after 30 s and more. */
    keepAliveMs: 29_000,
    /** Nothing heard, not even that. */
    idleMs: 300_000,
    /** After our end or theirs: how long without progress until the rest is given up. */
    lingerMs: 10_000,
    /** After both: how long their end is acknowledged again. */
    afterglowMs: 3_000,
    /** Who was answered and does not come back is forgotten. */
    unconfirmedMs: 10_000,

    /** Datagram lengths: what every path carries (QUIC takes the same), and how fine the search is. */
    mtuFloorBytes: 1200,
    mtuStepBytes: 16,
    mtuProbeTryCount: 2,
    mtuRaiseMs: 600_000,
    /** Ethernet's 1500 bytes less the headers of IP and UDP; within one machine what its buffers hold some of. */
    mtuIpv4Bytes: 1472,
    mtuIpv6Bytes: 1452,
    /** The same of networks with packets of 9000 bytes. */
    mtuJumboIpv4Bytes: 8972,
    mtuJumboIpv6Bytes: 8952,
    /** Beyond Ethernet's the search is coarser: few paths lie in between, and each try is a packet lost. */
    mtuCoarseStepShare: 0.125,
    mtuLoopbackBytes: 16_384,

    /** What one connection may have waiting for its reader or for a gap to be filled. */
    receiveBytesMax: 1 << 20,
    /** Offered at first, and always: a burst of packets, and a thirtieth of a second of 1 MB/s. */
    readWindowBytesMin: 32 * 1024,
    /** How long, at least, it is measured how fast a reader is. */
    readMeasureMs: 50,
    /** Of all of it so much is each one's own, and the rest out of the room that all share. */
    receiveBytesOwn: 64 * 1024,
    sharedReceiveBytesMax: 64 << 20,
    /** How far ahead of a gap a packet may be: what other programs have room for too. */
    reorderPacketCountMax: 1023,
    outstandingPacketCountMax: 1000,
    sackBytesMax: 128,

    connectionCountMax: 2000,
    /** Of which so many incoming ones are not confirmed, and so many have ended and glow on. */
    unconfirmedCountMax: 200,
    afterglowCountMax: 500,
    /** Answers to packets of no connection, as small as what they answer: so many a second, saved up for so long. */
    resetsPerSecond: 50,
    resetBurstCount: 100,
  },
  line: {
    /** How often a bound address is looked for: so long, at most, an open connection may outlive it. */
    lookMs: 500,
  },
  filter: {
    /** Larger lists are mistakes: the largest in use have some hundred thousand. 32 MB of memory. */
    rangeCountMax: 4_000_000,
    badLinesShown: 10,
  },
  reachability: {
    /** Proof that others reach us is believed for so long. */
    memoryMs: 2 * 3600_000,
    /** Networks that are remembered, for each family and transport. */
    keyCountMax: 500,
    /** UDP behind a NAT: comers that are proof. */
    udpComerCountMin: 4,
    /** Networks that must have seen our UDP port. */
    portVoterCountMin: 3,
    /** "Closed" is said when nobody came for so long, in which so many connections of ours opened. */
    patienceMs: 10 * 60_000,
    openedCountMin: 3,
  },
  portMapping: {
    /** Asked of the router; it may give less. Short, for a node that is killed leaves its mappings behind. */
    leaseSeconds: 3600,
    /** A mapping is asked for again when this part of its lease has passed, but not more often than so. */
    renewPart: 0.5,
    renewMsMin: 30_000,
    /** How often the router is asked whether it still knows one of the mappings. */
    checkMs: 20_000,
    /** A port that the router refused is asked for again. */
    refusedMs: 5 * 60_000,
    /** After a router that had been there was lost: searched for so often, so long. */
    searchAgainMs: 12_000,
    searchEagerlyMs: 15 * 60_000,
    /** After a search that found nothing; each later pause is twice as long. */
    searchPauseMs: 60_000,
    searchPauseMsMax: 15 * 60_000,
    /** How often the system is asked for our addresses and gateways. */
    lookMs: 15_000,
    /** On stop: the router has so long to answer. */
    stopMs: 2000,
    /** Addresses of ours that mappings are made for, and ports. */
    wayCount: 4,
    portCount: 16,
    /** RFC 6887, section 8.1.1, with a lower ceiling: a router that starts anew is to be found soon. */
    pcpProbe: { firstMs: 3000, longestMs: 6000, giveUpMs: 7000 },
    pcpRequest: { firstMs: 3000, longestMs: 6000, giveUpMs: 10_000 },
    /** RFC 6886, section 3.1. */
    natPmpProbe: { firstMs: 250, longestMs: 4000, giveUpMs: 7000 },
    natPmpRequest: { firstMs: 250, longestMs: 4000, giveUpMs: 10_000 },
    removal: { firstMs: 300, longestMs: 600, giveUpMs: 1800 },
    upnp: {
      /** Datagrams get lost: the search is sent so often, after its start. */
      searchAtMs: [0, 700, 2000],
      searchMs: 4000,
      /** Of one request, from dialling to the last byte. */
      httpMs: 5000,
      /** Answers of one search, and services in them, that are looked at. */
      locationCountMax: 6,
      candidateCountMax: 6,
      queueCountMax: 64,
      /** Of one mapping: another port, no lease, the older action. */
      mapAttemptCount: 6,
      randomPortMin: 10_000,
      randomPortMax: 60_000,
    },
  },
} as const;
