import type { TorrentId } from '@tequio/bittorrent/contract';

/** One content in two networks: a torrent, and a CID. */
export type Bridged = {
  readonly torrent: TorrentId;
  /** The torrent was there before. */
  readonly known: boolean;
  readonly name: string;
  readonly magnet: string;
  /** Of the file, or of the folder. */
  readonly cid: string;
  /** Of a folder with that and nothing else in it, so that it has its name: `/ipfs/WRAPPED/NAME`. */
  readonly wrapped: string;
  readonly files: readonly { readonly path: string; readonly cid: string }[];
  /** Bytes that lie twice on the disk from now on, because IPFS cuts them in a way that no file has; mostly 0. */
  readonly copiedBytes: number;
};

export type IpfsToTorrent = {
  /** A CID, or `/ipfs/CID/name/…`. */
  readonly path: string;
  /** Absolute folder for the files; by default where downloads go. */
  readonly folder?: string;
  /** By default the path's last name. */
  readonly name?: string;
  readonly version?: 'v1' | 'v2' | 'hybrid';
  readonly trackers?: readonly string[];
};

export type ShareOnBoth = {
  /** Absolute path of a file or folder on the node's machine. */
  readonly path: string;
  readonly version?: 'v1' | 'v2' | 'hybrid';
  readonly trackers?: readonly string[];
};

/**
 * Brings content of one network into the other. Content is read once, lies once on the disk, and is offered in both
 * from there on; whoever gets one of them learns of the other, and takes bytes from both.
 */
export interface BridgeApi {
  /**
   * Offers the files of a complete torrent on IPFS, from where they lie. Users offer their own torrents and nobody
   * else's, whatever `bittorrent.reuse` lets them share; whoever may do everything, all.
   * @throws NodeError `TORRENT_MISSING`, `BRIDGE_INCOMPLETE`, `BRIDGE_PRIVATE`, `IPFS_*`
   */
  torrentToIpfs(id: TorrentId): Promise<Bridged>;
  /**
   * Gets content from IPFS, writes it to files and shares those as a torrent. As the files of IPFS themselves, that is
   * the owner's, and of users only for those who may do everything.
   * @throws NodeError `BRIDGE_CONTENT`, `BITTORRENT_CREATE_*`, `IPFS_*`, `DISK_*`
   */
  ipfsToTorrent(content: IpfsToTorrent): Promise<Bridged>;
  /** Offers files in both networks. @throws NodeError `BITTORRENT_CREATE_*`, `IPFS_*`, `FILE_MISSING` */
  share(content: ShareOnBoth): Promise<Bridged>;
}
