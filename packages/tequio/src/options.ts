import type { EncryptionPolicy, Transport } from '@tequio/bittorrent/contract';

/** How a node is started; what is left out has a sensible value. */
export type TequioOptions = {
  /** Folder of the node's own memory (what is verified, known nodes); by default the system's usual place. */
  readonly dataFolder?: string;
  /** Folder for content when `add` names none; by default the working directory. */
  readonly path?: string;
  /** Port for other peers; 0: any free one. By default the usual one, or a free one when that is taken. */
  readonly torrentPort?: number;
  /** Bytes a second over all torrents; by default no limit. */
  readonly downloadLimit?: number;
  readonly uploadLimit?: number;
  /** Part in the DHT, by default with public hosts to begin with; false: none. */
  readonly dht?: boolean | { readonly bootstrap: readonly string[] };
  /** Peer exchange; by default on. */
  readonly utPex?: boolean;
  /** Local discovery; by default on. */
  readonly lsd?: boolean;
  /** Routers are asked to let the port through (PCP, NAT-PMP, UPnP); by default they are. */
  readonly portMapping?: boolean;
  readonly transport?: Transport;
  readonly encryption?: EncryptionPolicy;
  /** Address or interface that everything goes through. */
  readonly bind?: string;
  /** `socks5://USER:PASSWORD@HOST:PORT` or `http://…`, and what goes through it and no other way. */
  readonly proxy?: { readonly url: string; readonly peers: boolean; readonly trackers: boolean };
  /** Absolute path of a list of addresses that the node has nothing to do with. */
  readonly addressFilter?: string;
};

/**
 * A magnet link, an info-hash in hex, the path or web address of a .torrent file, or such a file's bytes.
 */
export type TorrentInput = string | Uint8Array;

export type TorrentOptions = {
  /** Folder for the content. */
  readonly path?: string;
  /** Trackers besides the torrent's own. */
  readonly announce?: readonly string[];
  /** Addresses, `host:port`, of peers to dial at once. */
  readonly peers?: readonly string[];
  /** Globs of the files that are wanted; by default all. */
  readonly select?: readonly string[];
  /** `sequential`: pieces from the first to the last; by default the rarest first. */
  readonly strategy?: 'rarest' | 'sequential';
  readonly paused?: boolean;
  /** Bytes a second. */
  readonly downloadLimit?: number;
  readonly uploadLimit?: number;
};

/** The path of a file or folder. */
export type SeedInput = string;

export type SeedOptions = {
  readonly announce?: readonly (string | readonly string[])[];
  /** Web seeds. */
  readonly urlList?: readonly string[];
  readonly private?: boolean;
  readonly comment?: string;
  readonly createdBy?: string;
  /** By default hybrid: every program can read it. */
  readonly version?: 'v1' | 'v2' | 'hybrid';
  /** A power of two, at least 16 KiB; by default chosen by size. */
  readonly pieceLength?: number;
  /** Called while the content is being read. */
  readonly onProgress?: (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void;
};
