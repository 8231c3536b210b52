/** The part of the contract that is about the DHT: plain data in, plain data out, browser-safe. */

/** A node of the DHT: its id, and `address:port`. */
export type DhtNodeSnapshot = { readonly id: string; readonly endpoint: string };

/** How this node stands in the DHT. */
export type DhtStatus = {
  /** UDP port, shared with uTP. */
  readonly port: number;
  readonly families: readonly {
    readonly family: 4 | 6;
    readonly id: string;
    readonly contactCount: number;
    /** As other nodes agree to see us; null: not known yet. */
    readonly externalAddress: string | null;
    /** Our UDP port as the latest of them saw it, one entry a network: different ones behind a symmetric NAT. */
    readonly portsSeen: readonly number[];
  }[];
  /** Datagrams, queries of others answered, and not answered because the budget for that was spent. */
  readonly receivedCount: number;
  readonly answeredCount: number;
  readonly droppedCount: number;
  /** What is kept for others. */
  readonly storedHashCount: number;
  readonly storedPeerCount: number;
  readonly storedItemCount: number;
};

/** What a search through the DHT came to. */
export type DhtSearch = {
  readonly target: string;
  /** Those nearest to the target that answered, nearest first. */
  readonly nodes: readonly DhtNodeSnapshot[];
  readonly queryCount: number;
  readonly answerCount: number;
  /** Nodes between us and the nearest one, that one included. */
  readonly hopCount: number;
  readonly elapsedMs: number;
};

/** An item that the DHT keeps (BEP 44). `value` is bencoded. */
export type DhtItemSnapshot = {
  readonly value: Uint8Array;
  /** Of mutable items; else null. */
  readonly publicKey: string | null;
  readonly salt: Uint8Array | null;
  readonly sequence: bigint | null;
};

export type DhtPutOptions = {
  /** Bencoded, at most 1000 bytes. */
  readonly value: Uint8Array;
  /** 32 bytes: signs a mutable item. Null: an immutable one, stored under its hash. */
  readonly secretKey: Uint8Array | null;
  readonly salt?: Uint8Array;
  /** Null: one more than what is stored. */
  readonly sequence?: bigint | null;
  /** Replace only the item with this sequence number. */
  readonly cas?: bigint | null;
};

/** A torrent that changes has changed: which one it is now (BEP 46). */
export type MutableUpdate = { readonly infoHash: string; readonly sequence: bigint };

export type PublishedTorrent = {
  readonly publicKey: string;
  readonly sequence: bigint;
  /** Nodes that keep it. */
  readonly storedCount: number;
};

/** Questions to the DHT. Hashes, ids and keys are hex. All throw NodeError `BITTORRENT_DHT_CLOSED` at the end. */
export interface DhtApi {
  /** Null: not started, or no network. */
  status(): DhtStatus | null;
  /** True as soon as there is somebody to ask; false after so many milliseconds. */
  ready(timeoutMs: number): Promise<boolean>;
  /** Null: no answer. @throws NodeError `NET_RESOLVE`, `BITTORRENT_DHT_TARGET` */
  ping(hostPort: string): Promise<(DhtNodeSnapshot & { readonly elapsedMs: number }) | null>;
  /** Peers of an info-hash, and an estimate of how many there are (BEP 33; null: nobody knows). */
  lookup(infoHash: string): Promise<
    DhtSearch & {
      readonly peers: readonly string[];
      readonly estimate: { readonly seedCount: number; readonly peerCount: number } | null;
    }
  >;
  /** @param target of 40 digits, or a public key of 64 */
  get(target: string, salt?: Uint8Array): Promise<DhtSearch & { readonly item: DhtItemSnapshot | null }>;
  /** `storedCount` 0: nobody took it; `refusal` then says why, if anybody did. */
  put(options: DhtPutOptions): Promise<
    DhtSearch & {
      readonly storedCount: number;
      readonly item: DhtItemSnapshot;
      readonly refusal: string | null;
    }
  >;
  /** Info-hashes that nodes on the way to a target keep (BEP 51); null: a target by chance. */
  sample(target: string | null): Promise<DhtSearch & { readonly infoHashes: readonly string[] }>;
  /** Says which torrent (v1 info-hash) is the present one of a key (32 bytes) and salt, and keeps saying it. */
  publish(secretKey: Uint8Array, salt: Uint8Array, infoHash: string): Promise<PublishedTorrent>;
  /**
   * Calls back with the present torrent of a public key (32 bytes) and salt, and again when it is another one.
   * @param pollMs between two looks; by default a minute
   * @returns ends it
   */
  follow(
    publicKey: Uint8Array,
    salt: Uint8Array,
    updated: (update: MutableUpdate) => void,
    pollMs?: number,
  ): () => void;
}
