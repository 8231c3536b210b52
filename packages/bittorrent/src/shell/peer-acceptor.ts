/**
 * Incoming connections: reads the first 48 bytes, which name a torrent, and hands the connection over. Until then a
 * stranger costs one small buffer and one of the node's places for those who have not said what they want, for at most
 * `pendingTimeoutMs`.
 */
import {
  type Clock,
  copyBytes,
  type IpAddress,
  type StreamConnection,
  type StreamHandler,
  type StreamListener,
  type StreamPort,
  toHex,
} from '@tequio/kernel';
import type { Admission, ConnectionSlot } from '@tequio/network';
import { handshakePrefixBytes, tryInfoHashOfPrefix } from '../wire/peer-message.ts';

export const acceptorLimits = {
  pendingTimeoutMs: 10_000,
} as const;

export type AcceptorDeps = {
  readonly ports: { readonly tcp: StreamPort; readonly clock: Clock };
  /** The torrent's handler for a connection that names it, or null: nobody here has it, or it is full. */
  readonly route: (
    infoHashHex: string,
    connection: StreamConnection,
    prefix: Uint8Array,
    slot: ConnectionSlot,
  ) => StreamHandler | null;
  readonly admission: Admission;
};

export class PeerAcceptor {
  readonly #deps: AcceptorDeps;
  #listener: StreamListener | null = null;

  constructor(deps: AcceptorDeps) {
    this.#deps = deps;
  }

  /** The port that others can dial; 0 while not listening. */
  get port(): number {
    return this.#listener?.local.port ?? 0;
  }

  /** @throws NodeError `NET_LISTEN` */
  async start(at: { readonly address: IpAddress | null; readonly port: number }): Promise<void> {
    this.#listener = await this.#deps.ports.tcp.listen(at, (connection) => this.#accept(connection));
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    this.#listener = null;
  }

  #accept(connection: StreamConnection): StreamHandler | null {
    const { admission } = this.#deps;
    if (!admission.isWelcome(connection.remote)) return null;
    const slot = admission.budget.tryAccept(connection.remote.address);
    return slot === null ? null : this.#pendingHandler(connection, slot);
  }

  #pendingHandler(connection: StreamConnection, slot: ConnectionSlot): StreamHandler {
    let inner: StreamHandler | null = null;
    let isDone = false;
    let prefix = new Uint8Array(0);
    const settle = (): void => {
      if (isDone) return;
      isDone = true;
      timer.cancel();
      if (inner === null) slot.release();
    };
    const timer = this.#deps.ports.clock.setTimer(acceptorLimits.pendingTimeoutMs, () => {
      settle();
      connection.destroy();
    });
    return {
      onBytes: (bytes) => {
        if (inner !== null) {
          inner.onBytes(bytes);
          return;
        }
        if (isDone) return;
        if (prefix.length === 0 && bytes.length >= handshakePrefixBytes) {
          inner = this.#route(connection, bytes, slot);
        } else {
          const grown = new Uint8Array(prefix.length + bytes.length);
          grown.set(prefix);
          grown.set(bytes, prefix.length);
          prefix = grown;
          if (prefix.length < handshakePrefixBytes) return;
          inner = this.#route(connection, prefix, slot);
          prefix = new Uint8Array(0);
        }
        settle();
        if (inner === null) connection.destroy();
      },
      onClose: (error) => {
        settle();
        inner?.onClose(error);
      },
    };
  }

  #route(connection: StreamConnection, prefix: Uint8Array, slot: ConnectionSlot): StreamHandler | null {
    const infoHash = tryInfoHashOfPrefix(prefix);
    if (infoHash === null) return null;
    return this.#deps.route(toHex(infoHash), connection, copyBytes(prefix), slot);
  }
}
