import type { Endpoint, IpAddress, UdpPort, UdpSocket } from '@tequio/kernel';
import { copyBytes, formatEndpoint, isIpv6 } from '@tequio/kernel';
import { bindsTo, type DatagramReceiver, endpoint, type Host, type Network } from './network.ts';

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
      const port = host.placeFor(at, (taken) => host.udpSockets.has(keyOf(taken, ipv6)));
      const any = (ipv6 ? '::' : '0.0.0.0') as IpAddress;
      const socket = new SimulatedUdpSocket(
        network,
        host,
        at.address,
        endpoint(at.address ?? any, port),
        onDatagram,
      );
      host.udpSockets.set(keyOf(port, ipv6), socket);
      network.settled();
      return socket;
    },
  };
}

function keyOf(port: number, ipv6: boolean): string {
  return `${ipv6 ? 'udp6' : 'udp4'}:${port}`;
}

class SimulatedUdpSocket implements UdpSocket, DatagramReceiver {
  readonly local: Endpoint;
  readonly #network: Network;
  readonly #host: Host;
  readonly #bound: IpAddress | null;
  readonly #onDatagram: (bytes: Uint8Array, from: Endpoint) => void;
  /** Behind a router: whom we wrote to, and when. */
  readonly #contacted = new Map<string, number>();
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

  send(bytes: Uint8Array, to: Endpoint): void {
    const ipv6 = isIpv6(this.local.address);
    const fits = bytes.length <= datagramBytesMax && to.port > 0 && to.port < 65_536;
    if (this.#closed || !fits || isIpv6(to.address) !== ipv6) return;
    const { clock, prng } = this.#network;
    if (this.#host.nat) this.#contacted.set(formatEndpoint(to), clock.nowMs());
    const host = this.#network.hostAt(to.address, this.#host);
    const departMs = this.#host.uplink.tryDepartDatagram(bytes.length + headerBytes);
    if (host === null || departMs === null || !this.#network.canReach(this.#host, host)) return;
    // Every draw is made each time, so that one lost datagram does not shift the luck of all later ones.
    const lost = [prng.chance(this.#host.udpLoss), prng.chance(host.udpLoss)].includes(true);
    const jitterMs = prng.nextFloat() * (this.#host.udpJitterMs + host.udpJitterMs);
    if (lost) return;
    const from = endpoint(this.#bound ?? this.#host.addressLike(to.address), this.local.port);
    const copy = copyBytes(bytes);
    clock.setTimerAt(departMs + this.#network.latencyMs(this.#host, host) + jitterMs, () => {
      this.#network.receive(host, copy.length + headerBytes, () => {
        host.udpSockets.get(keyOf(to.port, ipv6))?.handleDatagram(copy, from, to.address);
      });
    });
  }

  async close(): Promise<void> {
    if (!this.#closed) this.#host.udpSockets.delete(keyOf(this.local.port, isIpv6(this.local.address)));
    this.#closed = true;
    this.#network.settled();
  }

  handleDatagram(bytes: Uint8Array, from: Endpoint, to: IpAddress): void {
    if (this.#closed || !bindsTo(this.#bound, to)) return;
    if (this.#host.nat) {
      const lastMs = this.#contacted.get(formatEndpoint(from)) ?? Number.NEGATIVE_INFINITY;
      if (this.#network.clock.nowMs() - lastMs > natMemoryMs) return;
    }
    this.#onDatagram(bytes, from);
  }
}
