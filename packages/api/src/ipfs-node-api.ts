import type { CidText, IpfsPinMode } from '@tequio/ipfs/contract';

/**
 * IPFS as a node takes part in it, for pages and programs: its tree of files, its pins and its peers. Paths are
 * `/folder/file` of the node's own tree; those that begin with `/ipfs/` or `/ipns/`, `ipfs://…` and a CID alone are
 * anybody's content. CIDs are written in version 1. Calls throw NodeErrors: `IPFS_*`, `DISK_*`.
 */
export interface IpfsNodeApi {
  /** How it is doing. Asking starts nothing. */
  state(): Promise<IpfsNodeState>;
  /** A part of a folder, by name. */
  files(
    path: string,
    options?: { readonly offset?: number; readonly limit?: number },
  ): Promise<IpfsFolderPage>;
  /** One file or folder, also somebody else's: then it may have to be got from others. */
  entry(path: string): Promise<IpfsFileEntry>;
  /** Puts a file into the tree, with the folders on the way; one that is there is replaced. */
  addFile(path: string, content: AsyncIterable<Uint8Array>): Promise<IpfsFileEntry>;
  makeFolder(path: string): Promise<void>;
  /** Into the folder `to`, or to a new name when there is no such folder. */
  moveFile(from: string, to: string): Promise<void>;
  removeFiles(paths: readonly string[]): Promise<void>;
  /** Links somebody's content into the tree; what is not here is got when it is read, or at once by `pin`. */
  importFile(source: string, path: string): Promise<IpfsFileEntry>;
  /** Of a file of the tree or of anybody's, from byte `from` to before byte `to`. */
  readFile(
    path: string,
    options?: { readonly from?: number; readonly to?: number; readonly signal?: AbortSignal },
  ): AsyncIterable<Uint8Array>;
  /** A folder as a tape archive. */
  readArchive(path: string, name: string, signal?: AbortSignal): AsyncIterable<Uint8Array>;
  pins(options?: { readonly offset?: number; readonly limit?: number }): Promise<IpfsPinPage>;
  /** Keeps all that hangs on it; what is not here is got from others first. @returns what the path leads to */
  pin(path: string, name?: string): Promise<CidText>;
  unpin(cid: CidText): Promise<void>;
  /** A block and what it links to. */
  block(path: string): Promise<IpfsBlockView>;
  peers(): Promise<readonly IpfsPeerView[]>;
  /** @param address a multiaddr, or the id of a peer that is looked for first */
  connect(address: string): Promise<string>;
  /** Lets go of blocks that neither a pin nor the tree keeps. */
  collect(): Promise<{ readonly removedBlocks: number; readonly freedBytes: number }>;
}

export type IpfsNodeState = {
  /** `off` by the settings; `resting` until somebody uses it; `alone`: without libp2p, with what is here; `online`. */
  readonly mode: 'off' | 'resting' | 'alone' | 'online';
  /** Its own id among others. */
  readonly peer: string | null;
  readonly addresses: readonly string[];
  readonly peerCount: number;
  readonly blockCount: number;
  readonly blockBytes: number;
  readonly diskBytes: number;
  readonly quotaBytes: number | null;
  readonly pinCount: number;
  /** Of the tree, all blocks of it; null: not open. */
  readonly filesBytes: number | null;
  /** Blocks that are being asked for, and that peers ask this node for. */
  readonly wantCount: number;
  readonly askedCount: number;
  /** Of blocks, in this run. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** `http://127.0.0.1:8080/`; null: the gateway is off. */
  readonly gatewayUrl: string | null;
  /** What the DHT is told of what is here; null: nothing is told. */
  readonly providing: IpfsProvidingState | null;
};

export type IpfsProvidingState = {
  readonly keyCount: number;
  /** Told lately enough for others to find. */
  readonly findableCount: number;
  readonly neverToldCount: number;
  readonly overdueCount: number;
  readonly roundEndsMs: number | null;
};

export type IpfsFileEntry = {
  readonly name: string;
  readonly cid: CidText;
  /** `unknown`: its first block is not here, or is neither file nor folder. */
  readonly kind: 'file' | 'folder' | 'link' | 'unknown';
  /** Of a file's content; null: not known, or a folder. */
  readonly bytes: number | null;
  /** Of all blocks, as whoever made the link says. */
  readonly dagBytes: number;
  readonly pin: Exclude<IpfsPinMode, 'indirect'> | null;
};

export type IpfsFolderPage = {
  readonly path: string;
  /** The folder itself. */
  readonly folder: IpfsFileEntry;
  readonly totalCount: number;
  readonly entries: readonly IpfsFileEntry[];
};

export type IpfsPinView = Omit<IpfsFileEntry, 'pin'> & {
  readonly mode: Exclude<IpfsPinMode, 'indirect'>;
  /**
   * When the DHT was told of it, and how many peers took the record (0: told before the last start, which is not
   * remembered); null: not yet, or nothing is told.
   */
  readonly told: { readonly atMs: number; readonly peerCount: number } | null;
};

export type IpfsPinPage = { readonly totalCount: number; readonly pins: readonly IpfsPinView[] };

export type IpfsBlockLink = {
  /** Where in the block: a name in a folder, a path in data. */
  readonly name: string;
  readonly cid: CidText;
  readonly bytes: number | null;
};

export type IpfsBlockView = {
  readonly cid: CidText;
  /** By the names of the multicodec table: `dag-pb`, `raw`, `sha2-256`. */
  readonly codec: string;
  readonly hash: string;
  /** Hex. */
  readonly digest: string;
  readonly blockBytes: number;
  /** Null: neither file nor folder. */
  readonly kind: 'file' | 'folder' | 'link' | null;
  /** Of the content, when it is a file. */
  readonly contentBytes: number | null;
  readonly linkCount: number;
  /** The first of them. */
  readonly links: readonly IpfsBlockLink[];
  /** As dag-json, cut when it is long; null: it is plain bytes, or of a codec that is not known here. */
  readonly json: string | null;
  /** The first bytes, in base64. */
  readonly head: string;
  readonly pin: Exclude<IpfsPinMode, 'indirect'> | null;
};

export type IpfsPeerView = {
  readonly peer: string;
  readonly address: string;
  /** Two letters; null: not known. */
  readonly country: string | null;
  readonly direction: 'in' | 'out';
  readonly transport: 'tcp' | 'websocket' | 'quic' | 'webrtc' | 'relay' | 'other';
  /** What it says that it is. */
  readonly agent: string | null;
  readonly latencyMs: number | null;
  /** Of blocks, in this run. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly wantCount: number;
};
