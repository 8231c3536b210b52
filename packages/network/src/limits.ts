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
  filter: {
    /** Larger lists are mistakes: the largest in use have some hundred thousand. 32 MB of memory. */
    rangeCountMax: 4_000_000,
    badLinesShown: 10,
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
