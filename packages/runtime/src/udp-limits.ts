/** Ceilings of UDP sockets. */
export const udpLimits = {
  /** Asked of the system for each direction, so that a burst outlives one busy turn; the system may give less. */
  socketBufferBytes: 2 * 1024 * 1024,
  /** The longest payload: 65,535 less the headers of UDP and IPv4. */
  payloadBytes: 65_507,
  /** What waits for the system to take datagrams again; what comes on top is lost. */
  backlogBytes: 4 * 1024 * 1024,
  backlogCount: 8192,
} as const;
