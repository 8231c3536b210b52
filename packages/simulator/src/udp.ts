import type { Endpoint, IpAddress, UdpPort, UdpSocket } from '@tequio/kernel';
import { addressScope, copyBytes, formatEndpoint, isIpv6 } from '@tequio/kernel';
import { bindsTo, type DatagramReceiver, endpoint, type Host, isNear, type Network } from './network.ts';

/** The largest payload over IPv4 (RFC 768: 65,535 less both headers). */
const datagramBytesMax = 65_507;
const headerBytes = 28;
/** How long a router remembers whom a host behind it has written to. */
const natMemoryMs = 60_000;

/** UDP of one host of the simulated network: datagrams may be lost, late and out of order, never changed. */
export function createSimulatedUdp(network: Network, host: Host): UdpPort {
  return {
    async bind(at, onDatagram) {
      const ipv6 = at.address === null ? at.ipv6 === true : isIpv6(at.address);
      const isShared = (port: number): boolean =>
        at.multicast !== undefined && host.groupSockets.has(groupKeyOf(at.multicast.group, port));
      const port = host.placeFor(at, (taken) => host.udpSockets.has(keyOf(taken, ipv6)) && !isShared(taken));
      const any = (ipv6 ? '::' : '0.0.0.0') as IpAddress;
      const socket = new SimulatedUdpSocket(
        network,
        host,
        at.address,
        endpoint(at.address ?? any, port),
        onDatagram,
      );
      // Of several on one port the first has what is sent to this host alone.
      if (!host.udpSockets.has(keyOf(port, ipv6))) host.udpSockets.set(keyOf(port, ipv6), socket);
      if (at.multicast !== undefined) socket.join(groupKeyOf(at.multicast.group, port));
      network.settled();
      return socket;
    },
  };
}

function keyOf(port: number, ipv6: boolean): string {
  return `${ipv6 ? 'udp6' : 'udp4'}:${port}`;
}

function groupKeyOf(group: IpAddress, port: number): string {
  return formatEndpoint({ address: group, port });
}

class SimulatedUdpSocket implements UdpSocket, DatagramReceiver {
  readonly local: Endpoint;
  readonly #network: Network;
  readonly #host: Host;
  readonly #bound: IpAddress | null;
  readonly #onDatagram: (bytes: Uint8Array, from: Endpoint) => void;
  /** Behind a router: whom we wrote to, and when. */
  readonly #contacted = new Map<string, number>();
  #group: string | null = null;
  #closed = false;

  constructor(
    network: Network,
    host: Host,
    bound: IpAddress | null,
    local: Endpoint,
    onDatagram: (bytes: Uint8Array, from: Endpoint) => void,
  ) {
    this.#network = network;
    this.#host = host;
    this.#bound = bound;
    this.local = local;
    this.#onDatagram = onDatagram;
  }

  join(group: string): void {
    this.#group = group;
    const members = this.#host.groupSockets.get(group) ?? new Set();
    this.#host.groupSockets.set(group, members.add(this));
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    const ipv6 = isIpv6(this.local.address);
    const fits = bytes.length <= datagramBytesMax && to.port > 0 && to.port < 65_536;
    if (this.#closed || !fits || isIpv6(to.address) !== ipv6) return;
    if (this.#host.nat) this.#contacted.set(formatEndpoint(to), this.#network.clock.nowMs());
    const departMs = this.#host.uplink.tryDepartDatagram(bytes.length + headerBytes);
    if (departMs === null) return;
    if (addressScope(to.address) === 'multicast') {
      const key = groupKeyOf(to.address, to.port);
      for (const host of this.#network.hostsNear(this.#host)) {
        this.#carry(bytes, to, host, departMs, () => host.groupSockets.get(key) ?? []);
      }
      return;
    }
    const host = this.#network.hostAt(to.address, this.#host);
    if (host === null) return;
    const key = keyOf(to.port, ipv6);
    this.#carry(bytes, to, host, departMs, () => {
      const receiver = host.udpSockets.get(key);
      return receiver === undefined ? [] : [receiver];
    });
  }

  /** Takes a datagram that has left us to a host, which may lose it, late. */
  #carry(
    bytes: Uint8Array,
    to: Endpoint,
    host: Host,
    departMs: number,
    receivers: () => Iterable<DatagramReceiver>,
  ): void {
    if (!this.#network.canReach(this.#host, host)) return;
    const { clock, prng } = this.#network;
    // Every draw is made each time, so that one lost datagram does not shift the luck of all later ones.
    const lost = [prng.chance(this.#host.udpLoss), prng.chance(host.udpLoss)].includes(true);
    const jitterMs = prng.nextFloat() * (this.#host.udpJitterMs + host.udpJitterMs);
    if (lost) return;
    const from = endpoint(this.#bound ?? this.#host.addressLike(to.address), this.local.port);
    const copy = copyBytes(bytes);
    clock.setTimerAt(departMs + this.#network.latencyMs(this.#host, host) + jitterMs, () => {
      this.#network.receive(host, copy.length + headerBytes, () => {
        for (const receiver of receivers()) receiver.handleDatagram(copy, from, to.address, this.#host);
        // They were lent: who has kept them sees that at once, as with memory that the next datagram is received into.
        copy.fill(0xa5);
      });
    });
  }

  async close(): Promise<void> {
    if (!this.#closed) this.#leave();
    this.#closed = true;
    this.#network.settled();
  }

  #leave(): void {
    const key = keyOf(this.local.port, isIpv6(this.local.address));
    const members = this.#group === null ? undefined : this.#host.groupSockets.get(this.#group);
    members?.delete(this);
    if (members?.size === 0) this.#host.groupSockets.delete(this.#group!);
    if (this.#host.udpSockets.get(key) !== this) return;
    const [heir] = members ?? [];
    if (heir === undefined) this.#host.udpSockets.delete(key);
    else this.#host.udpSockets.set(key, heir);
  }

  handleDatagram(bytes: Uint8Array, from: Endpoint, to: IpAddress, sender: Host): void {
    const isForUs = addressScope(to) === 'multicast' ? this.#bound === null : bindsTo(this.#bound, to);
    if (this.#closed || !isForUs) return;
    if (this.#host.nat && !isNear(this.#host, sender)) {
      const lastMs = this.#contacted.get(formatEndpoint(from)) ?? Number.NEGATIVE_INFINITY;
      if (this.#network.clock.nowMs() - lastMs > natMemoryMs) return;
    }
    this.#onDatagram(bytes, from);
  }
}
