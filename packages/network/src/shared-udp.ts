/**
 * One UDP port for all that a node speaks over datagrams: uTP, the DHT, questions to trackers. So one hole in a
 * router, one mapping and one firewall rule serve all of them, and a peer's PORT message and its uTP agree.
 *
 * IPv4 and IPv6 have a socket each, with the same number. Who a datagram is for is told by its content alone:
 *
 *   'd' first                                    KRPC, a bencoded dictionary (BEP 5)         dht
 *   version 1, type 0 to 4, 20 bytes or more     (BEP 29)                                    utp
 *   three zero bytes first, 8 bytes or more      an action as a 32-bit number (BEP 15)       tracker
 *
 * No datagram is two of these: their first bytes differ. Whatever else comes is counted and dropped.
 */
import {
  type Endpoint,
  type IpAddress,
  isIpv6,
  NodeError,
  tryParseAddress,
  type UdpPort,
  type UdpSocket,
} from '@tequio/kernel';
import { limits } from './limits.ts';

export type DatagramKind = 'utp' | 'dht' | 'tracker';

export type OnDatagram = (bytes: Uint8Array, from: Endpoint) => void;

/** What arrived, and what was done with it. */
export type SharedUdpCounts = {
  readonly received: Readonly<Record<DatagramKind, number>>;
  /** Of a known kind that nobody has claimed. */
  readonly unclaimed: number;
  /** Of no known kind. */
  readonly malformed: number;
};

/** Who this datagram is for, or null. */
export function datagramKind(bytes: Uint8Array): DatagramKind | null {
  const first = bytes[0];
  if (first === undefined) return null;
  if (first === 0x64) return 'dht';
  if ((first & 0x0f) === 1) return first >> 4 <= 4 && bytes.length >= 20 ? 'utp' : null;
  return first === 0 && bytes[1] === 0 && bytes[2] === 0 && bytes.length >= 8 ? 'tracker' : null;
}

/** See the head of this file. One start, one close. */
export class SharedUdp {
  readonly #udp: UdpPort;
  readonly #claims = new Map<DatagramKind, OnDatagram>();
  readonly #received = { utp: 0, dht: 0, tracker: 0 };
  #unclaimed = 0;
  #malformed = 0;
  #four: UdpSocket | null = null;
  #six: UdpSocket | null = null;
  #closed = false;

  constructor(deps: { readonly udp: UdpPort }) {
    this.#udp = deps.udp;
  }

  /**
   * Binds. Port 0 takes a number that is free for both families. Address null: both families, or the one that this
   * host has; otherwise that address alone.
   * @throws NodeError `NET_LISTEN` when the number is taken for either family, or neither exists here
   */
  async start(at: { readonly address: IpAddress | null; readonly port: number }): Promise<void> {
    if (at.address !== null) {
      const socket = await this.#bind(at.address, at.port, isIpv6(at.address));
      if (isIpv6(at.address)) this.#six = socket;
      else this.#four = socket;
      return;
    }
    for (let tries = 1; ; tries++) {
      try {
        await this.#startBoth(at.port);
        return;
      } catch (error) {
        const isTaken = error instanceof NodeError && error.retry;
        if (at.port !== 0 || !isTaken || tries === limits.sharedUdp.bindTryCount) throw error;
      }
    }
  }

  /** Nothing is received or sent after this. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#claims.clear();
    const sockets = [this.#four, this.#six];
    await Promise.all(sockets.map((socket) => socket?.close()));
  }

  /** The number that both families share; 0 before `start`. */
  get localPort(): number {
    return (this.#four ?? this.#six)?.local.port ?? 0;
  }

  get counts(): SharedUdpCounts {
    return { received: { ...this.#received }, unclaimed: this.#unclaimed, malformed: this.#malformed };
  }

  /** True when this host can send to addresses of that family at all. */
  hasFamily(family: 4 | 6): boolean {
    return (family === 4 ? this.#four : this.#six) !== null && !this.#closed;
  }

  /** Where datagrams to `to` are sent from; the unspecified address where the system chooses. */
  localFor(to: IpAddress): Endpoint {
    return (isIpv6(to) ? this.#six : this.#four)?.local ?? { address: unspecified(isIpv6(to)), port: 0 };
  }

  /**
   * From now on datagrams of this kind go to `onDatagram`, and the socket sends from the shared port, in the family of
   * each address. May be called before `start`; what is sent before it is lost. Closing the socket gives the kind back.
   */
  claim(kind: DatagramKind, onDatagram: OnDatagram): UdpSocket {
    if (this.#claims.has(kind)) {
      throw new NodeError('NET_CLAIMED', `Somebody already receives the ${kind} datagrams of this port.`);
    }
    this.#claims.set(kind, onDatagram);
    return new ClaimedSocket(this, () => {
      if (this.#claims.get(kind) === onDatagram) this.#claims.delete(kind);
    });
  }

  /** The claim as a port, for who binds one socket a family. Bind after `start`. */
  portOf(kind: DatagramKind): UdpPort {
    const takers = new Map<boolean, OnDatagram>();
    let claimed: UdpSocket | null = null;
    return {
      bind: async (at, onDatagram) => {
        const ipv6 = at.address === null ? at.ipv6 === true : isIpv6(at.address);
        if (!this.hasFamily(ipv6 ? 6 : 4) || takers.has(ipv6)) {
          throw new NodeError('NET_LISTEN', `Cannot send over ${ipv6 ? 'IPv6' : 'IPv4'} here.`, {
            op: 'listen',
          });
        }
        claimed ??= this.claim(kind, (bytes, from) => takers.get(isIpv6(from.address))?.(bytes, from));
        const socket = claimed;
        takers.set(ipv6, onDatagram);
        return {
          local: this.localFor(unspecified(ipv6)),
          send: (bytes, to) => {
            if (takers.get(ipv6) === onDatagram && isIpv6(to.address) === ipv6) socket.send(bytes, to);
          },
          close: async () => {
            if (takers.get(ipv6) === onDatagram) takers.delete(ipv6);
            if (takers.size > 0 || claimed === null) return;
            claimed = null;
            await socket.close();
          },
        };
      },
    };
  }

  /** Best effort, as every UDP. */
  send(bytes: Uint8Array, to: Endpoint, whole = false): void {
    (isIpv6(to.address) ? this.#six : this.#four)?.send(bytes, to, whole);
  }

  /** True: what is sent to that address as a whole arrives so, or not at all. */
  dontFragment(to: IpAddress): boolean {
    return (isIpv6(to) ? this.#six : this.#four)?.dontFragment === true;
  }

  /** IPv4 first; then IPv6 with its number, unless there is no IPv6 here. */
  async #startBoth(port: number): Promise<void> {
    const [four, noFour] = await this.#tryBind(port, false);
    const [six, noSix] = await this.#tryBind(four?.local.port ?? port, true);
    const taken = [noFour, noSix].find((error) => error instanceof NodeError && error.retry);
    if (taken !== undefined || (four === null && six === null)) {
      await Promise.all([four?.close(), six?.close()]);
      throw taken ?? noFour;
    }
    this.#four = four;
    this.#six = six;
  }

  async #tryBind(port: number, ipv6: boolean): Promise<[UdpSocket, null] | [null, unknown]> {
    try {
      return [await this.#bind(null, port, ipv6), null];
    } catch (error) {
      return [null, error];
    }
  }

  #bind(address: IpAddress | null, port: number, ipv6: boolean): Promise<UdpSocket> {
    return this.#udp.bind({ address, port, ipv6 }, (bytes, from) => this.#handleDatagram(bytes, from));
  }

  #handleDatagram(bytes: Uint8Array, from: Endpoint): void {
    const kind = datagramKind(bytes);
    if (kind === null) {
      this.#malformed++;
      return;
    }
    this.#received[kind]++;
    const onDatagram = this.#claims.get(kind);
    if (onDatagram === undefined) this.#unclaimed++;
    else onDatagram(bytes, from);
  }
}

/** One claimant's view of the port. */
class ClaimedSocket implements UdpSocket {
  readonly #shared: SharedUdp;
  readonly #release: () => void;
  #released = false;

  constructor(shared: SharedUdp, release: () => void) {
    this.#shared = shared;
    this.#release = release;
  }

  /** The IPv4 side where there is one. */
  get local(): Endpoint {
    return this.#shared.localFor(unspecified(!this.#shared.hasFamily(4) && this.#shared.hasFamily(6)));
  }

  send(bytes: Uint8Array, to: Endpoint, whole = false): void {
    if (!this.#released) this.#shared.send(bytes, to, whole);
  }

  async close(): Promise<void> {
    this.#released = true;
    this.#release();
  }
}

function unspecified(ipv6: boolean): IpAddress {
  return tryParseAddress(ipv6 ? '::' : '0.0.0.0')!;
}
