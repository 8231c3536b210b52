import type {
  Endpoint,
  HttpServerRequest,
  HttpServerResponse,
  IpAddress,
  LocalNetwork,
  Prng,
  StreamConnection,
  StreamHandler,
} from '@tequio/kernel';
import { isIpv6, NodeError } from '@tequio/kernel';
import type { VirtualClock } from './clock.ts';
import { Uplink } from './network-link.ts';

export type HostOptions = {
  /** For messages; `host-N` by default. */
  readonly name?: string;
  /** An IPv4 address, or both; by default the next one of 20.0.0.0/8. */
  readonly addresses?: readonly IpAddress[];
  /** From this host to the middle of the network; the way to another host is both hosts' sum. Default 10. */
  readonly latencyMs?: number;
  /** Bytes a second; default: no limit. */
  readonly upRate?: number;
  readonly downRate?: number;
  /** Share of datagrams lost on this host's line, each way. */
  readonly udpLoss?: number;
  /** Datagrams are held back by up to so much more, and so change their order. */
  readonly udpJitterMs?: number;
  /** Behind a router that lets in only answers: nobody can dial it. */
  readonly nat?: boolean;
  /** Hosts that name the same local network hear each other's multicast, and no router is between them. */
  readonly lan?: string;
  /** What the host's `networks` port says its router is; default: none. */
  readonly gateway?: IpAddress;
};

/** Who listens on a TCP port; `address` null: on every address. */
export type TcpListening = {
  readonly address: IpAddress | null;
  readonly accept: (connection: StreamConnection) => StreamHandler | null;
};

/** Who answers HTTP on a port. */
export type HttpListening = {
  readonly address: IpAddress | null;
  readonly handle: (request: HttpServerRequest) => HttpServerResponse;
};

/** Who receives the datagrams of a port. */
export interface DatagramReceiver {
  handleDatagram(bytes: Uint8Array, from: Endpoint, to: IpAddress, sender: Host): void;
}

/** A machine on the simulated network: its line and what it listens on. */
export class Host {
  readonly name: string;
  readonly addresses: readonly IpAddress[];
  readonly latencyMs: number;
  readonly downRate: number;
  readonly udpLoss: number;
  readonly udpJitterMs: number;
  readonly nat: boolean;
  readonly lan: string | null;
  readonly gateway: IpAddress | null;
  readonly uplink: Uplink;
  readonly tcpListeners = new Map<number, TcpListening>();
  readonly httpListeners = new Map<number, HttpListening>();
  readonly udpSockets = new Map<string, DatagramReceiver>();
  /** Members of a group, by group and port. */
  readonly groupSockets = new Map<string, Set<DatagramReceiver>>();
  /** Until then the line towards this host is busy. */
  downBusyUntilMs = 0;
  receivedBytes = 0;
  sentBytes = 0;
  /** Hosts of different groups cannot reach each other; a negative group reaches nobody. */
  group = 0;
  #nextPort = 49_152;

  constructor(clock: VirtualClock, index: number, options: HostOptions) {
    this.name = options.name ?? `host-${index}`;
    this.addresses = options.addresses ?? [addressOfIndex(index)];
    this.latencyMs = options.latencyMs ?? 10;
    this.downRate = options.downRate ?? Number.POSITIVE_INFINITY;
    this.udpLoss = options.udpLoss ?? 0;
    this.udpJitterMs = options.udpJitterMs ?? 0;
    this.nat = options.nat ?? false;
    this.lan = options.lan ?? null;
    this.gateway = options.gateway ?? null;
    this.uplink = new Uplink(clock, options.upRate ?? Number.POSITIVE_INFINITY);
  }

  /** The host's address of that family, or its first. */
  addressLike(other: IpAddress): IpAddress {
    return this.addresses.find((address) => isIpv6(address) === isIpv6(other)) ?? this.addresses[0]!;
  }

  /** As its system would list them. */
  get localNetworks(): readonly LocalNetwork[] {
    return this.addresses.map((address) => {
      const isGateways = this.gateway !== null && isIpv6(this.gateway) === isIpv6(address);
      return {
        name: 'eth0',
        address,
        prefixBits: isIpv6(address) ? 64 : 24,
        gateway: isGateways ? this.gateway : null,
        gatewayIsGuess: false,
      };
    });
  }

  /** A port for an outgoing connection. */
  takePort(): number {
    const port = this.#nextPort;
    this.#nextPort = port === 65_535 ? 49_152 : port + 1;
    return port;
  }

  /** Checks `at` and chooses a port if it has none. @throws NodeError `NET_LISTEN` */
  placeFor(
    at: { readonly address: IpAddress | null; readonly port: number },
    isTaken: (port: number) => boolean,
  ): number {
    if (at.address !== null && !this.addresses.includes(at.address)) {
      throw listenError(at.port, 'this machine does not have that address', false);
    }
    if (at.port !== 0) {
      if (isTaken(at.port)) throw listenError(at.port, 'another program uses it', true);
      return at.port;
    }
    let port = this.takePort();
    while (isTaken(port)) port = this.takePort();
    return port;
  }
}

/** All hosts and the ways between them. */
export class Network {
  readonly clock: VirtualClock;
  readonly prng: Prng;
  readonly hosts: Host[] = [];
  /** Called whenever a promise was settled, so that the world lets its followers run before time goes on. */
  readonly settled: () => void;
  readonly #byAddress = new Map<IpAddress, Host>();
  readonly #names = new Map<string, readonly IpAddress[]>();
  readonly #resetters = new Set<() => void>();

  constructor(clock: VirtualClock, prng: Prng, settled: () => void) {
    this.clock = clock;
    this.prng = prng;
    this.settled = settled;
  }

  addHost(options: HostOptions = {}): Host {
    const host = new Host(this.clock, this.hosts.length, options);
    for (const address of host.addresses) {
      if (this.#byAddress.has(address)) throw new Error(`two hosts with the address ${address}`);
      this.#byAddress.set(address, host);
    }
    this.hosts.push(host);
    return host;
  }

  /** Makes `name` known to every host's resolver. */
  setName(name: string, addresses: readonly IpAddress[]): void {
    this.#names.set(name, addresses);
  }

  addressesOf(name: string): readonly IpAddress[] {
    return this.#names.get(name) ?? [];
  }

  hostAt(address: IpAddress, from: Host): Host | null {
    if (address === '127.0.0.1' || address === '::1') return from;
    return this.#byAddress.get(address) ?? null;
  }

  /** Who hears a multicast of `from`: itself, and all of its local network. */
  hostsNear(from: Host): readonly Host[] {
    return this.hosts.filter((host) => isNear(from, host));
  }

  /** One way. */
  latencyMs(from: Host, to: Host): number {
    return from === to ? 0.05 : from.latencyMs + to.latencyMs;
  }

  canReach(from: Host, to: Host): boolean {
    return from === to || (from.group === to.group && from.group >= 0);
  }

  /**
   * Cuts the network: each list is an island, hosts in no list stay together. Connections stall, datagrams are
   * lost.
   */
  partition(islands: readonly (readonly Host[])[]): void {
    for (const host of this.hosts) host.group = 0;
    islands.forEach((island, index) => {
      for (const host of island) host.group = index + 1;
    });
    this.#restart();
  }

  /** Nobody can reach this host until `heal`. */
  cutOff(host: Host): void {
    host.group = -1;
  }

  /** All hosts can reach each other again; stalled connections go on. */
  heal(): void {
    for (const host of this.hosts) host.group = 0;
    this.#restart();
  }

  /** Both ends of about this share of all connections see "reset by the other side". */
  resetConnections(share: number): void {
    for (const reset of [...this.#resetters]) if (this.prng.chance(share)) reset();
  }

  /** Registers an open connection for `resetConnections`; the returned function takes it out. */
  addResetter(reset: () => void): () => void {
    this.#resetters.add(reset);
    return () => void this.#resetters.delete(reset);
  }

  get connectionCount(): number {
    return this.#resetters.size;
  }

  #restart(): void {
    for (const host of this.hosts) host.uplink.restart();
  }

  /**
   * Calls `deliver` when `bytes` that reach `to` now have passed its line. A free line delivers what takes less than
   * a millisecond at once (and is busy for that time): half as many events, the same rate.
   */
  receive(to: Host, bytes: number, deliver: () => void): void {
    const nowMs = this.clock.nowMs();
    to.receivedBytes += bytes;
    const passMs = (bytes * 1000) / to.downRate;
    const wasFree = to.downBusyUntilMs <= nowMs;
    to.downBusyUntilMs = Math.max(nowMs, to.downBusyUntilMs) + passMs;
    if (wasFree && passMs < 1) deliver();
    else this.clock.setTimerAt(to.downBusyUntilMs, deliver);
  }
}

/** True when no router lies between them. */
export function isNear(a: Host, b: Host): boolean {
  return a === b || (a.lan !== null && a.lan === b.lan);
}

/** True when a listener bound to `bound` (null: every address) takes what is sent to `address`. */
export function bindsTo(bound: IpAddress | null, address: IpAddress): boolean {
  return bound === null || bound === address || address === '127.0.0.1' || address === '::1';
}

export function endpoint(address: IpAddress, port: number): Endpoint {
  return { address, port };
}

/** 20.0.0.1 and on: addresses that are `global`, so that nothing treats the simulated world as a local network. */
function addressOfIndex(index: number): IpAddress {
  const n = index + 1;
  return [20, (n >> 16) & 255, (n >> 8) & 255, n & 255].join('.') as IpAddress;
}

function listenError(port: number, reason: string, retry: boolean): NodeError {
  return new NodeError('NET_LISTEN', `Cannot listen on port ${port}: ${reason}.`, { op: 'listen', retry });
}
