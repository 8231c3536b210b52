/** What a service is started with. Every field has a default in `defaultOptions`, but the first two. */
import type { IpAddress } from '@tequio/kernel';

import type { EncryptionPolicy, LimitRule, Transport } from './contract.ts';

export type BittorrentOptions = {
  /** Absolute folder for state that is not the user's content: part files. */
  readonly dataFolder: string;
  /** Changes with every start of the machine: tells a power failure from a killed process. */
  readonly bootId: string;
  /** Address to listen on and to dial from; null: all. */
  readonly bind?: IpAddress | null;
  /** Port for others, of TCP and UDP; 0: any free one; null: `usualPort`, or any free one when that is taken. */
  readonly port?: number | null;
  readonly usualPort?: number;
  /** Bytes a second over all torrents; null: no limit. */
  readonly limitDown?: number | null;
  readonly limitUp?: number | null;
  /** Other limits on some days at some times. */
  readonly schedule?: readonly LimitRule[];
  /** Minutes that the user's clock is ahead of UTC at a moment (milliseconds since 1970): what `schedule` goes by. */
  readonly zoneMinutesAt?: (wallMs: number) => number;
  /** Connections of one torrent, and of all. */
  readonly connectionCountMax?: number;
  readonly totalConnectionCountMax?: number;
  /** Memory for pieces that are being downloaded, and for pieces read to be sent. */
  readonly pieceMemoryBytesMax?: number;
  readonly readCacheBytesMax?: number;
  /** Peers of one torrent that are served at once; null: as many as the line serves well. */
  readonly uploadSlots?: number | null;
  /** A complete torrent that nobody has needed for so long gives back what it can do without; null: none ever does. */
  readonly restAfterMs?: number | null;
  /** Of connections to peers. */
  readonly encryption?: EncryptionPolicy;
  /** False: others are dialled, nobody is let in. */
  readonly listen?: boolean;
  /** What goes through a proxy that the ports stand on; null: nothing. See shell/proxy-rules.ts. */
  readonly proxy?: ProxyUse | null;
  /** How peers are connected. UDP is used for trackers in any case. */
  readonly transport?: Transport;
  /** Peer exchange (BEP 11): peers of public torrents tell each other of others. */
  readonly pex?: boolean;
  /** Local discovery (BEP 14): public torrents are announced on the local network, and looked for there. */
  readonly lsd?: boolean;
  /** Part in the DHT (BEP 5), over the same UDP port. */
  readonly dht?: DhtOptions;
};

export type ProxyUse = {
  readonly kind: 'socks5' | 'http';
  /** `ports` of the service go through it. */
  readonly peers: boolean;
  /** `trackerPorts` of the service do. */
  readonly trackers: boolean;
};

export type DhtOptions = {
  readonly enabled: boolean;
  /** `host:port` each: whom to ask for nodes as long as none is known. */
  readonly bootstrap: readonly string[];
  /** Ask and do not answer (BEP 43): for nodes that live shortly. */
  readonly readOnly?: boolean;
  /** Most that is said in answer to others; by default 8000. */
  readonly replyBytesPerSecond?: number;
};

export const defaultOptions = {
  bind: null,
  port: null,
  usualPort: 27272,
  limitDown: null,
  limitUp: null,
  schedule: [],
  zoneMinutesAt: () => 0,
  connectionCountMax: 80,
  totalConnectionCountMax: 500,
  pieceMemoryBytesMax: 32 << 20,
  readCacheBytesMax: 32 << 20,
  uploadSlots: null,
  restAfterMs: 60_000,
  encryption: 'allow',
  listen: true,
  proxy: null,
  transport: 'both',
  pex: true,
  lsd: false,
  // A library that is only tried out bothers nobody's hosts.
  dht: { enabled: false, bootstrap: [] },
} as const satisfies Partial<BittorrentOptions>;

export type CompleteOptions = Required<BittorrentOptions>;

/** A way out that may be gone for a while. */
export type Line = {
  /** Why nothing can be sent, as a sentence; null: all is well. */
  readonly trouble: string | null;
  subscribe(listener: () => void): () => void;
};
