import type { Clock, Fault, Log, OverlayPort } from '@tequio/kernel';
import type { RateLimiter } from '@tequio/network';
import type { BlockNamer } from './block-name.ts';
import type { FindProviders } from './provider-search.ts';

/** What the server half may give away. CIDs as bytes. */
export interface BitswapStore {
  /** Bytes of each block; null: not here. */
  sizes(cids: readonly Uint8Array[]): Promise<readonly (number | null)[]>;
  /** Verified bytes; null: not here (any more). */
  read(cid: Uint8Array): Promise<Uint8Array | null>;
}

export type BitswapRates = { readonly down: RateLimiter; readonly up: RateLimiter };

export type BitswapDeps = {
  readonly overlay: OverlayPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: BitswapStore;
  /** Computes blocks' names; see {@link BlockNamer}. */
  readonly namer: BlockNamer;
  readonly findProviders: FindProviders;
  /** False: this node refuses to give it away (blocked content), and answers as if it were not here. */
  readonly maySend?: (cid: Uint8Array) => boolean;
  /** Limits on everything that is said and heard, wants and envelopes too. Absent: none. */
  readonly rates?: BitswapRates;
  readonly onFault?: (peer: string, fault: Fault) => void;
  /** The sum of its faults is too high: it was disconnected, and is not spoken with for an hour. */
  readonly onBan?: (peer: string) => void;
};
