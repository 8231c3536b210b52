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
} as const;
