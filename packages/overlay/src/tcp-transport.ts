/**
 * libp2p's TCP over the node's own ports: what binds them to one address, leads them through a proxy, filters, counts
 * and bans holds here without another word.
 */
import {
  type Connection,
  ConnectionFailedError,
  type CreateListenerOptions,
  type DialTransportOptions,
  type Listener,
  type ListenerEvents,
  type Logger,
  serviceCapabilities,
  type Transport,
  transportSymbol,
} from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import {
  addressScope,
  type Clock,
  type Endpoint,
  type IpAddress,
  isIpv6,
  isLocalAddress,
  type LocalNetworks,
  type Resolver,
  type StreamConnection,
  type StreamHandler,
  type StreamListener,
  type StreamPort,
  type Timer,
} from '@tequio/kernel';
import type { Admission, ConnectionSlot } from '@tequio/network';
import { TypedEventEmitter } from 'main-event';
import { silentLogger } from './silent-logger.ts';
import { isAnyAddress, type TcpTarget, tcpAddress, tryEndpointOf, tryTcpTarget } from './tcp-addresses.ts';
import { type ConnectionRates, TcpConnection } from './tcp-connection.ts';

/** Longer than libp2p waits itself: its signal ends a dial. */
const dialTimeoutMs = 30_000;
/** How often it is looked whether this machine has other addresses now. */
const networksMs = 60_000;
/** What this network's connections count under in the node's budget. */
export const budgetGroup = 'overlay';

export type TcpTransportDeps = {
  readonly tcp: StreamPort;
  readonly networks: LocalNetworks;
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly admission: Admission | null;
  readonly rates: ConnectionRates | null;
  /** A port that is taken is no error: a free one does. */
  readonly mayMove: boolean;
  /** Somebody has come in here from the Internet. */
  readonly onReached: (local: Endpoint) => void;
};

const log: Logger = silentLogger.forComponent('tcp');

/** See the head of this file. */
export class TcpTransport implements Transport {
  readonly [transportSymbol] = true as const;
  readonly [serviceCapabilities] = ['@libp2p/transport'];
  readonly [Symbol.toStringTag] = 'tequio/tcp';
  readonly #deps: TcpTransportDeps;

  constructor(deps: TcpTransportDeps) {
    this.#deps = deps;
  }

  listenFilter(addresses: Multiaddr[]): Multiaddr[] {
    return addresses.filter((address) => tryTcpTarget(address) !== null);
  }

  dialFilter(addresses: Multiaddr[]): Multiaddr[] {
    return this.listenFilter(addresses);
  }

  createListener(options: CreateListenerOptions): Listener {
    return new TcpListener(this.#deps, options);
  }

  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const target = tryTcpTarget(address);
    if (target === null) throw new ConnectionFailedError(`${address.toString()} is no TCP address`);
    options.signal.throwIfAborted();
    const to = { address: await this.#resolve(target), port: target.port };
    const connection = await this.#open(to, address, options.signal);
    try {
      return await options.upgrader.upgradeOutbound(connection, options);
    } catch (error) {
      connection.abort(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  async #resolve({ host, family }: TcpTarget): Promise<IpAddress> {
    const addresses = await this.#deps.resolver.resolve(host);
    const found = addresses.find((one) => family === null || isIpv6(one) === (family === 6));
    if (found === undefined) throw new ConnectionFailedError(`${host} has no such address`);
    return found;
  }

  #open(to: Endpoint, remoteAddr: Multiaddr, signal: AbortSignal): Promise<TcpConnection> {
    const { tcp, clock, admission, rates } = this.#deps;
    if (admission !== null && !admission.isWelcome(to))
      throw new ConnectionFailedError(`${to.address} is banned or blocked`);
    const slot = admission?.budget.tryDial(budgetGroup, to.address) ?? null;
    if (slot === null && admission !== null)
      throw new ConnectionFailedError('the connections of this node are used up');
    return new Promise((resolve, reject) => {
      let open: TcpConnection | null = null;
      const giveUp = (): void => stream.destroy();
      const stream: StreamConnection = tcp.dial(
        to,
        { timeoutMs: dialTimeoutMs },
        {
          onOpen: () => {
            signal.removeEventListener('abort', giveUp);
            slot?.markOpen();
            open = new TcpConnection({ stream, remoteAddr, direction: 'outbound', log, clock, rates });
            resolve(open);
          },
          onBytes: (bytes) => open?.handleBytes(bytes),
          onClose: (error) => {
            signal.removeEventListener('abort', giveUp);
            slot?.release();
            open?.handleClose(error);
            reject(new ConnectionFailedError(error ?? 'closed at once'));
          },
        },
      );
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}

class TcpListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #deps: TcpTransportDeps;
  readonly #upgrader: CreateListenerOptions['upgrader'];
  readonly #open = new Set<TcpConnection>();
  readonly #ending = new AbortController();
  #listener: StreamListener | null = null;
  #addresses: Multiaddr[] = [];
  #timer: Timer | null = null;

  constructor(deps: TcpTransportDeps, options: CreateListenerOptions) {
    super();
    this.#deps = deps;
    this.#upgrader = options.upgrader;
  }

  async listen(address: Multiaddr): Promise<void> {
    const at = tryEndpointOf(address);
    if (at === null) throw new TypeError(`${address.toString()} is no address to listen on`);
    const own = isAnyAddress(at.address) ? null : at.address;
    const { tcp, mayMove } = this.#deps;
    const accept = (connection: StreamConnection): StreamHandler | null => this.#accept(connection);
    try {
      this.#listener = await tcp.listen({ address: own, port: at.port }, accept);
    } catch (error) {
      if (!mayMove) throw error;
      this.#listener = await tcp.listen({ address: own, port: 0 }, accept);
    }
    await this.#readAddresses();
    this.safeDispatchEvent('listening');
  }

  getAddrs(): Multiaddr[] {
    return this.#addresses;
  }

  updateAnnounceAddrs(): void {}

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#ending.abort();
    for (const connection of this.#open) connection.abort(new Error('the listener is closed'));
    await this.#listener?.close();
    this.#listener = null;
    this.#addresses = [];
    this.safeDispatchEvent('close');
  }

  #accept(stream: StreamConnection): StreamHandler | null {
    const { admission, clock, rates } = this.#deps;
    if (admission !== null && !admission.isWelcome(stream.remote)) return null;
    const slot = admission?.budget.tryAccept(stream.remote.address) ?? null;
    if (slot === null && admission !== null) return null;
    const remoteAddr = tcpAddress(stream.remote);
    const connection = new TcpConnection({ stream, remoteAddr, direction: 'inbound', log, clock, rates });
    this.#open.add(connection);
    void this.#upgrade(connection, stream, slot);
    return {
      onBytes: (bytes) => connection.handleBytes(bytes),
      onClose: (error) => {
        this.#open.delete(connection);
        slot?.release();
        connection.handleClose(error);
      },
    };
  }

  async #upgrade(
    connection: TcpConnection,
    { remote, local }: StreamConnection,
    slot: ConnectionSlot | null,
  ): Promise<void> {
    try {
      await this.#upgrader.upgradeInbound(connection, { signal: this.#ending.signal });
      if (slot !== null && connection.status === 'open' && !slot.tryJoin(budgetGroup))
        connection.abort(new Error('too many connections'));
      if (!isLocalAddress(remote.address) && !isLocalAddress(local.address)) this.#deps.onReached(local);
    } catch (error) {
      connection.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** All of this machine's, where it listens on all of them. Looked at again: a laptop moves. */
  async #readAddresses(): Promise<void> {
    const local = this.#listener?.local;
    if (local === undefined) return;
    const all = isAnyAddress(local.address)
      ? (await this.#deps.networks.list())
          .map(({ address }) => address)
          .filter((address) => addressScope(address) !== 'link')
      : [local.address];
    const next = all.map((address) => tcpAddress({ address, port: local.port }));
    const isNew = next.join() !== this.#addresses.join();
    const isFirst = this.#addresses.length === 0;
    this.#addresses = next;
    if (isNew && !isFirst) this.safeDispatchEvent('listening');
    this.#timer = this.#deps.clock.setTimer(networksMs, () => void this.#readAddresses().catch(() => {}));
  }
}
