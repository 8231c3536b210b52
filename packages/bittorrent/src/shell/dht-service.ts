/**
 * Drives the DHT node: datagrams and time go in, its effects are carried out.
 *
 *   shared port ─ 'dht' datagrams ─> node ─ drain ─┬─> shared port
 *   timer ─────────────────────────> node          ├─> peers to the torrents that look for them (dht-torrents.ts)
 *                                                  └─> answers to whoever asked (dht-queries.ts)
 *
 * Where it begins: contacts of the run before, hosts that the user or the defaults name, `nodes` of torrents, peers
 * that say they have a DHT node (their PORT message). All but the configured hosts are only hints.
 */
import {
  type Clock,
  type Endpoint,
  type Entropy,
  type Hashes,
  type Log,
  Prng,
  type Resolver,
  readUint32,
  type Signatures,
  type Timer,
  toHex,
  tryParseAddress,
  type UdpSocket,
} from '@tequio/kernel';
import type { DhtStatus } from '../contract.ts';
import type { DhtEffect, SearchReport, SearchRequest } from '../core/dht/dht-effect.ts';
import { DhtNode, type DhtNodeOptions } from '../core/dht/node.ts';
import type { AddressFamily } from '../wire/compact-peers.ts';
import type { DhtItem } from '../wire/dht-item.ts';
import type { NodeInfo } from '../wire/dht-node-info.ts';
import type { DhtStore } from './dht-store.ts';

export type DhtServiceOptions = Pick<DhtNodeOptions, 'isReadOnly' | 'replyBytesPerSecond'> & {
  /** `host:port` each. */
  readonly bootstrap: readonly string[];
};

/** The port that all datagrams of the node share; of network's `SharedUdp`. */
export type DhtPort = {
  readonly localPort: number;
  hasFamily(family: AddressFamily): boolean;
  claim(kind: 'dht', onDatagram: (bytes: Uint8Array, from: Endpoint) => void): UdpSocket;
};

export type DhtServiceDeps = {
  readonly port: DhtPort;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly hashes: Hashes;
  readonly signatures: Signatures;
  readonly resolver: Resolver;
  readonly log: Log;
  /** Null: nothing is remembered. */
  readonly store: DhtStore | null;
};

/** What happens with a search. `done` null: the DHT was closed, or too many searches wait. */
export type SearchListener = {
  peers?(peers: readonly Endpoint[], isFromLocal: boolean): void;
  done(report: SearchReport | null): void;
};

export const dhtServiceLimits = {
  /** Contacts are saved this often, besides at the end. */
  saveMs: 10 * 60_000,
  /** Hosts that torrents name: looked up at most so many in one run. */
  namedHostCountMax: 64,
  /** A bootstrap host whose name could not be resolved is tried again. */
  resolveAgainMs: 30_000,
} as const;

const hostShape = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/;

export class DhtService {
  readonly #options: DhtServiceOptions;
  readonly #deps: DhtServiceDeps;
  readonly #searches = new Map<number, SearchListener>();
  readonly #pings = new Map<number, (node: NodeInfo | null, elapsedMs: number) => void>();
  readonly #readyListeners = new Set<() => void>();
  readonly #timers = new Set<Timer>();
  #node: DhtNode | null = null;
  #socket: UdpSocket | null = null;
  #timer: Timer | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #namedHostCount = 0;
  #isDriving = false;
  /** Drained, and carried out at once. */
  readonly #effects: DhtEffect[] = [];
  #receivedCount = 0;

  constructor(options: DhtServiceOptions, deps: DhtServiceDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** UDP port that others reach our node at; 0: none. */
  get port(): number {
    return this.#node === null ? 0 : this.#deps.port.localPort;
  }

  /** Begins; the shared port must be open. Without any family there is nothing to do. */
  start(): void {
    const { port, entropy, hashes, signatures, store, clock } = this.#deps;
    const families = ([4, 6] as const).filter((family) => port.hasFamily(family));
    if (families.length === 0) return;
    const saved = store?.load() ?? { ids: {}, contacts: [] };
    const prng = new Prng(readUint32(entropy.bytes(4), 0));
    // Ids come from entropy: with the small generator's seed an id would tell all its later draws.
    const ids = { 4: saved.ids[4] ?? entropy.bytes(20), 6: saved.ids[6] ?? entropy.bytes(20) };
    const node = new DhtNode(
      { ...this.#options, families, ids },
      { prng, secret: entropy.bytes(32), hashes, signatures },
    );
    this.#node = node;
    this.#socket = port.claim('dht', (bytes, from) => {
      if (this.#node !== node) return;
      this.#receivedCount++;
      node.handleDatagram(bytes, from, clock.nowMs());
      this.#drive(node);
    });
    node.addHints(saved.contacts, clock.nowMs());
    this.run((machine, nowMs) => machine.start(nowMs));
    for (const host of this.#options.bootstrap) void this.#addHost(host, true);
    if (store !== null) this.#saveLater(store);
  }

  /** Ends at once; what is looked for is given up. Contacts are saved. */
  async close(): Promise<void> {
    this.#save();
    this.#node = null;
    this.#timer?.cancel();
    for (const timer of this.#timers) timer.cancel();
    const listeners = [...this.#searches.values()];
    this.#searches.clear();
    for (const listener of listeners) listener.done(null);
    for (const pinged of this.#pings.values()) pinged(null, 0);
    this.#pings.clear();
    await this.#socket?.close();
  }

  /** Calls back when there are contacts where there were none; the function returned ends that. */
  onReady(listener: () => void): () => void {
    this.#readyListeners.add(listener);
    return () => void this.#readyListeners.delete(listener);
  }

  /** Somebody is known to us. */
  get hasContacts(): boolean {
    return this.#node?.sides.some(({ table }) => table.count > 0) ?? false;
  }

  /** True as soon as there are contacts; false after so many milliseconds. */
  waitForContacts(timeoutMs: number): Promise<boolean> {
    if (this.hasContacts || this.#node === null) return Promise.resolve(this.hasContacts);
    return new Promise((resolve) => {
      const forget = this.onReady(() => {
        timer.cancel();
        forget();
        resolve(true);
      });
      const timer = this.#deps.clock.setTimer(timeoutMs, () => {
        forget();
        resolve(false);
      });
    });
  }

  /** A peer says that it has a DHT node there. */
  addNode(endpoint: Endpoint): void {
    this.run((node, nowMs) => node.addNode(endpoint, nowMs));
  }

  /** A torrent names these hosts. */
  addHosts(hostPorts: readonly string[]): void {
    for (const hostPort of hostPorts) {
      if (this.#namedHostCount >= dhtServiceLimits.namedHostCountMax) return;
      this.#namedHostCount++;
      void this.#addHost(hostPort, false);
    }
  }

  /** @returns ends the search; its listener hears no more then */
  search(request: SearchRequest, listener: SearchListener): () => void {
    let number = 0;
    // Its effects are carried out after it is in the list.
    this.run((node, nowMs) => {
      number = node.search(request, nowMs);
      if (number !== 0) this.#searches.set(number, listener);
    });
    if (number === 0) listener.done(null);
    return () => {
      if (this.#searches.delete(number)) this.#node?.cancelSearch(number);
    };
  }

  ping(endpoint: Endpoint, pinged: (node: NodeInfo | null, elapsedMs: number) => void): void {
    let ping = 0;
    this.run((node, nowMs) => {
      ping = node.ping(endpoint, nowMs);
      if (ping !== 0) this.#pings.set(ping, pinged);
    });
    if (ping === 0) pinged(null, 0);
  }

  /** Puts our item again every hour from now on, in place of what was kept under its target. */
  keep(item: DhtItem): void {
    this.run((node, nowMs) => void node.keep(item, nowMs));
  }

  status(): DhtStatus | null {
    const node = this.#node;
    if (node === null) return null;
    return {
      port: this.port,
      families: node.sides.map(({ family, id, table, address, portsSeen }) => ({
        family,
        id: toHex(id),
        contactCount: table.count,
        externalAddress: address,
        portsSeen,
      })),
      receivedCount: this.#receivedCount,
      answeredCount: node.queriesAnswered,
      droppedCount: node.queriesDropped,
      storedHashCount: node.announces.hashCount,
      storedPeerCount: node.announces.peerCount,
      storedItemCount: node.items.count,
    };
  }

  /** Gives the machine an input and carries out what follows. */
  run(work: (node: DhtNode, nowMs: number) => void): void {
    const node = this.#node;
    if (node === null) return;
    work(node, this.#deps.clock.nowMs());
    this.#drive(node);
  }

  #drive(node: DhtNode): void {
    // What listeners ask of the node while it is driven is carried out by the loop below.
    if (this.#isDriving) return;
    this.#isDriving = true;
    const effects = this.#effects;
    try {
      for (node.drain(effects); effects.length > 0; node.drain(effects)) {
        for (const effect of effects) this.#carryOut(effect);
        effects.length = 0;
      }
    } finally {
      effects.length = 0;
      this.#isDriving = false;
    }
    this.#arm(node);
  }

  #carryOut(effect: DhtEffect): void {
    switch (effect.type) {
      case 'send':
        this.#socket?.send(effect.bytes, effect.to);
        break;
      case 'peers':
        this.#searches.get(effect.search)?.peers?.(effect.peers, effect.isFromLocal);
        break;
      case 'searched': {
        const listener = this.#searches.get(effect.search);
        this.#searches.delete(effect.search);
        listener?.done(effect.report);
        break;
      }
      case 'pinged': {
        const pinged = this.#pings.get(effect.ping);
        this.#pings.delete(effect.ping);
        pinged?.(effect.node, effect.elapsedMs);
        break;
      }
      case 'ready':
        for (const listener of this.#readyListeners) listener();
        break;
      default:
        this.#deps.log.debug('dht.address', { family: effect.family, address: effect.address });
    }
  }

  #arm(node: DhtNode): void {
    if (this.#node !== node) return;
    const nextMs = node.nextTimeoutMs() ?? Number.POSITIVE_INFINITY;
    if (nextMs === this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerAtMs = nextMs;
    if (nextMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, nextMs - this.#deps.clock.nowMs());
    this.#timer = this.#deps.clock.setTimer(delayMs, () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.run((machine, nowMs) => machine.handleTimeout(nowMs));
    });
  }

  async #addHost(hostPort: string, isConfigured: boolean): Promise<void> {
    const match = hostShape.exec(hostPort);
    const host = match?.[1] ?? match?.[2] ?? '';
    const port = Number(match?.[3] ?? 0);
    if (port < 1 || port > 65_535) return;
    const literal = tryParseAddress(host);
    try {
      const addresses = literal === null ? await this.#deps.resolver.resolve(host) : [literal];
      this.run((node, nowMs) => {
        for (const address of addresses) node.addHost({ address, port }, nowMs);
      });
    } catch (error) {
      this.#deps.log.debug('dht.host-unresolved', { host, error: String(error) });
      if (isConfigured && this.#node !== null)
        this.#later(dhtServiceLimits.resolveAgainMs, () => void this.#addHost(hostPort, true));
    }
  }

  #saveLater(store: DhtStore): void {
    this.#later(dhtServiceLimits.saveMs, () => {
      this.#save();
      this.#saveLater(store);
    });
  }

  /** Contacts that answered lately, and our ids. None at all are no reason to forget those of before. */
  #save(): void {
    const { store } = this.#deps;
    // A node that lives shortly knows few, and one that runs beside it knows better.
    if (this.#options.isReadOnly === true) return;
    if (this.#node === null || store === null || !this.hasContacts) return;
    const { sides } = this.#node;
    store.save({
      ids: Object.fromEntries(sides.map(({ family, id }) => [family, id])),
      contacts: sides.flatMap(({ table }) =>
        [...table.contacts()].filter(({ failCount }) => failCount === 0).map(({ node }) => node),
      ),
    });
  }

  #later(delayMs: number, work: () => void): void {
    const timer = this.#deps.clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      if (this.#node !== null) work();
    });
    this.#timers.add(timer);
  }
}
