/**
 * The overlay's twin: peers, streams, topics and records over the simulated network, in virtual time.
 *
 *   const overlays = new SimulatedOverlays(world);
 *   const a = await overlays.add(world.addHost());
 */
import {
  type Endpoint,
  encodeUtf8,
  formatEndpoint,
  isIpv6,
  NodeError,
  type OverlayAddress,
  type OverlayMessage,
  type OverlayPeer,
  type OverlayPeerEvents,
  type OverlayPeerInfo,
  type OverlayPort,
  type OverlayProvider,
  type OverlayRecordRules,
  type OverlayStream,
  type OverlayStreamHandler,
  type OverlaySubscription,
  type StreamListener,
  toHex,
  tryFromHex,
  tryParseEndpoint,
} from '@tequio/kernel';
import { type DhtNode, KeptRecords, SimulatedDht } from './overlay-records.ts';
import { frameKind, OverlaySession, readWords } from './overlay-session.ts';
import { SimulatedOverlayStream } from './overlay-stream.ts';
import type { HostPorts, World } from './world.ts';

export type SimulatedOverlayOptions = {
  /** Whether it answers questions of others in the DHT. Default true. */
  readonly isDhtServer?: boolean;
};

const topicLimits = { count: 1000, nameBytes: 1024, messageBytes: 1024 * 1024 - 16 * 1024 } as const;
const port = 4001;

/** All nodes of one world. */
export class SimulatedOverlays {
  readonly world: World;
  readonly dht: SimulatedDht;
  readonly nodes = new Map<OverlayPeer, SimulatedOverlay>();

  constructor(world: World) {
    this.world = world;
    this.dht = new SimulatedDht(
      world.clock,
      () => this.nodes.values(),
      () => world.network.settled(),
    );
  }

  async add(host: HostPorts, options: SimulatedOverlayOptions = {}): Promise<SimulatedOverlay> {
    const node = new SimulatedOverlay(this, host, options);
    await node.start();
    return node;
  }
}

/** What two peers say to each other about themselves. */
type Words =
  | {
      readonly kind: 'hello';
      readonly peer: OverlayPeer;
      readonly topics: readonly string[];
      readonly protocols: readonly string[];
    }
  | { readonly kind: 'topic'; readonly topic: string; readonly isWanted: boolean }
  | {
      readonly kind: 'message';
      readonly topic: string;
      readonly from: OverlayPeer;
      readonly sequence: string;
      readonly hex: string;
    };

type Connection = {
  readonly session: OverlaySession;
  readonly direction: 'in' | 'out';
  readonly streams: Map<number, SimulatedOverlayStream>;
  readonly topics: Set<string>;
  /** Whoever was dialled; null: whoever is there. */
  readonly wanted: OverlayPeer | null;
  peer: OverlayPeer | null;
  protocols: readonly string[];
  nextStream: number;
};

/** One node: the port, over its host of the world. Made by {@link SimulatedOverlays}. */
export class SimulatedOverlay implements OverlayPort, DhtNode {
  readonly peer: OverlayPeer;
  readonly kept = new KeptRecords();
  readonly rules = new Map<string, OverlayRecordRules>();
  readonly isServer: boolean;
  readonly #all: SimulatedOverlays;
  readonly #host: HostPorts;
  readonly #connections = new Map<OverlayPeer, Connection>();
  readonly #handlers = new Map<string, (stream: OverlayStream) => OverlayStreamHandler | null>();
  readonly #watchers = new Set<OverlayPeerEvents>();
  readonly #topics = new Map<string, Set<(message: OverlayMessage) => void>>();
  /** By endpoint. */
  readonly #dials = new Map<string, Promise<OverlayPeer>>();
  readonly #seen = new Set<string>();
  #sequence = 0n;
  #listener: StreamListener | null = null;

  constructor(all: SimulatedOverlays, host: HostPorts, { isDhtServer = true }: SimulatedOverlayOptions) {
    this.#all = all;
    this.#host = host;
    this.isServer = isDhtServer;
    this.peer = peerOf(host.signatures.publicKeyOf(host.entropy.bytes(32)));
  }

  async start(): Promise<void> {
    this.#listener = await this.#host.tcp.listen({ address: null, port }, (stream) => {
      const connection = this.#connectionOver('in', null, (handler) => new OverlaySession(stream, handler));
      return {
        onBytes: (bytes) => connection.session.handleBytes(bytes),
        onClose: (error) => connection.session.handleClose(error),
      };
    });
    this.#all.nodes.set(this.peer, this);
  }

  async close(): Promise<void> {
    this.#all.nodes.delete(this.peer);
    for (const { session } of this.#connections.values()) session.close();
    await this.#listener?.close();
  }

  get protocols(): readonly string[] {
    return [...this.#handlers.keys()];
  }

  get addresses(): readonly OverlayAddress[] {
    return this.#host.host.addresses.map(
      (address) => `/${isIpv6(address) ? 'ip6' : 'ip4'}/${address}/tcp/${port}/p2p/${this.peer}`,
    );
  }

  get provider(): OverlayProvider {
    return { peer: this.peer, addresses: this.addresses };
  }

  get peers(): readonly OverlayPeerInfo[] {
    return [...this.#connections].map(([peer, { session, direction, protocols }]) => {
      const { address, port: theirs } = session.remote;
      return {
        peer,
        address: `/${isIpv6(address) ? 'ip6' : 'ip4'}/${address}/tcp/${theirs}`,
        direction,
        isRelayed: false,
        agent: 'simulated',
        protocols,
        latencyMs: null,
      };
    });
  }

  watch(events: OverlayPeerEvents): () => void {
    const watcher = { ...events };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  async connect(
    to: OverlayPeer | OverlayAddress,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<OverlayPeer> {
    signal?.throwIfAborted();
    const wanted = /(?:^|\/p2p\/)([1-9A-HJ-NP-Za-km-z]{40,})$/.exec(to)?.[1] ?? null;
    if (wanted !== null && this.#connections.has(wanted)) return wanted;
    const address = to.startsWith('/') ? to : this.#all.nodes.get(to)?.addresses[0];
    const endpoint = address === undefined ? null : tryEndpoint(address);
    if (endpoint === null || wanted === this.peer) throw dialError(to, 'nobody knows where it is');
    const name = formatEndpoint(endpoint);
    const dialling = this.#dials.get(name) ?? this.#dialEndpoint(endpoint, timeoutMs, { named: to, wanted });
    this.#dials.set(name, dialling);
    try {
      return await dialling;
    } catch (error) {
      // It came to us meanwhile.
      if (wanted !== null && this.#connections.has(wanted)) return wanted;
      throw error;
    } finally {
      this.#dials.delete(name);
    }
  }

  async disconnect(peer: OverlayPeer): Promise<void> {
    this.#connections.get(peer)?.session.close();
  }

  dial(
    to: OverlayPeer,
    protocols: readonly string[],
    options: { readonly timeoutMs: number; readonly acceptRelayed?: boolean },
    handler: OverlayStreamHandler,
  ): OverlayStream {
    let leave = (): void => {};
    const { clock } = this.#host;
    const stream = new SimulatedOverlayStream(to, protocols[0] ?? '', clock, () => {
      timer.cancel();
      leave();
    });
    const timer = clock.setTimer(options.timeoutMs, () => {
      if (stream.isOpening) stream.fail('timed out');
    });
    stream.setHandler(handler);
    this.connect(to, options).then(
      (peer) => {
        const connection = this.#connections.get(peer);
        if (connection === undefined) stream.fail('the connection is closed');
        if (connection === undefined || !stream.isOpening) return;
        const id = connection.nextStream;
        connection.nextStream += 2;
        connection.streams.set(id, stream);
        leave = () => void connection.streams.delete(id);
        stream.attach((kind, payload) => connection.session.send(id, kind, payload));
        connection.session.sendWords(id, frameKind.open, protocols);
      },
      (error: unknown) => stream.fail(error instanceof Error ? error.message : String(error)),
    );
    return stream;
  }

  handle(protocol: string, accept: (stream: OverlayStream) => OverlayStreamHandler | null): () => void {
    this.#handlers.set(protocol, accept);
    return () => void this.#handlers.delete(protocol);
  }

  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    checkTopic(topic);
    if (bytes.length > topicLimits.messageBytes)
      throw new NodeError('OVERLAY_TOPIC', 'The message is too large for a topic.', { op: 'publish' });
    const sequence = String(++this.#sequence);
    this.#spread({ kind: 'message', topic, from: this.peer, sequence, hex: toHex(bytes) });
  }

  subscribe(topic: string, onMessage: (message: OverlayMessage) => void): OverlaySubscription {
    checkTopic(topic);
    if (!this.#topics.has(topic) && this.#topics.size >= topicLimits.count)
      throw new NodeError('OVERLAY_TOPIC', 'There are too many topics already; leave one first.', {
        op: 'subscribe',
      });
    const listener = (message: OverlayMessage): void => onMessage(message);
    const listeners = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, listeners.add(listener));
    if (listeners.size === 1) this.#tellAll({ kind: 'topic', topic, isWanted: true });
    const connections = this.#connections;
    return {
      topic,
      get peers() {
        return [...connections].filter(([, { topics }]) => topics.has(topic)).map(([peer]) => peer);
      },
      close: () => {
        if (!listeners.delete(listener) || listeners.size > 0) return;
        this.#topics.delete(topic);
        this.#tellAll({ kind: 'topic', topic, isWanted: false });
      },
    };
  }

  provide(key: Uint8Array): Promise<number> {
    return this.#all.dht.provide(this, key);
  }

  find(
    key: Uint8Array,
    onProvider: (provider: OverlayProvider) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#all.dht.find(this, key, onProvider, signal);
  }

  subscribersOf(topic: string | null): readonly OverlayPeer[] {
    return [...this.#connections]
      .filter(([, { topics }]) => (topic === null ? topics.size > 0 : topics.has(topic)))
      .map(([peer]) => peer);
  }

  closest(
    key: Uint8Array,
    onAnswer: (from: OverlayPeer, closer: readonly OverlayProvider[]) => void,
  ): Promise<void> {
    return this.#all.dht.closest(this, key, onAnswer);
  }

  findPeer(peer: OverlayPeer): Promise<OverlayProvider | null> {
    return this.#all.dht.findPeer(peer);
  }

  putValue(key: Uint8Array, value: Uint8Array): Promise<number> {
    return this.#all.dht.putValue(this, key, value);
  }

  getValue(key: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | null> {
    return this.#all.dht.getValue(this, key, signal);
  }

  acceptRecords(namespace: string, rules: OverlayRecordRules): () => void {
    this.rules.set(namespace, rules);
    return () => void this.rules.delete(namespace);
  }

  #dialEndpoint(
    to: Endpoint,
    timeoutMs: number,
    { named, wanted }: { readonly named: string; readonly wanted: OverlayPeer | null },
  ): Promise<OverlayPeer> {
    return new Promise((resolve, reject) => {
      const fail = (reason: string): void => {
        this.#all.world.network.settled();
        reject(dialError(named, reason));
      };
      const connection = this.#connectionOver(
        'out',
        wanted,
        (handler) =>
          new OverlaySession(
            this.#host.tcp.dial(
              to,
              { timeoutMs },
              {
                onOpen: () => this.#sayHello(connection),
                onBytes: (bytes) => {
                  connection.session.handleBytes(bytes);
                  if (connection.peer === null) return;
                  this.#all.world.network.settled();
                  resolve(connection.peer);
                },
                onClose: (error) => {
                  connection.session.handleClose(error);
                  fail(error ?? 'it hung up');
                },
              },
            ),
            handler,
          ),
      );
    });
  }

  #connectionOver(
    direction: 'in' | 'out',
    wanted: OverlayPeer | null,
    make: (handler: ConstructorParameters<typeof OverlaySession>[1]) => OverlaySession,
  ): Connection {
    const session = make({
      onFrame: (stream, kind, payload) => this.#handleFrame(connection, stream, kind, payload),
      onClose: () => this.#handleClose(connection),
    });
    const connection: Connection = {
      session,
      wanted,
      direction,
      streams: new Map(),
      topics: new Set(),
      peer: null,
      protocols: [],
      nextStream: direction === 'out' ? 1 : 2,
    };
    return connection;
  }

  #sayHello({ session }: Connection): void {
    const hello: Words = {
      kind: 'hello',
      peer: this.peer,
      topics: [...this.#topics.keys()],
      protocols: [...this.#handlers.keys()],
    };
    session.sendWords(0, frameKind.words, hello);
  }

  #handleFrame(connection: Connection, id: number, kind: number, payload: Uint8Array): void {
    if (id === 0) this.#handleWords(connection, readWords<Words>(payload));
    else if (kind === frameKind.open) this.#accept(connection, id, readWords<string[]>(payload));
    else if (kind === frameKind.accept)
      connection.streams.get(id)?.markOpen(readWords<string>(payload), true);
    else connection.streams.get(id)?.handleFrame(kind, payload);
  }

  #handleWords(connection: Connection, words: Words): void {
    if (words.kind === 'topic') {
      if (words.isWanted) connection.topics.add(words.topic);
      else connection.topics.delete(words.topic);
    } else if (words.kind === 'message') this.#spread(words);
    else {
      const known = this.#connections.get(words.peer);
      // Of two that crossed, both sides keep the one that the smaller peer dialled.
      const isMine = connection.direction === 'out';
      const isOther = connection.wanted !== null && connection.wanted !== words.peer;
      if (isOther || (known !== undefined && isMine !== this.peer < words.peer)) {
        connection.session.close();
        return;
      }
      connection.peer = words.peer;
      connection.protocols = words.protocols;
      for (const topic of words.topics) connection.topics.add(topic);
      this.#connections.set(words.peer, connection);
      if (connection.direction === 'in') this.#sayHello(connection);
      known?.session.close();
      if (known === undefined)
        for (const watcher of [...this.#watchers]) watcher.onPeer(words.peer, words.protocols);
    }
  }

  #accept(connection: Connection, id: number, protocols: readonly string[]): void {
    const { peer, session, streams } = connection;
    // Nobody asks for a stream before it has said who it is.
    if (peer === null) {
      session.close();
      return;
    }
    const protocol = protocols.find((one) => this.#handlers.has(one)) ?? '';
    const stream = new SimulatedOverlayStream(
      peer,
      protocol,
      this.#host.clock,
      () => void streams.delete(id),
    );
    const handler = this.#handlers.get(protocol)?.(stream) ?? null;
    if (handler === null) {
      session.send(id, frameKind.reset, new Uint8Array(0));
      return;
    }
    streams.set(id, stream);
    stream.setHandler(handler);
    session.sendWords(id, frameKind.accept, protocol);
    stream.attach((kind, payload) => session.send(id, kind, payload));
    stream.markOpen(protocol, false);
  }

  #handleClose(connection: Connection): void {
    for (const stream of [...connection.streams.values()]) stream.fail('the connection is closed');
    const { peer } = connection;
    if (peer === null || this.#connections.get(peer) !== connection) return;
    this.#connections.delete(peer);
    for (const watcher of [...this.#watchers]) watcher.onPeerGone(peer);
  }

  #tellAll(words: Words): void {
    for (const { session } of this.#connections.values()) session.sendWords(0, frameKind.words, words);
  }

  /** To those of the topic who have not seen it, and to whoever listens here. */
  #spread(words: Words & { readonly kind: 'message' }): void {
    const name = `${words.from} ${words.sequence}`;
    if (this.#seen.has(name)) return;
    this.#seen.add(name);
    for (const { session, topics } of this.#connections.values())
      if (topics.has(words.topic)) session.sendWords(0, frameKind.words, words);
    const { topic, from, hex } = words;
    const message = { topic, from, bytes: tryFromHex(hex)!, sequence: BigInt(words.sequence) };
    this.#host.clock.setTimer(0, () => {
      for (const listener of [...(this.#topics.get(topic) ?? [])]) listener(message);
    });
  }
}

function tryEndpoint(address: OverlayAddress): Endpoint | null {
  const match = /^\/ip([46])\/([^/]+)\/tcp\/(\d+)(?:\/p2p\/[^/]+)?$/.exec(address);
  if (match === null) return null;
  return tryParseEndpoint(match[1] === '4' ? `${match[2]}:${match[3]}` : `[${match[2]}]:${match[3]}`);
}

function dialError(to: string, reason: string): NodeError {
  return new NodeError('OVERLAY_DIAL', `${to} cannot be reached: ${reason}.`, { op: 'dial', retry: true });
}

function checkTopic(topic: string): void {
  const { length } = encodeUtf8(topic);
  if (length > 0 && length <= topicLimits.nameBytes) return;
  throw new NodeError('OVERLAY_TOPIC', 'A topic has a name, and not too long a one.', { op: 'topic' });
}

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** As libp2p names an Ed25519 key: base58 of an identity multihash of its protobuf form. */
function peerOf(publicKey: Uint8Array): OverlayPeer {
  let value = BigInt(`0x${toHex(Uint8Array.from([0, 36, 8, 1, 18, 32, ...publicKey]))}`);
  let text = '';
  for (; value > 0n; value /= 58n) text = base58[Number(value % 58n)] + text;
  return `1${text}`;
}
