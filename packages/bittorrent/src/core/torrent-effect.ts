/** What a torrent machine wants done, in order: the driver carries it out. */
import type { DiskFault, Endpoint, Fault, IpAddress } from '@tequio/kernel';
import type { ContentJob } from './content.ts';
import type { IntroductionEffect } from './introductions.ts';
import type { PeerKey } from './peer.ts';
import type { ReadExtent } from './read-cache.ts';

export type TorrentEffect =
  | {
      readonly type: 'send';
      readonly peer: PeerKey;
      readonly parts: readonly Uint8Array[];
      readonly bytes: number;
      /** To be handed back to `handleSent` when the bytes are on their way. */
      readonly leases: readonly ReadExtent[];
    }
  | {
      readonly type: 'close';
      readonly peer: PeerKey;
      readonly endpoint: Endpoint;
      readonly fault: Fault | null;
      /** It had everything. */
      readonly isSeed: boolean;
    }
  | { readonly type: 'job'; readonly job: ContentJob }
  /** The `info` has arrived from peers, and hashes to what was asked for. */
  | { readonly type: 'metadata'; readonly info: Uint8Array }
  | { readonly type: 'verified'; readonly piece: number; readonly isNew: boolean }
  | { readonly type: 'missed'; readonly piece: number }
  | { readonly type: 'failed'; readonly piece: number }
  | { readonly type: 'checked' }
  | { readonly type: 'finished' }
  /** Null: in the middle of trouble something was stored. */
  | { readonly type: 'disk-trouble'; readonly fault: DiskFault | null }
  | { readonly type: 'broken'; readonly fault: Fault }
  | { readonly type: 'handshaken'; readonly peer: PeerKey }
  /** Where a peer that dialled us can be dialled. */
  | { readonly type: 'listens'; readonly peer: PeerKey; readonly endpoint: Endpoint }
  /** A peer says that it sees us at this address. */
  | { readonly type: 'seen'; readonly address: IpAddress; readonly by: IpAddress }
  /** A peer says that it has a DHT node there. */
  | { readonly type: 'dht-node'; readonly endpoint: Endpoint }
  | IntroductionEffect
  | {
      readonly type: 'blame';
      readonly peer: PeerKey;
      readonly endpoint: Endpoint | null;
      readonly fault: Fault;
    };
