/**
 * A small overlay in virtual time: streams with latency and a rate, provider records in one shared table. It is what
 * simulations of this package stand on; what the port promises is tested in packages/overlay.
 */
import {
  type Clock,
  NodeError,
  type OverlayMessage,
  type OverlayPeer,
  type OverlayPeerEvents,
  type OverlayPort,
  type OverlayStream,
  type OverlayStreamHandler,
  toHex,
} from '@tequio/kernel';

export type TwinOptions = { readonly latencyMs?: number; readonly bytesPerSecond?: number };

const highWaterBytes = 256 * 1024;

/** All nodes of one simulated world. */
export class OverlayTwins {
  readonly clock: Clock;
  readonly nodes = new Map<OverlayPeer, OverlayTwin>();
  readonly providers = new Map<string, Set<OverlayPeer>>();
  readonly values = new Map<string, Uint8Array>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(peer: OverlayPeer, options: TwinOptions = {}): OverlayTwin {
    const node = new OverlayTwin(this, peer, options);
    this.nodes.set(peer, node);
    return node;
  }
}

/** One direction of a stream: bytes leave at the sender's rate and arrive after the latency, in order. */
class TwinStream implements OverlayStream {
  readonly peer: OverlayPeer;
  readonly protocol: string;
  readonly isRelayed = false;
  queuedBytes = 0;
  other: TwinStream | null = null;
  handler: OverlayStreamHandler | null = null;
  isClosed = false;
  hasEnded = false;
  heardEnd = false;
  #wasFull = false;
  #paused: Uint8Array[] | null = null;
  readonly #owner: OverlayTwin;

  constructor(owner: OverlayTwin, peer: OverlayPeer, protocol: string) {
    this.#owner = owner;
    this.peer = peer;
    this.protocol = protocol;
  }

  write(bytes: Uint8Array): boolean {
    if (this.isClosed || this.hasEnded) return true;
    this.queuedBytes += bytes.length;
    this.#owner.transmit(bytes.length, () => {
      this.#owner.carried.up += bytes.length;
      this.queuedBytes -= bytes.length;
      this.#owner.later(() => this.other?.receive(bytes));
      if (!this.#wasFull || this.queuedBytes > highWaterBytes / 2) return;
      this.#wasFull = false;
      if (!this.isClosed) this.handler?.onDrain?.();
    });
    this.#wasFull ||= this.queuedBytes >= highWaterBytes;
    return !this.#wasFull;
  }

  receive(bytes: Uint8Array): void {
    if (this.isClosed) return;
    if (this.#paused !== null) this.#paused.push(bytes);
    else {
      this.#owner.carried.down += bytes.length;
      this.handler?.onBytes(bytes);
    }
  }

  pause(): void {
    this.#paused ??= [];
  }

  resume(): void {
    const waiting = this.#paused ?? [];
    this.#paused = null;
    for (const bytes of waiting) this.receive(bytes);
  }

  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#owner.transmit(0, () =>
      this.#owner.later(() => {
        const { other } = this;
        other?.handler?.onEnd?.();
        if (other !== null) other.heardEnd = true;
        // Both ends have arrived: nothing is on its way any more.
        if (other !== null && this.heardEnd) {
          other.close(null);
          this.close(null);
        }
      }),
    );
  }

  reset(): void {
    this.#owner.later(() => this.other?.close('reset'), 0);
    this.#owner.later(() => this.close('reset'), 0);
  }

  close(error: string | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.handler?.onClose(error);
  }
}

/** One node. */
export class OverlayTwin implements OverlayPort {
  readonly peer: OverlayPeer;
  readonly addresses: readonly string[] = [];
  readonly #twins: OverlayTwins;
  readonly #latencyMs: number;
  readonly #bytesPerSecond: number;
  readonly #handlers = new Map<string, (stream: OverlayStream) => OverlayStreamHandler | null>();
  readonly #watchers = new Set<OverlayPeerEvents>();
  readonly #connected = new Map<OverlayPeer, Set<TwinStream>>();
  readonly #topics = new Map<string, Set<(message: OverlayMessage) => void>>();
  #freeMs = 0;
  #sequence = 0n;
  isUp = true;
  /** Bytes of all streams: read, and sent. */
  readonly carried = { down: 0, up: 0 };

  constructor(twins: OverlayTwins, peer: OverlayPeer, options: TwinOptions) {
    this.#twins = twins;
    this.peer = peer;
    this.#latencyMs = options.latencyMs ?? 20;
    this.#bytesPerSecond = options.bytesPerSecond ?? 12_500_000;
  }

  get peers(): OverlayPort['peers'] {
    return [...this.#connected.keys()].map((peer) => ({
      peer,
      address: `/memory/${peer}`,
      direction: 'out' as const,
      isRelayed: false,
      agent: null,
      protocols: this.#twins.nodes.get(peer)?.protocols ?? [],
      latencyMs: null,
    }));
  }

  get protocols(): readonly string[] {
    return [...this.#handlers.keys()];
  }

  /** Calls back when the line has carried so many more bytes. */
  transmit(bytes: number, done: () => void): void {
    const nowMs = this.#twins.clock.nowMs();
    this.#freeMs = Math.max(nowMs, this.#freeMs) + (1000 * bytes) / this.#bytesPerSecond;
    this.#twins.clock.setTimer(this.#freeMs - nowMs, done);
  }

  later(run: () => void, delayMs = this.#latencyMs): void {
    this.#twins.clock.setTimer(delayMs, run);
  }

  watch(events: OverlayPeerEvents): () => void {
    this.#watchers.add(events);
    return () => void this.#watchers.delete(events);
  }

  async connect(to: OverlayPeer): Promise<OverlayPeer> {
    const peer = to.split('/').at(-1)!;
    const other = this.#twins.nodes.get(peer);
    await new Promise<void>((resolve) => this.later(resolve, 2 * this.#latencyMs));
    if (other === undefined || !other.isUp || !this.isUp)
      throw new NodeError('OVERLAY_DIAL', `No way to ${peer}.`);
    if (this.#connected.has(peer)) return peer;
    this.#meet(other);
    other.#meet(this);
    return peer;
  }

  #meet(other: OverlayTwin): void {
    this.#connected.set(other.peer, new Set());
    for (const watcher of this.#watchers) watcher.onPeer(other.peer, other.protocols);
  }

  async disconnect(peer: OverlayPeer): Promise<void> {
    const other = this.#twins.nodes.get(peer);
    if (other !== undefined) other.#part(this.peer);
    this.#part(peer);
  }

  #part(peer: OverlayPeer): void {
    const streams = this.#connected.get(peer);
    if (streams === undefined) return;
    this.#connected.delete(peer);
    for (const stream of streams) stream.close('gone');
    for (const watcher of this.#watchers) watcher.onPeerGone(peer);
  }

  /** The machine is switched off. */
  async leave(): Promise<void> {
    this.isUp = false;
    for (const peer of [...this.#connected.keys()]) await this.disconnect(peer);
  }

  dial(
    to: OverlayPeer,
    protocols: readonly string[],
    _options: object,
    handler: OverlayStreamHandler,
  ): OverlayStream {
    const other = this.#twins.nodes.get(to);
    const protocol = protocols.find((name) => other?.protocols.includes(name)) ?? '';
    const mine = new TwinStream(this, to, protocol);
    mine.handler = handler;
    this.later(() => {
      if (other === undefined || protocol === '' || !this.#connected.has(to))
        return mine.close('no such peer');
      const theirs = new TwinStream(other, this.peer, protocol);
      theirs.handler = other.#handlers.get(protocol)!(theirs);
      if (theirs.handler === null) return mine.close('refused');
      mine.other = theirs;
      theirs.other = mine;
      this.#connected.get(to)?.add(mine);
      other.#connected.get(this.peer)?.add(theirs);
      handler.onOpen?.();
    });
    return mine;
  }

  handle(protocol: string, accept: (stream: OverlayStream) => OverlayStreamHandler | null): () => void {
    this.#handlers.set(protocol, accept);
    return () => void this.#handlers.delete(protocol);
  }

  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    const message: OverlayMessage = { topic, from: this.peer, bytes, sequence: ++this.#sequence };
    for (const node of this.#twins.nodes.values())
      for (const listener of node.#topics.get(topic) ?? []) this.later(() => listener(message));
  }

  subscribe(
    topic: string,
    onMessage: (message: OverlayMessage) => void,
  ): ReturnType<OverlayPort['subscribe']> {
    const listeners = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, listeners.add(onMessage));
    const followers = (): OverlayPeer[] =>
      [...this.#connected.keys()].filter((peer) => this.#twins.nodes.get(peer)?.follows(topic) === true);
    return {
      topic,
      get peers() {
        return followers();
      },
      close: () => void listeners.delete(onMessage),
    };
  }

  follows(topic: string): boolean {
    return (this.#topics.get(topic)?.size ?? 0) > 0;
  }

  async provide(key: Uint8Array): Promise<number> {
    const providers = this.#twins.providers.get(toHex(key)) ?? new Set();
    this.#twins.providers.set(toHex(key), providers.add(this.peer));
    return 20;
  }

  async find(key: Uint8Array, onProvider: Parameters<OverlayPort['find']>[1]): Promise<void> {
    await new Promise<void>((resolve) => this.later(resolve, 10 * this.#latencyMs));
    for (const peer of this.#twins.providers.get(toHex(key)) ?? []) onProvider({ peer, addresses: [] });
  }

  subscribersOf(): readonly OverlayPeer[] {
    return [];
  }

  async closest(): Promise<void> {}

  async findPeer(peer: OverlayPeer): ReturnType<OverlayPort['findPeer']> {
    return this.#twins.nodes.has(peer) ? { peer, addresses: [] } : null;
  }

  async putValue(key: Uint8Array, value: Uint8Array): Promise<number> {
    this.#twins.values.set(toHex(key), value);
    return 20;
  }

  async getValue(key: Uint8Array): Promise<Uint8Array | null> {
    return this.#twins.values.get(toHex(key)) ?? null;
  }

  acceptRecords(): () => void {
    return () => undefined;
  }
}
