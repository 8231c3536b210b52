/** The proxy as something to connect to: its address, looked up when it is needed, and what to say to it. */
import { type Endpoint, isIpv6, type Ports, type StreamConnection, type StreamHandler } from '@tequio/kernel';
import { HttpConnectHandshake } from './http-connect-handshake.ts';
import type { ProxyHandshake, ProxyTarget } from './proxy-handshake.ts';
import type { ProxySettings } from './proxy-settings.ts';
import { Socks5Handshake } from './socks5-handshake.ts';

export const proxyServerLimits = {
  /** After this its name is looked up again. */
  addressMs: 60_000,
} as const;

export type ProxyServerPorts = Pick<Ports, 'tcp' | 'udp' | 'resolver' | 'clock' | 'log'>;

export class ProxyServer {
  readonly settings: ProxySettings;
  readonly ports: ProxyServerPorts;
  #endpoint: Endpoint | null = null;
  #endpointMs = 0;

  constructor(settings: ProxySettings, ports: ProxyServerPorts) {
    this.settings = settings;
    this.ports = ports;
  }

  /** Where it is, if that is known already. */
  tryEndpoint(): Endpoint | null {
    const isFresh = this.ports.clock.nowMs() - this.#endpointMs < proxyServerLimits.addressMs;
    return isFresh ? this.#endpoint : null;
  }

  /** @throws NodeError `NET_RESOLVE` */
  async findEndpoint(): Promise<Endpoint> {
    const known = this.tryEndpoint();
    if (known !== null) return known;
    const [address] = await this.ports.resolver.resolve(this.settings.host);
    this.#endpoint = { address: address!, port: this.settings.port };
    this.#endpointMs = this.ports.clock.nowMs();
    return this.#endpoint;
  }

  dial(
    at: Endpoint,
    options: Parameters<ProxyServerPorts['tcp']['dial']>[1],
    handler: StreamHandler,
  ): StreamConnection {
    const { from } = options;
    const isSameFamily = from != null && isIpv6(from) === isIpv6(at.address);
    return this.ports.tcp.dial(
      at,
      { timeoutMs: options.timeoutMs, from: isSameFamily ? from : null },
      handler,
    );
  }

  createHandshake(target: ProxyTarget): ProxyHandshake {
    const { kind, credentials } = this.settings;
    return kind === 'socks5'
      ? new Socks5Handshake('connect', target, credentials)
      : new HttpConnectHandshake(target, credentials);
  }
}
