/** What other programs and pages may know of this network: plain data. */

/** A CID as text, in the base that it was given or made in. */
export type CidText = string;

/** How content is cut and named; what is left out is as `profile` says. */
export type IpfsAddOptions = {
  /** Default `unixfs-v1-2025`. */
  readonly profile?: 'unixfs-v1-2025' | 'unixfs-v0-2015';
  readonly cidVersion?: 0 | 1;
  readonly rawLeaves?: boolean;
  /** `size-BYTES`, `buzhash`, `rabin-AVERAGE`, `rabin-MIN-AVERAGE-MAX`. */
  readonly chunker?: string;
  readonly trickle?: boolean;
  /** Also what has a name that begins with a dot. */
  readonly hidden?: boolean;
  readonly preserveMode?: boolean;
  readonly preserveTime?: boolean;
  /** Content stays where it lies, and is offered from there: no second copy. Brings raw leaves with it. */
  readonly inPlace?: boolean;
  /** Default true. */
  readonly pin?: boolean;
  readonly pinName?: string;
  /** Told of each file and folder when it is done; `path` from the root, empty: the root itself. */
  readonly onAdded?: (added: IpfsAdded) => void;
};

export type IpfsAdded = { readonly path: string; readonly cid: CidText; readonly bytes: number };

export type IpfsSealed = {
  readonly name: string;
  readonly bytes: number;
  /** From byte `from` to before byte `to`; each part is checked before it comes. */
  content(from?: number, to?: number): AsyncIterable<Uint8Array>;
};

export type IpfsEntry = {
  readonly name: string;
  readonly cid: CidText;
  readonly kind: 'file' | 'folder' | 'link';
  /** Of a file's content; of anything else 0. */
  readonly bytes: number;
};

export type IpfsPinMode = 'recursive' | 'direct' | 'indirect';

export type IpfsPin = { readonly cid: CidText; readonly mode: IpfsPinMode; readonly name: string };

export type IpfsPinCheck = { readonly cid: CidText; readonly missing: readonly CidText[] };

export type IpfsRepoStat = {
  readonly blockCount: number;
  readonly blockBytes: number;
  /** Of the store's files. */
  readonly diskBytes: number;
  readonly quotaBytes: number | null;
  readonly path: string;
};

export type IpfsVerifyProgress = {
  readonly checkedCount: number;
  readonly totalCount: number;
  readonly corruptCount: number;
};

/**
 * What a node does with IPFS on its own disk. Paths of content are a CID or `/ipfs/CID/name/…`; paths of files are
 * absolute and mean the node's machine. Every call throws NodeErrors: `IPFS_*`, `DISK_*`, `FILE_*`.
 */
export interface IpfsApi {
  /** Adds a file or a folder. @returns its root */
  add(path: string, options?: IpfsAddOptions): Promise<CidText>;
  /** The content of a file, from byte `from` to before byte `to`. */
  cat(path: string, range?: { readonly from?: number; readonly to?: number }): AsyncIterable<Uint8Array>;
  list(path: string): AsyncIterable<IpfsEntry>;
  /** Adds a file sealed, under a key of its own, and keeps it. @returns a link with the key, for who may read it */
  seal(path: string): Promise<string>;
  /** @param link of {@link seal} @throws NodeError `IPFS_SEALED_LINK`, `IPFS_SEALED` (wrong key, or changed) */
  openSealed(link: string): Promise<IpfsSealed>;
  /** @returns what the path leads to */
  pin(
    path: string,
    options?: { readonly mode?: 'recursive' | 'direct'; readonly name?: string },
  ): Promise<CidText>;
  unpin(path: string, options?: { readonly mode?: 'recursive' | 'direct' }): Promise<CidText>;
  /** Keeps `to` as `from` was kept, and lets `from` go unless told otherwise. */
  updatePin(from: string, to: string, options?: { readonly keepOld?: boolean }): Promise<void>;
  /** Indirect ones only when they are asked for: that reads every graph. */
  pins(mode: IpfsPinMode | 'all'): AsyncIterable<IpfsPin>;
  verifyPins(): AsyncIterable<IpfsPinCheck>;
  block(cid: CidText): Promise<Uint8Array>;
  blockBytes(cid: CidText): Promise<number>;
  /** @returns those that were here. @throws NodeError `IPFS_PINNED` */
  removeBlocks(cids: readonly CidText[], options?: { readonly force?: boolean }): Promise<readonly CidText[]>;
  repoStat(): Promise<IpfsRepoStat>;
  /** Every block, as CIDs of raw bytes. */
  blocks(): AsyncIterable<CidText>;
  /** @returns bytes that the store's files are shorter by */
  collect(onRemoved?: (cid: CidText) => void): Promise<number>;
  /** @returns what was broken, and has been dropped */
  verify(onProgress?: (progress: IpfsVerifyProgress) => void): Promise<readonly CidText[]>;
}
