import type { Clock, Fault, Log, OverlayPort } from '@tequio/kernel';
import type { Allowance } from '../core/bitswap-server.ts';
import type { BlockNamer } from './block-name.ts';
import type { FindProviders } from './provider-search.ts';

/** What the server half may give away. CIDs as bytes. */
export interface BitswapStore {
  /** Bytes of each block; null: not here. */
  sizes(cids: readonly Uint8Array[]): Promise<readonly (number | null)[]>;
  /** Verified bytes; null: not here (any more). */
  read(cid: Uint8Array): Promise<Uint8Array | null>;
}

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
  /** Upload limits by peer. */
  readonly upload?: (peer: string) => Allowance;
  /** Bytes that came, before they are looked at: counted against the download limit; null: none. */
  readonly download?: { charge(bytes: number, nowMs: number): void; nextMs(nowMs: number): number };
  readonly onFault?: (peer: string, fault: Fault) => void;
  /** The sum of its faults is too high: it was disconnected, and is not spoken with for an hour. */
  readonly onBan?: (peer: string) => void;
};
