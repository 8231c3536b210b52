import type {
  BittorrentApi,
  EncryptionPolicy,
  LimitRule,
  TorrentSource,
  Transport,
} from '@tequio/bittorrent/contract';
import type { IpfsApi } from '@tequio/ipfs/contract';
import type { Management } from './management.ts';
import type { NatHandle, NatOptions, NatReachability } from './nat-api.ts';
import type { AddressFilterReport } from './network-api.ts';
import type { TrackerHandle, TrackerOptions } from './tracker-api.ts';

/** With what a node is started. What is null the node chooses by itself. */
export type NodeSettings = {
  /** Absolute folder of the node's own state, never of content; null: the system's usual place. */
  readonly dataFolder: string | null;
  /**
   * The node listens for no peer, dials none, and opens or makes no database: for `show`, `create`, `verify`,
   * `readSource` (also of an http address), `files` and `startTracker`, which all work then.
   */
  readonly offline: boolean;
  /** TCP port for other peers; 0: any free one; null: the usual one, or a free one when that is taken. */
  readonly port: number | null;
  /**
   * Address, or network interface, that everything goes through; while it is not there nothing is sent. Null: all.
   */
  readonly bind: string | null;
  /** Routers on the way to the Internet are asked to let the node's port through. */
  readonly portMapping: boolean;
  /** Bytes a second for the whole node; null: no limit. */
  readonly limitDown: number | null;
  readonly limitUp: number | null;
  /** Other limits on some days at some times, by the clock of the node's machine. */
  readonly schedule?: readonly LimitRule[];
  /**
   * Absolute path of a list of addresses that the node has nothing to do with: lines of P2P, DAT or CIDR, or such a
   * file packed with gzip.
   */
  readonly addressFilter?: string | null;
  readonly encryption: EncryptionPolicy;
  /**
   * `socks5://USER:PASSWORD@HOST:PORT` or `http://…`, and what goes through it: connections to peers (with web seeds
   * and the DHT), questions to trackers (with torrent files from the web). What goes through it goes no other way.
   */
  readonly proxy?: { readonly url: string; readonly peers: boolean; readonly trackers: boolean } | null;
  /** Part in the DHT, and the hosts (`host:port`) that it begins with; null: none. */
  readonly dht?: {
    readonly bootstrap: readonly string[];
    readonly readOnly?: boolean;
    readonly replyBytesPerSecond?: number;
  } | null;
  /** Peers of public torrents tell each other of others; by default they do. */
  readonly pex?: boolean;
  /** Public torrents are announced, and looked for, on the local network; by default they are not. */
  readonly lsd?: boolean;
  /** How peers are connected: TCP, uTP, or both. */
  readonly transport: Transport;
};

/**
 * What a running node offers. A started node goes on with no torrent by itself: those of earlier runs rest, with
 * their state kept, until `bittorrent.add` names them again.
 */
export interface NodeApi {
  readonly bittorrent: BittorrentApi;
  readonly files: NodeFiles;
  readonly mutable: MutableKeys;
  /** Null: this node does one thing for one command, and is not managed. */
  readonly management: Management | null;
  /** Absolute folder of this node's own state; it exists unless the node is offline. */
  readonly dataFolder: string;
  /** What the address filter's file was found to hold; null: there is none. */
  readonly addressFilter: AddressFilterReport | null;
  /** Null: port mapping is off, or the node is offline. */
  readonly nat: NatHandle | null;
  /**
   * Whether others reach this node: IPv4 before IPv6, TCP before UDP. It takes time until there is much to say; what is
   * not known it calls unknown.
   */
  reachability(): Promise<readonly NatReachability[]>;
  /** Looks into the routers, besides what `nat` does; also on an offline node. */
  startNat(options: NatOptions): Promise<NatHandle>;
  /**
   * IPFS on this node's own disk, also on an offline node. Opened when it is first asked for.
   * @throws NodeError `IPFS_IN_USE` (by another process), `IPFS_STORE_NEWER`, `DATABASE_OPEN`, DISK_*
   */
  ipfs(): Promise<IpfsApi>;
  /** @throws NodeError `NET_LISTEN` */
  startTracker(options: TrackerOptions): Promise<TrackerHandle>;
  /**
   * Reads what a user calls a torrent: the absolute path or the http(s) address of a .torrent, a magnet link, or a
   * hex info-hash (40 or 64 digits). Checks lengths only: whether it is a good torrent `show` and `add` say.
   * @throws NodeError `FILE_MISSING`, `FILE_READ`, `FILE_TOO_LONG`; `SOURCE_MISSING` (the server says that there is
   * no such thing), `SOURCE_UNREACHABLE` (no answer, or one that is no use), `SOURCE_TOO_LONG`
   */
  readSource(text: string): Promise<TorrentSource>;
  /**
   * Takes leave of trackers and peers, keeps all state and ends. Takes a few seconds at most, also when the other
   * side does not answer. A second call waits for the first.
   */
  close(): Promise<void>;
}

/** Torrents that change (BEP 46): their links, and the keys that say what those lead to. */
export interface MutableKeys {
  /**
   * The secret key of this name in the data folder, readable by its owner only; made if there is none. `link` leads to
   * whatever is published with it under this salt (none by default), which tells torrents of one key apart.
   * @throws NodeError `FILE_READ`, `FILE_WRITE`, `DATA_KEY`
   */
  key(
    name: string,
    salt?: Uint8Array,
  ): Promise<{
    readonly secretKey: Uint8Array;
    readonly path: string;
    readonly link: string;
  }>;
  /** Null: no link of this kind. */
  tryReadLink(text: string): { readonly publicKey: Uint8Array; readonly salt: Uint8Array } | null;
}

/** Small files at the node's end. */
export interface NodeFiles {
  /** @throws NodeError `FILE_MISSING`, `FILE_TOO_LONG`, `FILE_READ` */
  read(path: string, bytesMax: number): Promise<Uint8Array>;
  /** Makes missing folders, writes the file whole beside its place, then renames it. @throws NodeError `FILE_WRITE` */
  write(path: string, bytes: Uint8Array, options?: { readonly secret?: boolean }): Promise<void>;
  /** What stands there; null: nothing. Follows a symbolic link that the user named. */
  kind(path: string): Promise<'file' | 'folder' | 'other' | null>;
  /** Where it really lies: every symbolic link in a path that the user named is followed; null: nothing is there. */
  realPath(path: string): Promise<string | null>;
}
