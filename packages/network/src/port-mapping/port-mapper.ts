import {
  type Endpoint,
  formatEndpoint,
  type IpAddress,
  isIpv6,
  type Ports,
  Prng,
  readUint32,
  type StreamConnection,
  type Timer,
  type UdpSocket,
} from '@tequio/kernel';
import { limits } from '../limits.ts';
import { encodeHttpRequest, HttpMessageReader } from './http-message.ts';
import { keyOfPort, type WantedPort } from './mapping.ts';
import {
  type MappingEffect,
  type MappingInput,
  MappingMachine,
  type MappingOptions,
} from './mapping-machine.ts';
import type { ClientEffect } from './router-client.ts';
import type { WayStatus } from './router-way.ts';
import { ssdpGroupIpv4, ssdpGroupsIpv6 } from './ssdp.ts';

export type PortMapperPorts = Pick<Ports, 'clock' | 'entropy' | 'udp' | 'tcp' | 'networks' | 'log'>;

type HttpEffect = ClientEffect & { readonly type: 'http' };

/**
 * Port mapping for all networks of the node: `want` a port, and as long as it is wanted, every router on the way to
 * the Internet that can be asked to, lets it through.
 *
 * Does nothing outside itself until `start`.
 */
export class PortMapper {
  readonly #ports: PortMapperPorts;
  readonly #machine: MappingMachine;
  readonly #wanted = new Map<symbol, readonly WantedPort[]>();
  readonly #sockets = new Map<string, WaySocket>();
  readonly #exchanges = new Set<StreamConnection>();
  readonly #listeners = new Set<() => void>();
  #timer: Timer | null = null;
  #lookTimer: Timer | null = null;
  #state: 'new' | 'started' | 'closing' | 'closed' = 'new';
  #onStopped: () => void = () => {};
  #closing: Promise<void> | null = null;
  #hasLooked = false;

  constructor(options: MappingOptions, ports: PortMapperPorts) {
    this.#ports = ports;
    this.#machine = new MappingMachine(options, new Prng(readUint32(ports.entropy.bytes(4), 0)));
  }

  /** One entry an address of ours that has a router; the one that the system prefers first. */
  get ways(): readonly WayStatus[] {
    return this.#machine.ways;
  }

  /** False until the system has said for the first time which networks there are. */
  get hasLooked(): boolean {
    return this.#hasLooked;
  }

  /** Begins. The first answers come within milliseconds on a usual network, and none is waited for. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'started';
    void this.#look();
  }

  /** Wants these ports mapped until the returned function is called. Several may want the same port. */
  want(ports: readonly WantedPort[]): () => void {
    const name = Symbol();
    this.#wanted.set(name, ports);
    this.#tellWanted();
    return () => {
      if (this.#wanted.delete(name)) this.#tellWanted();
    };
  }

  /** Calls back whenever `ways` shows something new; the returned function ends that. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * The port that others must dial to reach `wanted`; null while none is mapped. With several routers that of the
   * preferred way. IPv6 ports never change.
   */
  externalPortOf(wanted: WantedPort): number | null {
    for (const { family, mappings } of this.ways) {
      const mapping = mappings.find((one) => keyOfPort(one) === keyOfPort(wanted));
      if (family === 4 && mapping?.state === 'mapped') return mapping.externalPort;
    }
    return null;
  }

  /** Removes all mappings, waits two seconds at most, ends. With `keep` the mappings stay until their lease ends. */
  close(options: { readonly keep?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#close(options.keep === true);
    return this.#closing;
  }

  async #close(keep: boolean): Promise<void> {
    const mustRemove = this.#state === 'started' && !keep;
    this.#state = 'closing';
    this.#lookTimer?.cancel();
    if (mustRemove) {
      await new Promise<void>((resolve) => {
        this.#onStopped = resolve;
        this.#handle({ type: 'stop' });
      });
    }
    this.#state = 'closed';
    this.#timer?.cancel();
    for (const exchange of this.#exchanges) exchange.destroy();
    await Promise.all([...this.#sockets.values()].map((socket) => socket.close()));
  }

  async #look(): Promise<void> {
    const { networks, clock, log } = this.#ports;
    try {
      const list = await networks.list();
      this.#hasLooked = true;
      if (this.#state === 'started') this.#handle({ type: 'networks', networks: list });
    } catch (error) {
      log.debug('port-mapping.networks', { error: String(error) });
    }
    if (this.#state === 'started') {
      this.#lookTimer = clock.setTimer(limits.portMapping.lookMs, () => void this.#look());
    }
  }

  #tellWanted(): void {
    const byKey = new Map<string, WantedPort>();
    for (const ports of this.#wanted.values()) for (const port of ports) byKey.set(keyOfPort(port), port);
    // TCP first: UDP then wishes for the external port that TCP has got.
    const ports = [...byKey.values()].toSorted(
      (a, b) => a.port - b.port || (a.transport < b.transport ? -1 : 1),
    );
    if (this.#state === 'new' || this.#state === 'started') this.#handle({ type: 'wanted', ports });
  }

  #handle(input: MappingInput): void {
    this.#machine.handle(input, this.#ports.clock.nowMs());
    this.#run();
  }

  /** Does what the machine wants, and arms the timer. */
  #run(): void {
    const effects: MappingEffect[] = [];
    this.#machine.drain(effects);
    for (const effect of effects) this.#do(effect);
    this.#timer?.cancel();
    this.#timer = null;
    const nextMs = this.#machine.nextTimeoutMs();
    if (nextMs === null || this.#state === 'closed') return;
    const { clock } = this.#ports;
    this.#timer = clock.setTimer(Math.max(0, nextMs - clock.nowMs()), () => {
      this.#machine.handleTimeout(clock.nowMs());
      this.#run();
    });
  }

  #do(effect: MappingEffect): void {
    switch (effect.type) {
      case 'open':
        this.#sockets.set(effect.way, this.#openSocket(effect.way, effect.local));
        break;
      case 'close':
        void this.#sockets.get(effect.way)?.close();
        this.#sockets.delete(effect.way);
        break;
      case 'do':
        if (effect.effect.type === 'send') {
          this.#sockets.get(effect.way)?.send(effect.effect.bytes, effect.effect.to);
        } else this.#exchange(effect.way, effect.local, effect.effect);
        break;
      case 'changed':
        for (const listener of this.#listeners) listener();
        break;
      case 'stopped':
        this.#onStopped();
    }
  }

  #openSocket(way: string, local: IpAddress): WaySocket {
    const onDatagram = (bytes: Uint8Array, from: Endpoint): void =>
      this.#handle({ type: 'datagram', way, bytes, from });
    return new WaySocket(bindWay(this.#ports, local, onDatagram));
  }

  /** One request to a router's UPnP server. */
  #exchange(way: string, local: IpAddress, { id, url, method, headers, body }: HttpEffect): void {
    const reader = new HttpMessageReader();
    const { clock, tcp } = this.#ports;
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      this.#exchanges.delete(connection);
      connection.destroy();
      reader.handleEnd();
      const { result } = reader;
      const answer = result === null || 'code' in result ? null : result;
      if (this.#state !== 'closed') this.#handle({ type: 'http', way, id, answer });
    };
    const timer = clock.setTimer(limits.portMapping.upnp.httpMs, end);
    const options = { timeoutMs: limits.portMapping.upnp.httpMs, from: local };
    const connection = tcp.dial(url, options, {
      onOpen: () => {
        const host = formatEndpoint(url);
        connection.write([encodeHttpRequest({ method, host, path: url.path, headers, body })]);
      },
      onBytes: (bytes) => {
        reader.handleBytes(bytes);
        if (reader.result !== null) end();
      },
      onClose: end,
    });
    this.#exchanges.add(connection);
  }
}

/** Without multicast, where the interface has none: then only the gateway itself can be asked. */
async function bindWay(
  { udp, log }: PortMapperPorts,
  local: IpAddress,
  onDatagram: (bytes: Uint8Array, from: Endpoint) => void,
): Promise<UdpSocket | null> {
  const group = isIpv6(local) ? ssdpGroupsIpv6[0]! : ssdpGroupIpv4;
  const place = { address: local, port: 0 };
  try {
    return await udp.bind({ ...place, multicast: { group, interface: local } }, onDatagram);
  } catch {
    try {
      return await udp.bind(place, onDatagram);
    } catch (error) {
      log.debug('port-mapping.bind', { local, error: String(error) });
      return null;
    }
  }
}

/** A socket that may not be open yet; what is sent until then waits. */
class WaySocket {
  #socket: UdpSocket | null = null;
  #waiting: [Uint8Array, Endpoint][] = [];
  readonly #bound: Promise<UdpSocket | null>;

  constructor(bound: Promise<UdpSocket | null>) {
    this.#bound = bound.then((socket) => {
      this.#socket = socket;
      for (const [bytes, to] of this.#waiting) socket?.send(bytes, to);
      this.#waiting = [];
      return socket;
    });
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#socket !== null) this.#socket.send(bytes, to);
    else if (this.#waiting.length < waitingCountMax) this.#waiting.push([bytes, to]);
  }

  async close(): Promise<void> {
    await (await this.#bound)?.close();
  }
}

/** What the machine sends in one turn, and more. */
const waitingCountMax = 64;
