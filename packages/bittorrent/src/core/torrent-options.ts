/** What a torrent machine is made with. */
import type { Endpoint, Hashes, Prng, RateMeter } from '@tequio/kernel';
import type { ContentDeps } from './content.ts';

export type TorrentOptions = {
  readonly infoHashV1: Uint8Array | null;
  readonly infoHashV2: Uint8Array | null;
  readonly peerId: Uint8Array;
  readonly listenPort: number;
  /** Null: as many as the line serves well. */
  readonly uploadSlots: number | null;
  /** BEP 16, once everything is there. */
  readonly superSeed?: boolean;
  /** Peer exchange (BEP 11), and hole punching (BEP 55), which needs uTP; by default neither. */
  readonly pex?: boolean;
  readonly holepunch?: boolean;
  /** UDP port of our DHT node now, to tell peers that have one too (BEP 5); 0: none. */
  readonly dhtPort?: () => number;
};

export type TorrentDeps = ContentDeps & {
  readonly hashes: Hashes;
  readonly prng: Prng;
  /** Content of all torrents together is counted here too. */
  readonly traffic?: { readonly down: RateMeter; readonly up: RateMeter };
  /** Where others see us; null or absent: not known. */
  readonly ownEndpoint?: (family: 4 | 6) => Endpoint | null;
};
