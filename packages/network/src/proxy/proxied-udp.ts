/**
 * A UDP socket behind a SOCKS5 proxy (UDP ASSOCIATE, RFC 1928, section 7): a connection to the proxy holds the
 * association, datagrams go to the relay that it named, with their address in front.
 *
 *   asking -> associated -- the connection ends --> waiting -> asking ...
 *     |  refused or no answer -------------------------^
 *
 * Nothing is sent anywhere else: while there is no association a few datagrams wait, the others are lost. A proxy that
 * cannot relay leaves the socket as one whose datagrams are all lost; it is asked again, ever more rarely.
 */
import {
  type Endpoint,
  type IpAddress,
  isIpv6,
  type StreamConnection,
  type Timer,
  tryParseAddress,
  type UdpPort,
  type UdpSocket,
} from '@tequio/kernel';
import type { ProxyNames } from './proxy-names.ts';
import type { ProxyServer } from './proxy-server.ts';
import { Socks5Handshake } from './socks5-handshake.ts';
import { encodeSocks5Datagram, tryDecodeSocks5Datagram } from './socks5-message.ts';

export const proxiedUdpLimits = {
  /** For the connection and the proxy's answer. */
  timeoutMs: 10_000,
  /** Between two tries, doubled after each that failed. */
  retryMinMs: 1_000,
  retryMaxMs: 10 * 60_000,
  /** Datagrams that wait for the first association. */
  waitingCountMax: 32,
  /** As which of the names that were asked at its port an answer from an unknown address may count. */
  namesTriedMax: 16,
} as const;

type OnDatagram = Parameters<UdpPort['bind']>[1];

export class ProxiedUdpSocket implements UdpSocket {
  readonly local: Endpoint;
  readonly #server: ProxyServer;
  readonly #names: ProxyNames;
  readonly #onDatagram: OnDatagram;
  readonly #ipv6: boolean;
  #socket: UdpSocket | null = null;
  #control: StreamConnection | null = null;
  #relay: Endpoint | null = null;
  #waiting: { readonly bytes: Uint8Array; readonly to: Endpoint }[] = [];
  /** Ports at which each name was asked, by its stand-in: an answer comes from the address that the proxy found. */
  readonly #askedNames = new Map<IpAddress, Set<number>>();
  #retryMs: number = proxiedUdpLimits.retryMinMs;
  #timer: Timer | null = null;
  #isClosed = false;

  private constructor(
    server: ProxyServer,
    names: ProxyNames,
    local: Endpoint,
    ipv6: boolean,
    onDatagram: OnDatagram,
  ) {
    this.#server = server;
    this.#names = names;
    this.local = local;
    this.#ipv6 = ipv6;
    this.#onDatagram = onDatagram;
  }

  /** The port that was asked for is kept for show: whoever answers sees one of the proxy's. */
  static async bind(
    server: ProxyServer,
    names: ProxyNames,
    at: Parameters<UdpPort['bind']>[0],
    onDatagram: OnDatagram,
  ): Promise<ProxiedUdpSocket> {
    const ipv6 = at.address === null ? at.ipv6 === true : isIpv6(at.address);
    const proxy = await server.findEndpoint();
    const from = at.address !== null && isIpv6(at.address) === isIpv6(proxy.address) ? at.address : null;
    const made: { socket: ProxiedUdpSocket | null } = { socket: null };
    const under = await server.ports.udp.bind(
      { address: from, port: 0, ipv6: isIpv6(proxy.address) },
      (bytes, sender) => {
        if (made.socket !== null) made.socket.#handleDatagram(bytes, sender);
      },
    );
    const port = at.port === 0 ? under.local.port : at.port;
    const address = at.address ?? ((ipv6 ? '::' : '0.0.0.0') as IpAddress);
    const socket = new ProxiedUdpSocket(server, names, { address, port }, ipv6, onDatagram);
    made.socket = socket;
    socket.#socket = under;
    socket.#associate(proxy);
    return socket;
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#isClosed || to.port < 1 || to.port > 65_535) return;
    if (this.#relay === null) {
      if (this.#waiting.length < proxiedUdpLimits.waitingCountMax) this.#waiting.push({ bytes, to });
      return;
    }
    const host = this.#names.tryHostOf(to.address);
    if (host === null || isIpv6(to.address) !== this.#ipv6) return;
    if (host !== to.address) this.#rememberName(to);
    this.#socket!.send(encodeSocks5Datagram({ host, port: to.port }, bytes), this.#relay);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#waiting = [];
    this.#relay = null;
    this.#control?.destroy();
    await this.#socket?.close();
  }

  /** waiting -> asking */
  async #associateAgain(): Promise<void> {
    const proxy = await this.#server.findEndpoint().catch(() => null);
    if (this.#isClosed) return;
    if (proxy === null) this.#retry();
    else this.#associate(proxy);
  }

  #associate(proxy: Endpoint): void {
    const { clock, log } = this.#server.ports;
    const nothing = { host: isIpv6(proxy.address) ? '::' : '0.0.0.0', port: 0 };
    const machine = new Socks5Handshake('datagrams', nothing, this.#server.settings.credentials);
    let timer: Timer | null = null;
    const flush = (): void => {
      const out: Uint8Array[] = [];
      machine.drain(out);
      if (out.length > 0) control.write(out);
    };
    const control = this.#server.dial(
      proxy,
      { timeoutMs: proxiedUdpLimits.timeoutMs },
      {
        onOpen: () => {
          timer = clock.setTimer(proxiedUdpLimits.timeoutMs, () => control.destroy());
          flush();
        },
        onBytes: (bytes) => {
          const fault = machine.handleBytes(bytes);
          if (fault !== null) {
            log.debug('proxy.no-datagrams', { reason: fault.message });
            // It answered, and is asked again all the same: later, for it may learn.
            this.#retryMs = Math.max(this.#retryMs, 60_000);
            control.destroy();
            return;
          }
          flush();
          if (machine.result === null || timer === null) return;
          timer.cancel();
          timer = null;
          this.#begin(relayOf(machine.result.bound, proxy));
        },
        onClose: () => {
          timer?.cancel();
          this.#relay = null;
          this.#control = null;
          if (!this.#isClosed) this.#retry();
        },
      },
    );
    this.#control = control;
  }

  /** asking -> associated */
  #begin(relay: Endpoint): void {
    this.#relay = relay;
    this.#retryMs = proxiedUdpLimits.retryMinMs;
    for (const { bytes, to } of this.#waiting.splice(0)) this.send(bytes, to);
  }

  #retry(): void {
    this.#timer?.cancel();
    this.#timer = this.#server.ports.clock.setTimer(this.#retryMs, () => void this.#associateAgain());
    this.#retryMs = Math.min(this.#retryMs * 2, proxiedUdpLimits.retryMaxMs);
  }

  #handleDatagram(bytes: Uint8Array, sender: Endpoint): void {
    const relay = this.#relay;
    if (relay === null || sender.address !== relay.address || sender.port !== relay.port) return;
    const datagram = tryDecodeSocks5Datagram(bytes);
    if (datagram === null) return;
    const { from, data } = datagram;
    const address = tryParseAddress(from.host);
    if (address !== null && isIpv6(address) === this.#ipv6)
      this.#onDatagram(data, { address, port: from.port });
    let triedCount = 0;
    for (const [standIn, ports] of this.#askedNames) {
      if (!ports.has(from.port) || triedCount++ === proxiedUdpLimits.namesTriedMax) continue;
      this.#onDatagram(data, { address: standIn, port: from.port });
    }
  }

  #rememberName(to: Endpoint): void {
    const ports = this.#askedNames.get(to.address) ?? new Set();
    ports.add(to.port);
    this.#askedNames.delete(to.address);
    this.#askedNames.set(to.address, ports);
    if (this.#askedNames.size > proxiedUdpLimits.namesTriedMax)
      this.#askedNames.delete(this.#askedNames.keys().next().value!);
  }
}

/** Proxies that do not say their address mean the one that they were dialled at. */
function relayOf(bound: Endpoint | null, proxy: Endpoint): Endpoint {
  const port = bound?.port ?? proxy.port;
  const isNamed = bound !== null && bound.address !== '0.0.0.0' && bound.address !== '::';
  return { address: isNamed ? bound.address : proxy.address, port };
}
