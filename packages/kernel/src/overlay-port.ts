/**
 * The overlay as the networks on top of it see it: peers by the hash of their key, streams by protocol name, topics,
 * and records of who has what. `overlay` implements it over libp2p, `simulator` over its own network; both pass one
 * compliance suite. Nothing of libp2p's own types passes through here.
 */

/** A peer id as text: base58 of its multihash (`12D3KooW…`, `Qm…`). Source: libp2p specs, peer-ids. */
export type OverlayPeer = string;

/** A multiaddr as text (`/ip4/192.0.2.1/tcp/4001`), with or without `/p2p/` and the peer at its end. */
export type OverlayAddress = string;

/** A reliable, ordered stream of bytes to one peer, of one protocol, encrypted. */
export interface OverlayStream {
  readonly peer: OverlayPeer;
  readonly protocol: string;
  /** The connection goes through somebody's relay, with its limits of time and bytes. */
  readonly isRelayed: boolean;
  /** Queues bytes, which are given away. False: the queue is long, wait for `onDrain` before more. */
  write(bytes: Uint8Array): boolean;
  /** Bytes that `write` was given and the connection has not taken yet. */
  readonly queuedBytes: number;
  pause(): void;
  resume(): void;
  /** Nothing more is written; what is queued is still sent, and the other side may go on. */
  end(): void;
  /** Closes both ways at once. `onClose` follows, never from inside this call. */
  reset(): void;
}

export interface OverlayStreamHandler {
  /** Outgoing streams only: the protocol is agreed on. */
  onOpen?(): void;
  /** `bytes` are borrowed until this returns. */
  onBytes(bytes: Uint8Array): void;
  onDrain?(): void;
  /** The other side writes nothing more. */
  onEnd?(): void;
  /** Once, last; also when a dial fails. `error` is null after an orderly end by both sides. */
  onClose(error: string | null): void;
}

export type OverlayMessage = {
  readonly topic: string;
  /** Who made it, as its signature proves. */
  readonly from: OverlayPeer;
  readonly bytes: Uint8Array;
  readonly sequence: bigint;
};

export interface OverlaySubscription {
  readonly topic: string;
  /** Peers that subscribe too, as far as is known. */
  readonly peers: readonly OverlayPeer[];
  close(): void;
}

export type OverlayProvider = { readonly peer: OverlayPeer; readonly addresses: readonly OverlayAddress[] };

export type OverlayPeerInfo = {
  readonly peer: OverlayPeer;
  readonly address: OverlayAddress;
  readonly direction: 'in' | 'out';
  readonly isRelayed: boolean;
  /** What it says that it is (identify); null: not said yet. A peer wrote it. */
  readonly agent: string | null;
  readonly protocols: readonly string[];
  readonly latencyMs: number | null;
};

export type OverlayPeerEvents = {
  /** The first connection to this peer is open, and it has said what it speaks. */
  onPeer(peer: OverlayPeer, protocols: readonly string[]): void;
  /** The last one is closed. */
  onPeerGone(peer: OverlayPeer): void;
};

/** How records of one namespace are told apart: the true from the false, the newer from the older. */
export type OverlayRecordRules = {
  /** Whether the value is what the key says, by its signature. Somebody else made both. */
  isValid(key: Uint8Array, value: Uint8Array): boolean | Promise<boolean>;
  /** Index of the best of valid values (at least one). */
  pickBest(key: Uint8Array, values: readonly Uint8Array[]): number;
};

export interface OverlayPort {
  readonly peer: OverlayPeer;
  /** Where others reach this node, as far as is known. */
  readonly addresses: readonly OverlayAddress[];
  readonly peers: readonly OverlayPeerInfo[];
  /** What this node answers. */
  readonly protocols: readonly string[];
  /** Connections come and go; returns what ends this. */
  watch(events: OverlayPeerEvents): () => void;
  /** Connects, if need be by asking others where the peer is. @throws NodeError `OVERLAY_DIAL` */
  connect(
    to: OverlayPeer | OverlayAddress,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<OverlayPeer>;
  disconnect(peer: OverlayPeer): Promise<void>;
  /** A stream of the first of `protocols` that the peer speaks; `onOpen` or `onClose` follows, never from inside. */
  dial(
    to: OverlayPeer,
    protocols: readonly string[],
    options: { readonly timeoutMs: number; readonly acceptRelayed?: boolean },
    handler: OverlayStreamHandler,
  ): OverlayStream;
  /** Answers a protocol; `accept` returns the stream's handler, or null to refuse it. Returns what ends this. */
  handle(protocol: string, accept: (stream: OverlayStream) => OverlayStreamHandler | null): () => void;
  /**
   * Signed by this node, to all who subscribe, this node too.
   * @throws NodeError `OVERLAY_TOPIC` when too many topics or too large
   */
  publish(topic: string, bytes: Uint8Array): Promise<void>;
  /** @throws NodeError `OVERLAY_TOPIC` */
  subscribe(topic: string, onMessage: (message: OverlayMessage) => void): OverlaySubscription;
  /** Connected peers that subscribe to a topic, as far as is known, also where this node does not; null: to any. */
  subscribersOf(topic: string | null): readonly OverlayPeer[];
  /** Tells the DHT that this node has `key` (a multihash). Resolves to the number of peers that took the record. */
  provide(key: Uint8Array, signal?: AbortSignal): Promise<number>;
  /** Who has `key` (a multihash), as it is learned; resolves when nobody else is left to ask. */
  find(key: Uint8Array, onProvider: (provider: OverlayProvider) => void, signal?: AbortSignal): Promise<void>;
  /** Asks those who are nearest to `key` (any bytes) who is still nearer, as they answer, until nobody is. */
  closest(
    key: Uint8Array,
    onAnswer: (from: OverlayPeer, closer: readonly OverlayProvider[]) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Where a peer is. Null: nobody knows. */
  findPeer(peer: OverlayPeer, signal?: AbortSignal): Promise<OverlayProvider | null>;
  /**
   * Signed records by key (`/ipns/…`, `/pk/…`); who stores and who reads both check them, by rules that
   * `acceptRecords` was given (`/pk/` is known). Resolves to the number of peers that took it.
   * @throws NodeError `OVERLAY_RECORD` when too large, or of a namespace without rules, or not valid by them
   */
  putValue(key: Uint8Array, value: Uint8Array, signal?: AbortSignal): Promise<number>;
  getValue(key: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | null>;
  /** From now on records of this namespace (`ipns`) are asked for, checked, kept for others. Returns what ends it. */
  acceptRecords(namespace: string, rules: OverlayRecordRules): () => void;
}
