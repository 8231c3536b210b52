/**
 * Ports that have nothing to do with the addresses of a filter: not dialled, not let in, their datagrams neither sent
 * nor taken, no HTTP request sent there. Whoever uses these ports need not think of the filter: connections, uTP, the
 * DHT, trackers and web seeds all end here. Above a proxy, if there is one: it is the other end that counts.
 */
import type { HttpServerPort, IpAddress, Ports, StreamPort, UdpPort } from '@tequio/kernel';
import { failedDial } from './failed-stream.ts';
import { PortsAbove } from './ports-above.ts';

const forbidden = { status: 403, headers: {}, body: new Uint8Array(0) } as const;

/** See the head of this file. */
export class FilteredPorts extends PortsAbove {
  readonly #blocks: (address: IpAddress) => boolean;
  readonly #tcp: StreamPort;
  readonly #udp: UdpPort;
  readonly #http: Ports['http'];
  readonly #httpServer: HttpServerPort;

  constructor(below: Ports, blocks: (address: IpAddress) => boolean) {
    super(below);
    this.#blocks = blocks;
    this.#tcp = {
      listen: (at, accept) =>
        below.tcp.listen(at, (connection) => (blocks(connection.remote.address) ? null : accept(connection))),
      dial: (to, options, handler) =>
        blocks(to.address)
          ? failedDial(below.clock, to, 'the address filter forbids it', handler)
          : below.tcp.dial(to, options, handler),
    };
    this.#udp = { bind: (at, onDatagram) => this.#bind(at, onDatagram) };
    this.#http = { open: (request, handler) => this.#open(request, handler) };
    this.#httpServer = {
      listen: (at, handle) =>
        below.httpServer.listen(at, (request) =>
          blocks(request.remote.address) ? forbidden : handle(request),
        ),
    };
  }

  override get tcp(): StreamPort {
    return this.#tcp;
  }

  override get udp(): UdpPort {
    return this.#udp;
  }

  override get http(): Ports['http'] {
    return this.#http;
  }

  override get httpServer(): HttpServerPort {
    return this.#httpServer;
  }

  async #bind(...[at, onDatagram]: Parameters<UdpPort['bind']>): ReturnType<UdpPort['bind']> {
    const socket = await this.below.udp.bind(at, (bytes, from) => {
      if (!this.#blocks(from.address)) onDatagram(bytes, from);
    });
    return {
      local: socket.local,
      dontFragment: socket.dontFragment === true,
      send: (bytes, to, whole) => {
        if (!this.#blocks(to.address)) socket.send(bytes, to, whole);
      },
      close: () => socket.close(),
    };
  }

  #open(...[request, handler]: Parameters<Ports['http']['open']>): ReturnType<Ports['http']['open']> {
    const { allowAddress } = request;
    const isAllowed = (address: IpAddress): boolean =>
      !this.#blocks(address) && (allowAddress?.(address) ?? true);
    return this.below.http.open({ ...request, allowAddress: isAllowed }, handler);
  }
}
