/** What a session is made of: the parts of the node that it works with, and what is known of its torrent. */
import type {
  Clock,
  DiskPort,
  Endpoint,
  Hashes,
  HttpClient,
  IpAddress,
  Log,
  Prng,
  RateMeter,
  Resolver,
} from '@tequio/kernel';
import type { Admission, Ban } from '@tequio/network';
import type { BittorrentEvent, TorrentId } from '../contract.ts';
import type { PieceMemory } from '../core/piece-memory.ts';
import type { ReadCache } from '../core/read-cache.ts';
import type { ResumeProgress } from '../core/resume.ts';
import type { ResumeRecord } from '../core/resume-record.ts';
import type { Magnet, Metainfo, TorrentInfo } from '../wire/torrent-info.ts';
import type { DhtTorrents } from './dht-torrents.ts';
import type { LocalDiscovery } from './local-discovery.ts';
import type { PeerDialer } from './peer-dialer.ts';
import type { RateLimits } from './rate-limit.ts';
import type { ResumeStore } from './resume-store.ts';
import type { TrackerClient } from './tracker-client.ts';

export type SessionDeps = {
  readonly clock: Clock;
  readonly disk: DiskPort;
  readonly dialer: PeerDialer;
  readonly resolver: Resolver;
  readonly hashes: Hashes;
  readonly log: Log;
  readonly prng: Prng;
  readonly memory: PieceMemory;
  readonly cache: ReadCache;
  readonly rates: RateLimits;
  readonly admission: Admission;
  /** Content of all torrents. */
  readonly traffic: { readonly down: RateMeter; readonly up: RateMeter };
  /** Why the node cannot send anything at present, or null. */
  readonly lineTrouble: () => string | null;
  /** A peer of this torrent was banned: all torrents part from it. */
  readonly banned: (ban: Ban) => void;
  readonly nextJobId: () => number;
  readonly store: ResumeStore;
  readonly trackerClient: TrackerClient;
  readonly http: HttpClient;
  readonly listenPort: () => number;
  /** Somebody (an address, or a host's name) says at which address it sees us. */
  readonly seenAt: (address: IpAddress, by: string) => void;
  /** Where others see us; null: not known. */
  readonly ownEndpoint: (family: 4 | 6) => Endpoint | null;
  /** Null: this node takes no part in the DHT. */
  readonly dht: DhtTorrents | null;
  /** UDP port of our DHT node; 0: none. */
  readonly dhtPort: () => number;
  readonly foundDhtNode: (endpoint: Endpoint) => void;
  readonly localDiscovery: Pick<LocalDiscovery, 'add' | 'remove'> | null;
  readonly emit: (event: BittorrentEvent) => void;
  /** Something about this torrent may look different from here on. */
  readonly changed: (torrent: TorrentId) => void;
};

/** Everything known of a torrent when it is added or restored. */
export type SessionSource = {
  readonly infoHashV1: Uint8Array | null;
  readonly infoHashV2: Uint8Array | null;
  readonly name: string;
  readonly metainfo: Metainfo | null;
  readonly trackers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  /** BEP 53: ranges of file indexes, both ends included; null: all. */
  readonly select: Magnet['select'];
  /** Of an earlier run. */
  readonly stored: { readonly record: ResumeRecord; readonly progress: ResumeProgress } | null;
  /** Content that was hashed here a moment ago (shell/made-content.ts); nothing is stored of it yet. */
  readonly made?: ResumeProgress;
  /** The node itself brings it back, or wakes it: that it is complete is no news. */
  readonly isBack?: boolean;
};

/** The torrent file of a torrent that began as a magnet, now that its info is known. */
export function metainfoOf(info: TorrentInfo, source: SessionSource): Metainfo {
  return {
    info,
    trackers: source.trackers,
    webSeeds: source.webSeeds,
    nodes: [],
    comment: null,
    createdBy: null,
    createdAt: null,
    pieceLayers: new Map(),
  };
}
