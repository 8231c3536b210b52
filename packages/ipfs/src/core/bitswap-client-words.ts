/** What the client of bitswap is told, and what it says. */
import type { Fault } from '@tequio/kernel';
import type { BitswapEntry, BitswapPresence } from '../wire/bitswap-message.ts';

/** A block as it came: its name was computed from its bytes. */
export type NamedBlock = { readonly cid: Uint8Array; readonly bytes: Uint8Array };

export type BitswapClientInput =
  /** Sessions are made by their first want. */
  | { readonly type: 'want'; readonly session: number; readonly cids: readonly Uint8Array[] }
  | { readonly type: 'unwant'; readonly session: number; readonly cids: readonly Uint8Array[] }
  | { readonly type: 'session-close'; readonly session: number }
  | { readonly type: 'peer-open'; readonly peer: string; readonly speaksHave: boolean }
  | { readonly type: 'peer-gone'; readonly peer: string }
  /** A part of a message has come. */
  | { readonly type: 'bytes'; readonly peer: string; readonly bytes: number }
  /** A stream of it is not read, for a limit of ours; or is again. */
  | { readonly type: 'held'; readonly peer: string; readonly isHeld: boolean }
  /** A connected peer is said to have what the session wants. */
  | { readonly type: 'provider'; readonly session: number; readonly peer: string }
  | {
      readonly type: 'message';
      readonly peer: string;
      readonly blocks: readonly NamedBlock[];
      readonly presences: readonly BitswapPresence[];
    };

export type BitswapClientEffect =
  | { readonly type: 'send'; readonly peer: string; readonly entries: readonly BitswapEntry[] }
  | { readonly type: 'block'; readonly peer: string; readonly block: NamedBlock }
  /** Who provides this? Answers come as peers that open, and as `provider`. */
  | { readonly type: 'find'; readonly session: number; readonly cid: Uint8Array }
  | { readonly type: 'fault'; readonly peer: string; readonly fault: Fault };

export type BitswapClientCounts = {
  blocks: number;
  bytes: number;
  duplicateBlocks: number;
  duplicateBytes: number;
  unwantedBlocks: number;
};
