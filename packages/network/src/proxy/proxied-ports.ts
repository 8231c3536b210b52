/**
 * Ports whose every word to the outside goes through a proxy: connections, HTTP, datagrams. Names are resolved by the
 * proxy ({@link ProxyNames}); the only name that is looked up here is its own. What it cannot carry does not happen:
 * datagrams with an HTTP proxy, multicast, anything on the local network. Listening is left to whoever asks for it:
 * those who come in know our address already.
 */
import {
  type HttpClient,
  type HttpDialler,
  type HttpExchange,
  type HttpHandler,
  type IpAddress,
  type LocalNetworks,
  NodeError,
  type Ports,
  type Resolver,
  type StreamConnection,
  type StreamPort,
  tryParseAddress,
  type UdpPort,
  type UdpSocket,
} from '@tequio/kernel';
import { failedDial } from '../failed-stream.ts';
import { PortsAbove } from '../ports-above.ts';
import { ProxiedStream } from './proxied-stream.ts';
import { ProxiedUdpSocket } from './proxied-udp.ts';
import { ProxyNames } from './proxy-names.ts';
import { ProxyServer } from './proxy-server.ts';
import type { ProxySettings } from './proxy-settings.ts';

/** See the head of this file. */
export class ProxiedPorts extends PortsAbove {
  readonly #server: ProxyServer;
  readonly #names = new ProxyNames();
  readonly #tcp: StreamPort;
  readonly #udp: UdpPort;
  readonly #http: HttpClient;
  readonly #resolver: Resolver;
  readonly #networks: LocalNetworks = { list: async () => [] };

  constructor(below: Ports, settings: ProxySettings) {
    super(below);
    this.#server = new ProxyServer(settings, below);
    this.#tcp = {
      listen: (at, accept) => below.tcp.listen(at, accept),
      dial: (to, options, handler) => this.#dial(to, options, handler),
    };
    this.#udp = { bind: (at, onDatagram) => this.#bind(at, onDatagram) };
    const { host, port, kind } = settings;
    const dialler: HttpDialler = {
      name: `${kind} ${host}:${port}`,
      dial: (...to) => this.#dialHost(...to),
    };
    this.#http = {
      open: (request, handler) => {
        if (request.family === 6 && !isLiteral(request.url)) return this.#refuseFamily(handler);
        return below.http.open({ ...request, dialler }, handler);
      },
    };
    this.#resolver = {
      resolve: async (name) => {
        const address = this.#names.tryAddressOf(name);
        if (address !== null) return [address];
        throw new NodeError('NET_RESOLVE', `${name.slice(0, 60)} is not a host name.`, { op: 'resolve' });
      },
    };
  }

  override get tcp(): StreamPort {
    return this.#tcp;
  }

  override get udp(): UdpPort {
    return this.#udp;
  }

  override get http(): HttpClient {
    return this.#http;
  }

  override get resolver(): Resolver {
    return this.#resolver;
  }

  override get networks(): LocalNetworks {
    return this.#networks;
  }

  #dial(...[to, options, handler]: Parameters<StreamPort['dial']>): StreamConnection {
    const host = this.#names.tryHostOf(to.address);
    if (host === null) return failedDial(this.clock, to, 'the name that was meant is forgotten', handler);
    return new ProxiedStream(this.#server, to, { host, port: to.port }, options, handler);
  }

  #dialHost(...[host, port, timeoutMs, handler]: Parameters<HttpDialler['dial']>): StreamConnection {
    const remote = this.#names.tryAddressOf(host);
    const to = { address: remote ?? ('0.0.0.0' as IpAddress), port };
    if (remote === null) return failedDial(this.clock, to, 'that is no host', handler);
    return new ProxiedStream(this.#server, to, { host, port }, { timeoutMs }, handler);
  }

  /** Which family a name is reached by the proxy chooses; who asks over both is heard once. */
  #refuseFamily(handler: HttpHandler): HttpExchange {
    const message = 'the proxy chooses between IPv4 and IPv6';
    const timer = this.clock.setTimer(0, () => handler.onEnd({ code: 'HTTP_ADDRESS_REFUSED', message }));
    return { pause: () => {}, resume: () => {}, abort: () => timer.cancel() };
  }

  async #bind(...[at, onDatagram]: Parameters<UdpPort['bind']>): Promise<UdpSocket> {
    if (at.multicast !== undefined) throw noDatagrams('the local network is out of reach behind a proxy');
    if (this.#server.settings.kind !== 'socks5') throw noDatagrams('an HTTP proxy carries no datagrams');
    return ProxiedUdpSocket.bind(this.#server, this.#names, at, onDatagram);
  }
}

function isLiteral(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, '$1') : '';
  return tryParseAddress(host) !== null;
}

function noDatagrams(reason: string): NodeError {
  return new NodeError('NET_LISTEN', `Cannot open a UDP socket: ${reason}.`, { op: 'bind' });
}
