import type { BittorrentApi, Identity, Management, TorrentSource } from '@tequio/api';
import type { FolderItem } from '@tequio/kernel';
import type { Caller } from '../http/caller.ts';
import type { ManagedNode } from '../http/compat-route.ts';

/** Who calls one of the compatible APIs, and the node with that caller's rights. */
export type CompatCaller = { readonly identity: Identity; readonly management: Management };

/** The node with somebody's rights. */
export function compatCaller(node: ManagedNode, { user, scope }: Caller): CompatCaller {
  const identity: Identity = { user, scope };
  return { identity, management: node.management.as(identity) };
}

/** What the compatible APIs need besides. They are pure translation, and open nothing by themselves. */
export type CompatPorts = {
  /** A path, http(s) address, magnet link or info-hash, read. @throws NodeError */
  readonly readSource: (text: string) => Promise<TorrentSource>;
  /** What is in a torrent, or in a magnet link. @throws NodeError */
  readonly show: BittorrentApi['show'];
  readonly create: BittorrentApi['create'];
  /** SHA-1 of the pieces of a .torrent, in hex. @throws NodeError */
  readonly pieceHashes: (torrent: Uint8Array) => readonly string[];
  /** @throws NodeError `FILE_MISSING`, `FILE_READ` */
  readonly listFolder: (path: string) => Promise<readonly FolderItem[]>;
  /** @throws NodeError `FILE_WRITE` */
  readonly writeFile: (path: string, bytes: Uint8Array) => Promise<void>;
  readonly wallMs: () => number;
  /** So many bytes that nobody can guess. */
  readonly randomBytes: (count: number) => Uint8Array;
};

/** One text for one caller: what is remembered for them is remembered under it. */
export function callerKey({ identity }: CompatCaller): string {
  return `${identity.scope} ${identity.user ?? ''}`;
}
