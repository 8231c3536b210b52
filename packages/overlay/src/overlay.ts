/** The overlay's port over libp2p. Nothing of libp2p passes through. */
import type { Connection, IdentifyResult, PeerId } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { TCP } from '@multiformats/multiaddr-matcher';
import {
  assert,
  type Endpoint,
  type Log,
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
} from '@tequio/kernel';
import { ConnectionSlots } from './connection-slots.ts';
import { createHost, dhtsOf, type Host, type Inside, pubsubOf } from './host.ts';
import { peerOf } from './identity.ts';
import { limits } from './limits.ts';
import { MappedPorts } from './mapped-ports.ts';
import type { OverlayDeps, OverlayOptions } from './options.ts';
import { RecordStore } from './record-store.ts';
import { Routing } from './routing.ts';
import { Libp2pStream } from './stream.ts';
import { StunServer } from './stun-server.ts';
import { tryEndpointOf } from './tcp-addresses.ts';
import { Topics } from './topics.ts';

/** A question to the DHT ends after so long, whoever has not answered by then. */
const questionMs = 120_000;
const { perProtocol } = limits.streams;

export interface OverlayService extends OverlayPort {
  /** Listens, and dials who is known from before. @throws NodeError `NET_LISTEN` */
  start(): Promise<void>;
  close(): Promise<void>;
}

export function createOverlay(options: OverlayOptions, deps: OverlayDeps): OverlayService {
  return new Libp2pOverlay(options, deps);
}

type Running = { readonly host: Host; readonly topics: Topics; readonly routing: Routing };

type Said = { readonly agent: string | null; readonly protocols: readonly string[] };

class Libp2pOverlay implements OverlayService {
  readonly peer: OverlayPeer;
  readonly #options: OverlayOptions;
  readonly #deps: OverlayDeps;
  readonly #log: Log;
  readonly #store: RecordStore;
  readonly #watchers = new Set<OverlayPeerEvents>();
  /** By peer, of those that are connected: what they say that they are. */
  readonly #said = new Map<OverlayPeer, Said>();
  /** Ends what still waits when this is closed. */
  readonly #ending = new AbortController();
  #running: Running | null = null;
  #mapped: MappedPorts | null = null;
  #stun: StunServer | null = null;
  #slots: ConnectionSlots | null = null;
  #openingCount = 0;

  constructor(options: OverlayOptions, deps: OverlayDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#log = deps.ports.log;
    this.#store = new RecordStore(deps.database, deps.ports.clock);
    this.peer = peerOf(options.secretKey, deps.ports.signatures);
  }

  async start(): Promise<void> {
    assert(this.#running === null, 'an overlay is started once');
    this.#store.start();
    const inside: Inside = { addressManager: null, stunServers: () => this.#stunServers() };
    const host = await createHost(this.#options, this.#deps, this.#store, inside);
    host.addEventListener('peer:identify', ({ detail }) => this.#handleIdentify(detail));
    host.addEventListener('peer:disconnect', ({ detail }) => this.#handleGone(detail));
    const { admission } = this.#deps;
    if (admission !== undefined) {
      const slots = new ConnectionSlots(admission);
      host.addEventListener('connection:open', ({ detail }) => slots.handleOpen(detail));
      host.addEventListener('connection:close', ({ detail }) => slots.handleClose(detail));
      this.#slots = slots;
    }
    this.#running = {
      host,
      topics: new Topics(pubsubOf(host)),
      routing: new Routing(dhtsOf(host), {
        host,
        hashes: this.#deps.ports.hashes,
        clock: this.#deps.ports.clock,
        randomBytes: (count) => this.#deps.ports.entropy.bytes(count),
      }),
    };
    await host.start();
    this.#log.info('overlay.started', { peer: this.peer });
    const { portMapping } = this.#deps;
    if (portMapping !== undefined && inside.addressManager !== null) {
      this.#mapped = new MappedPorts(portMapping, inside.addressManager);
      this.#mapped.start(host.getMultiaddrs());
    }
    if (this.#options.relayServer && this.#deps.isBound !== true) await this.#startStun(host);
    void this.#dialKnown(host);
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#mapped?.close();
    await this.#stun?.close();
    this.#running?.routing.close();
    await this.#running?.host.stop();
    this.#slots?.close();
    this.#running = null;
    this.#store.close();
  }

  get addresses(): readonly OverlayAddress[] {
    return this.#running?.host.getMultiaddrs().map((address) => address.toString()) ?? [];
  }

  get protocols(): readonly string[] {
    return this.#running?.host.getProtocols() ?? [];
  }

  get peers(): readonly OverlayPeerInfo[] {
    return this.#running?.host.getConnections().map((connection) => this.#infoOf(connection)) ?? [];
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
    const target = tryTarget(to);
    if (target === null)
      throw new NodeError('OVERLAY_DIAL', `"${to}" is neither a peer nor an address of one.`, { op: 'dial' });
    try {
      const connection = await this.#host.dial(target, { signal: this.#signal(timeoutMs, signal) });
      return connection.remotePeer.toString();
    } catch (cause) {
      signal?.throwIfAborted();
      throw new NodeError('OVERLAY_DIAL', `${to} cannot be reached: ${reasonOf(cause)}.`, {
        op: 'dial',
        retry: true,
        cause,
      });
    }
  }

  async disconnect(peer: OverlayPeer): Promise<void> {
    const target = tryPeerId(peer);
    if (target !== null) await this.#host.hangUp(target);
  }

  dial(
    to: OverlayPeer,
    protocols: readonly string[],
    options: { readonly timeoutMs: number; readonly acceptRelayed?: boolean },
    handler: OverlayStreamHandler,
  ): OverlayStream {
    const giveUp = new AbortController();
    const stream = new Libp2pStream(to, protocols[0] ?? '', () => giveUp.abort());
    stream.setHandler(handler);
    const target = tryPeerId(to);
    if (target === null) stream.handleFailure(`"${to}" is no peer`);
    else if (this.#openingCount >= limits.streams.opening)
      stream.handleFailure('too many streams are being opened');
    else void this.#open(stream, target, protocols, options, giveUp.signal);
    return stream;
  }

  handle(protocol: string, accept: (stream: OverlayStream) => OverlayStreamHandler | null): () => void {
    const host = this.#host;
    // What fails here is a protocol that is answered already: our own mistake, which the assertion names.
    const done = host.handle(
      protocol,
      (stream, connection) => {
        const accepted = new Libp2pStream(connection.remotePeer.toString(), protocol);
        const handler = accept(accepted);
        if (handler === null) return stream.abort(new Error('refused'));
        accepted.setHandler(handler);
        accepted.handleOpen(stream, { isRelayed: isRelayed(connection), isDialled: false });
      },
      { maxInboundStreams: perProtocol, maxOutboundStreams: perProtocol, runOnLimitedConnection: true },
    );
    done.catch((error: unknown) => this.#log.error('overlay.handle', { protocol, reason: reasonOf(error) }));
    return () => void host.unhandle(protocol).catch(() => {});
  }

  publish(topic: string, bytes: Uint8Array): Promise<void> {
    return this.#must.topics.publish(topic, bytes);
  }

  subscribe(topic: string, onMessage: (message: OverlayMessage) => void): OverlaySubscription {
    return this.#must.topics.subscribe(topic, onMessage);
  }

  subscribersOf(topic: string | null): readonly OverlayPeer[] {
    return this.#must.topics.subscribersOf(topic);
  }

  provide(key: Uint8Array, signal?: AbortSignal): Promise<number> {
    return this.#ask(signal, (routing, until) => routing.provide(key, until));
  }

  find(
    key: Uint8Array,
    onProvider: (provider: OverlayProvider) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#ask(signal, (routing, until) => routing.find(key, onProvider, until));
  }

  closest(
    key: Uint8Array,
    onAnswer: (from: OverlayPeer, closer: readonly OverlayProvider[]) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    return this.#ask(signal, (routing, until) => routing.closest(key, onAnswer, until));
  }

  async findPeer(peer: OverlayPeer, signal?: AbortSignal): Promise<OverlayProvider | null> {
    const target = tryPeerId(peer);
    if (target === null) return null;
    const [connection] = this.#host.getConnections(target);
    if (connection !== undefined) return { peer, addresses: [connection.remoteAddr.toString()] };
    return this.#ask(signal, (routing, until) => routing.findPeer(target, until));
  }

  putValue(key: Uint8Array, value: Uint8Array, signal?: AbortSignal): Promise<number> {
    return this.#ask(signal, (routing, until) => routing.putValue(key, value, until));
  }

  getValue(key: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | null> {
    return this.#ask(signal, (routing, until) => routing.getValue(key, until));
  }

  acceptRecords(namespace: string, rules: OverlayRecordRules): () => void {
    const { routing } = this.#must;
    routing.setRules(namespace, rules);
    return () => routing.setRules(namespace, null);
  }

  get #must(): Running {
    assert(this.#running !== null, 'the overlay is started before it is used');
    return this.#running;
  }

  get #host(): Host {
    return this.#must.host;
  }

  async #ask<Answer>(
    signal: AbortSignal | undefined,
    question: (routing: Routing, until: AbortSignal) => Promise<Answer>,
  ): Promise<Answer> {
    const answer = await question(this.#must.routing, this.#signal(questionMs, signal));
    signal?.throwIfAborted();
    return answer;
  }

  async #open(
    stream: Libp2pStream,
    target: PeerId,
    protocols: readonly string[],
    { timeoutMs, acceptRelayed = false }: { readonly timeoutMs: number; readonly acceptRelayed?: boolean },
    giveUp: AbortSignal,
  ): Promise<void> {
    const host = this.#host;
    this.#openingCount++;
    try {
      const opened = await host.dialProtocol(target, [...protocols], {
        signal: this.#signal(timeoutMs, giveUp),
        runOnLimitedConnection: acceptRelayed,
        maxOutboundStreams: perProtocol,
      });
      const connection = host.getConnections(target).find(({ streams }) => streams.includes(opened));
      stream.handleOpen(opened, {
        isRelayed: connection !== undefined && isRelayed(connection),
        isDialled: true,
      });
    } catch (error) {
      stream.handleFailure(reasonOf(error));
    } finally {
      this.#openingCount--;
    }
  }

  #signal(timeoutMs: number, signal?: AbortSignal): AbortSignal {
    const signals = [this.#ending.signal, AbortSignal.timeout(timeoutMs)];
    return AbortSignal.any(signal === undefined ? signals : [...signals, signal]);
  }

  #handleIdentify({ peerId, agentVersion, protocols }: IdentifyResult): void {
    const peer = peerId.toString();
    // It may have gone while it spoke.
    if (this.#running === null || this.#running.host.getConnections(peerId).length === 0) return;
    const isNew = !this.#said.has(peer);
    this.#said.set(peer, { agent: agentVersion?.slice(0, agentLengthMax) ?? null, protocols });
    if (isNew) for (const watcher of [...this.#watchers]) watcher.onPeer(peer, protocols);
  }

  #handleGone(peerId: PeerId): void {
    const peer = peerId.toString();
    if (!this.#said.delete(peer)) return;
    for (const watcher of [...this.#watchers]) watcher.onPeerGone(peer);
  }

  #infoOf(connection: Connection): OverlayPeerInfo {
    const peer = connection.remotePeer.toString();
    const said = this.#said.get(peer);
    return {
      peer,
      address: connection.remoteAddr.toString(),
      direction: connection.direction === 'inbound' ? 'in' : 'out',
      isRelayed: isRelayed(connection),
      agent: said?.agent ?? null,
      protocols: said?.protocols ?? [],
      latencyMs: connection.rtt ?? null,
    };
  }

  /** Relays that this node has dialled: they answer on the UDP port of the same number (stun-server.ts). */
  #stunServers(): readonly Endpoint[] {
    const connections = this.#running?.host.getConnections() ?? [];
    return connections
      .filter(({ direction, remotePeer, limits: relayed }) => {
        const said = this.#said.get(remotePeer.toString());
        return (
          direction === 'outbound' &&
          relayed === undefined &&
          said?.protocols.includes(relayProtocol) === true
        );
      })
      .flatMap(({ remoteAddr }) => (TCP.matches(remoteAddr) ? (tryEndpointOf(remoteAddr) ?? []) : []))
      .slice(0, limits.relay.stunServers);
  }

  async #startStun(host: Host): Promise<void> {
    const own = host.getMultiaddrs().find((address) => TCP.matches(address));
    const port = own === undefined ? undefined : tryEndpointOf(own)?.port;
    if (port === undefined) return;
    const stun = new StunServer(this.#deps.ports.udp, this.#deps.ports.clock);
    try {
      await stun.start(port);
      this.#stun = stun;
    } catch (error) {
      this.#log.warn('overlay.stun', { port, reason: reasonOf(error) });
    }
  }

  /** Those of the last run, some at a time, until enough are there; and whom the user named. */
  async #dialKnown(host: Host): Promise<void> {
    const signal = this.#ending.signal;
    for (const address of this.#options.bootstrap) {
      const target = tryTarget(address);
      if (target !== null) void host.dial(target, { signal }).catch(() => {});
    }
    const { dialledAtStart, enoughAtStart } = limits.peers;
    try {
      for (const { id } of await host.peerStore.all({ limit: dialledAtStart })) {
        if (signal.aborted || host.getConnections().length >= enoughAtStart) return;
        await host.dial(id, { signal }).catch(() => {});
      }
    } catch {
      // Closed meanwhile.
    }
  }
}

/** Of whoever lets others be reached through it. Source: libp2p specs, circuit-v2. */
const relayProtocol = '/libp2p/circuit/relay/0.2.0/hop';
/** A peer wrote it: shown to people, who read no more. */
const agentLengthMax = 200;

/** With the limits of somebody else's relay. */
function isRelayed(connection: Connection): boolean {
  return connection.limits !== undefined;
}

function tryPeerId(text: string): PeerId | null {
  try {
    return peerIdFromString(text);
  } catch {
    return null;
  }
}

function tryTarget(text: string): PeerId | Multiaddr | null {
  if (!text.startsWith('/')) return tryPeerId(text);
  try {
    return multiaddr(text);
  } catch {
    return null;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  // libp2p rejects with events where a stream closes while something waits for it.
  return error instanceof Error ? error.message : 'the connection is closed';
}
