/**
 * Has the router forgotten its mappings? PCP and NAT-PMP servers put into each answer the seconds since they began
 * with an empty table (RFC 6887, section 8.5; RFC 6886, section 3.6).
 *
 * Rule: between two answers the server's clock and ours must have moved by the same, but for a sixteenth and two
 * seconds. Backwards means a restart; too little means a restart in between; too much means that this machine slept,
 * and leases may have run out. All three: map again. A wrong alarm costs one round of requests.
 */
export class ServerEpoch {
  #last: { readonly serverSeconds: number; readonly clientSeconds: number } | null = null;

  /** Takes the epoch of an answer; true when mappings made before it may be gone. */
  handleEpoch(serverSeconds: number, nowMs: number): boolean {
    const clientSeconds = nowMs / 1000;
    const last = this.#last;
    this.#last = { serverSeconds, clientSeconds };
    if (last === null) return false;
    if (serverSeconds + 1 < last.serverSeconds) return true;
    const server = serverSeconds - last.serverSeconds;
    const client = clientSeconds - last.clientSeconds;
    return client + 2 < server - server / 16 || server + 2 < client - client / 16;
  }
}
