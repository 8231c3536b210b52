/** What a DHT node is asked to find, and what it wants done. */
import type { Endpoint, IpAddress } from '@tequio/kernel';
import type { AddressFamily } from '../../wire/compact-peers.ts';
import type { DhtItem } from '../../wire/dht-item.ts';
import type { NodeInfo } from '../../wire/dht-node-info.ts';

export type SearchRequest =
  /** The nodes nearest to a target. */
  | { readonly kind: 'nodes'; readonly target: Uint8Array }
  /** The peers of an info-hash (the first 20 bytes of a v2 one); with `announce` we become one of them. */
  | {
      readonly kind: 'peers';
      readonly target: Uint8Array;
      readonly announce: {
        readonly port: number;
        /** Let them take the port that our datagrams come from: right behind a router when both are one. */
        readonly impliedPort: boolean;
        readonly seed: boolean;
      } | null;
      /** Estimate how many there are (BEP 33). */
      readonly scrape: boolean;
      readonly noSeed: boolean;
    }
  /** An item; `salt` is what a mutable one must have been stored with. */
  | { readonly kind: 'get'; readonly target: Uint8Array; readonly salt: Uint8Array }
  | { readonly kind: 'put'; readonly item: DhtItem; readonly cas: bigint | null }
  /** Info-hashes that nodes on the way to the target keep (BEP 51). */
  | { readonly kind: 'sample'; readonly target: Uint8Array };

export type SearchReport = {
  readonly kind: SearchRequest['kind'];
  readonly target: Uint8Array;
  /** That answered, nearest first. */
  readonly nodes: readonly NodeInfo[];
  readonly queryCount: number;
  readonly answerCount: number;
  /** Answers between us and the nearest node, itself included. */
  readonly hopCount: number;
  readonly elapsedMs: number;
  /** Nodes that took the announcement or the item. */
  readonly storedCount: number;
  readonly peerCount: number;
  /** BEP 33; null: nobody gave an estimate. */
  readonly estimate: { readonly seedCount: number; readonly peerCount: number } | null;
  /** The item that was found, the newest of a mutable one; a `put` reports what it could not replace. */
  readonly item: DhtItem | null;
  readonly samples: readonly Uint8Array[];
  /** The last error that a node gave to a `put`. */
  readonly refusal: { readonly code: number; readonly text: string } | null;
};

export type DhtEffect =
  | { readonly type: 'send'; readonly bytes: Uint8Array; readonly to: Endpoint }
  /** Some peers of a search that goes on. `isFromLocal`: the node that gave them is local, so they may be. */
  | {
      readonly type: 'peers';
      readonly search: number;
      readonly peers: readonly Endpoint[];
      readonly isFromLocal: boolean;
    }
  | { readonly type: 'searched'; readonly search: number; readonly report: SearchReport }
  /** `node` null: it did not answer. */
  | {
      readonly type: 'pinged';
      readonly ping: number;
      readonly node: NodeInfo | null;
      readonly elapsedMs: number;
    }
  /** Others agree on how we are seen. */
  | { readonly type: 'address'; readonly family: AddressFamily; readonly address: IpAddress }
  /** There are contacts now where there were none: searches have something to begin with. */
  | { readonly type: 'ready'; readonly family: AddressFamily };
