/**
 * Incoming connections: reads the first 48 bytes, which name a torrent, and hands the connection over
 * (incoming-peer.ts).
 * Until then a stranger costs a small buffer (a larger one while he speaks encrypted: one handshake and one read), and
 * one of the node's places for those who have not said what they want, for at most `pendingTimeoutMs`.
 */
import type { IpAddress, StreamConnection, StreamHandler, StreamListener, StreamPort } from '@tequio/kernel';
import { IncomingPeer, type StrangerDeps } from './incoming-peer.ts';

export const acceptorLimits = {
  pendingTimeoutMs: 10_000,
} as const;

export class PeerAcceptor {
  readonly #deps: StrangerDeps;
  readonly #listeners: StreamListener[] = [];

  constructor(deps: StrangerDeps) {
    this.#deps = deps;
  }

  /** The port that others can dial; 0 while not listening. */
  get port(): number {
    return this.#listeners[0]?.local.port ?? 0;
  }

  /**
   * Listens on TCP, or on other streams besides, at the same number.
   * @throws NodeError `NET_LISTEN`
   */
  async start(
    at: { readonly address: IpAddress | null; readonly port: number },
    streams: StreamPort = this.#deps.ports.tcp,
  ): Promise<void> {
    this.#listeners.push(await streams.listen(at, (connection) => this.#accept(connection)));
  }

  async close(): Promise<void> {
    const listeners = this.#listeners.splice(0);
    await Promise.all(listeners.map((listener) => listener.close()));
  }

  #accept(connection: StreamConnection): StreamHandler | null {
    const { admission } = this.#deps;
    if (!admission.isWelcome(connection.remote)) return null;
    const slot = admission.budget.tryAccept(connection.remote.address);
    return slot === null
      ? null
      : new IncomingPeer(connection, slot, acceptorLimits.pendingTimeoutMs, this.#deps);
  }
}
