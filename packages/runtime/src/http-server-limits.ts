/** Ceilings of the plain HTTP server, whichever sockets it uses. */
export const httpServerLimits = {
  /** Request line and headers together. */
  headBytes: 16 * 1024,
  headTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  /** How long an idle connection may wait for its next request. */
  idleMs: 10_000,
  /** Longest time without a byte either way. */
  silenceMs: 20_000,
  /** After the last answer, how long the other side may go on sending what nobody reads. */
  lingerMs: 2000,
  /** How often it is looked whose time is over. */
  checkEveryMs: 2000,
  connectionCount: 4096,
  requestsPerConnection: 1000,
} as const;

export type HttpServerLimits = Readonly<Record<keyof typeof httpServerLimits, number>>;
