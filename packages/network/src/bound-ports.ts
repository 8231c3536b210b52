/**
 * Ports that use a {@link BoundLine} alone. While it is down nothing is dialled, sent or looked up; when it goes down
 * every connection is closed; listeners and sockets come back with it, at the same port if it is free. Lowest of all
 * ports above the machine's, so that whatever is built on them, a proxy too, cannot go around.
 */
import {
  type Endpoint,
  type HttpClient,
  type HttpExchange,
  type IpAddress,
  isIpv6,
  type LocalNetworks,
  NodeError,
  type Ports,
  type Resolver,
  type StreamConnection,
  type StreamHandler,
  type StreamListener,
  type StreamPort,
  tryParseAddress,
  type UdpPort,
  type UdpSocket,
} from '@tequio/kernel';
import type { BoundLine } from './bound-line.ts';
import { failedDial } from './failed-stream.ts';
import { PortsAbove } from './ports-above.ts';

const gone = 'the address that everything is bound to is not there';

/** See the head of this file. */
export class BoundPorts extends PortsAbove {
  readonly #line: BoundLine;
  readonly #streams = new Set<StreamConnection>();
  readonly #exchanges = new Set<() => void>();
  readonly #tcp: StreamPort;
  readonly #udp: UdpPort;
  readonly #http: HttpClient;
  readonly #resolver: Resolver;
  readonly #networks: LocalNetworks;

  constructor(below: Ports, line: BoundLine) {
    super(below);
    this.#line = line;
    this.#tcp = {
      listen: (at, accept) => this.#listen(at, accept),
      dial: (to, options, handler) => this.#dial(to, options, handler),
    };
    this.#udp = { bind: (at, onDatagram) => this.#bind(at, onDatagram) };
    this.#http = { open: (request, handler) => this.#open(request, handler) };
    this.#resolver = {
      resolve: (name) => {
        if (line.isUp || tryParseAddress(name) !== null) return below.resolver.resolve(name);
        return Promise.reject(
          new NodeError('NET_RESOLVE', `Cannot look up ${name}: ${gone}.`, { retry: true }),
        );
      },
    };
    this.#networks = {
      list: async () => {
        const { v4, v6 } = line.addresses;
        return (await below.networks.list()).filter(({ address }) => address === v4 || address === v6);
      },
    };
    line.subscribe(() => {
      if (line.isUp) return;
      for (const connection of [...this.#streams]) {
        if (connection.reset === undefined) connection.destroy();
        else connection.reset();
      }
      for (const end of [...this.#exchanges]) end();
      below.http.endIdle?.();
    });
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
    const from = this.#line.fromFor(to.address);
    if (from === null) return failedDial(this.clock, to, gone, handler);
    const connection = this.below.tcp.dial(
      to,
      { ...options, from },
      {
        onOpen: () => handler.onOpen?.(),
        onBytes: (bytes) => handler.onBytes(bytes),
        onClose: (error) => {
          this.#streams.delete(connection);
          handler.onClose(error);
        },
      },
    );
    this.#streams.add(connection);
    return connection;
  }

  async #listen(...[at, accept]: Parameters<StreamPort['listen']>): Promise<StreamListener> {
    const take = (connection: StreamConnection): StreamHandler | null => {
      const handler = accept(connection);
      if (handler === null) return null;
      this.#streams.add(connection);
      return {
        onBytes: (bytes) => handler.onBytes(bytes),
        onClose: (error) => {
          this.#streams.delete(connection);
          handler.onClose(error);
        },
      };
    };
    const listener = new FollowingSockets(this.#line, at.port, (address, port) =>
      this.below.tcp.listen({ address, port }, take),
    );
    await listener.start(at.address);
    return listener;
  }

  async #bind(...[at, onDatagram]: Parameters<UdpPort['bind']>): Promise<UdpSocket> {
    const isV6 = at.address === null ? at.ipv6 === true : isIpv6(at.address);
    const group = at.multicast?.group ?? null;
    const sockets = new FollowingSockets<UdpSocket>(this.#line, at.port, (address, port) => {
      if (at.multicast === undefined) return this.below.udp.bind({ address, port }, onDatagram);
      const multicast = { ...at.multicast, interface: address };
      return this.below.udp.bind({ ...at, port, multicast }, onDatagram);
    });
    await sockets.start(at.address, isV6 ? 6 : 4);
    return {
      get local() {
        return sockets.local;
      },
      get dontFragment() {
        return sockets.open.every((socket) => socket.dontFragment === true);
      },
      send: (bytes, to, whole) => {
        // A socket for a group is bound to no address: only what its interface decides may leave by it.
        if (group !== null && to.address !== group) return;
        for (const socket of sockets.open) socket.send(bytes, to, whole);
      },
      close: () => sockets.close(),
    };
  }

  #open(...[request, handler]: Parameters<HttpClient['open']>): HttpExchange {
    const { v4, v6 } = this.#line.addresses;
    const literal = tryParseAddress(new URL(request.url).hostname.replace(/^\[|\]$/g, ''));
    const wanted = literal === null ? request.family : isIpv6(literal) ? 6 : 4;
    const family = wanted ?? (v4 !== null ? 4 : 6);
    const from = family === 4 ? v4 : v6;
    const fail = (): void => handler.onEnd({ code: 'HTTP_UNREACHABLE', message: gone });
    if (from === null) {
      const timer = this.clock.setTimer(0, fail);
      return { pause: () => {}, resume: () => {}, abort: () => timer.cancel() };
    }
    const allowAddress = (address: IpAddress): boolean =>
      isIpv6(address) === (family === 6) && (request.allowAddress?.(address) ?? true);
    const end = (): void => {
      this.#exchanges.delete(end);
      exchange.abort();
      fail();
    };
    const exchange = this.below.http.open(
      { ...request, family, from, allowAddress },
      {
        onHead: (head) => handler.onHead(head),
        onBytes: (bytes) => handler.onBytes(bytes),
        onEnd: (error) => {
          this.#exchanges.delete(end);
          handler.onEnd(error);
        },
      },
    );
    this.#exchanges.add(end);
    return {
      pause: () => exchange.pause(),
      resume: () => exchange.resume(),
      abort: () => {
        this.#exchanges.delete(end);
        exchange.abort();
      },
    };
  }
}

/** A listener, or a UDP socket, that is closed and made anew as the line goes and comes. */
class FollowingSockets<Socket extends { readonly local: Endpoint; close(): Promise<void> }> {
  readonly #line: BoundLine;
  readonly #make: (address: IpAddress, port: number) => Promise<Socket>;
  readonly #unsubscribe: () => void;
  open: Socket[] = [];
  #port: number;
  #address: IpAddress | null = null;
  #family: 4 | 6 | null = null;
  #isClosed = false;
  /** Counts changes of the line: what was begun before the last is of no use. */
  #epoch = 0;

  constructor(line: BoundLine, port: number, make: (address: IpAddress, port: number) => Promise<Socket>) {
    this.#line = line;
    this.#port = port;
    this.#make = make;
    this.#unsubscribe = line.subscribe(() => void this.#follow());
  }

  /** @param address of the line, or null: all of it @throws NodeError `NET_LISTEN` */
  async start(address: IpAddress | null, family: 4 | 6 | null = null): Promise<void> {
    this.#address = address;
    this.#family = family;
    const wanted = this.#wanted();
    // A machine that has no address of a family cannot open a socket for it either.
    if (this.#line.isUp && wanted.length === 0) {
      this.#unsubscribe();
      throw new NodeError('NET_LISTEN', `Cannot listen on ${address ?? 'this family'}: ${gone}.`, {
        op: 'listen',
      });
    }
    try {
      await this.#openAll(wanted, this.#port);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get local(): Endpoint {
    const [first] = this.open;
    return first?.local ?? { address: this.#address ?? ('0.0.0.0' as IpAddress), port: this.#port };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unsubscribe();
    await Promise.all(this.open.splice(0).map((socket) => socket.close()));
  }

  #wanted(): IpAddress[] {
    const { v4, v6 } = this.#line.addresses;
    return [this.#family === 6 ? null : v4, this.#family === 4 ? null : v6].filter(
      (own): own is IpAddress => own !== null && (this.#address === null || own === this.#address),
    );
  }

  async #follow(): Promise<void> {
    this.#epoch++;
    const port = this.open[0]?.local.port ?? this.#port;
    for (const socket of this.open.splice(0)) void socket.close();
    const wanted = this.#wanted();
    this.#port = port;
    // Taken by somebody else meanwhile: any other one.
    await this.#openAll(wanted, port).catch(() => this.#openAll(wanted, 0).catch(() => {}));
  }

  /** All addresses with one port. */
  async #openAll(addresses: readonly IpAddress[], port: number): Promise<void> {
    const epoch = this.#epoch;
    let wantedPort = port;
    for (const address of addresses) {
      const socket = await this.#make(address, wantedPort);
      if (this.#isClosed || epoch !== this.#epoch) {
        await socket.close();
        return;
      }
      this.open.push(socket);
      wantedPort = socket.local.port;
    }
  }
}
