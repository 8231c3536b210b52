import type {
  AddOptions,
  CreateOptions,
  FileSnapshot,
  PieceView,
  ShownTorrent,
  TorrentId,
  TorrentSource,
  TrackerSnapshot,
  VerifyReport,
  WebSeedSnapshot,
} from '@tequio/bittorrent/contract';
import type { Category, TrackerRule } from './category.ts';
import type { ListedPeer, PeerPlace } from './peer-place.ts';
import type { ListedTorrent, TorrentDelta, TorrentList, TorrentListQuery } from './torrent-list.ts';
import type { ShareGoal } from './torrent-notes.ts';

/** A torrent to add. What is left out comes from its category, then from the settings. */
export type AddTorrent = Omit<AddOptions, 'folder' | 'category'> & {
  readonly source: TorrentSource;
  /** Absolute. */
  readonly folder?: string;
  readonly category?: string | null;
  readonly tags?: readonly string[];
  /** Shown instead of the name that it has. */
  readonly name?: string | null;
  readonly paused?: boolean;
  /** One for each file: 0 (not wanted) to 7; instead of `select`. */
  readonly filePriorities?: readonly number[];
  readonly edgesFirst?: boolean;
  readonly shareGoal?: ShareGoal | null;
  readonly finishedFolder?: string | null;
  readonly comment?: string | null;
  /** Becomes the first of the queue. */
  readonly toTopOfQueue?: boolean;
  /** Runs whatever the queue says. */
  readonly forced?: boolean;
};

/** As `create` of the engine takes it, for a path of the node's machine. */
export type CreateTorrent = Omit<CreateOptions, 'chunks'>;

export type AddedTorrent = {
  readonly id: TorrentId;
  /** It was there before; its trackers and peers were added to it, and nothing else was changed. */
  readonly known: boolean;
};

/** What is left out stays; null takes it away. */
export type TorrentPatch = {
  readonly name?: string;
  readonly category?: string | null;
  readonly tags?: readonly string[];
  readonly limitDown?: number | null;
  readonly limitUp?: number | null;
  readonly shareGoal?: ShareGoal | null;
  readonly sequential?: boolean;
  readonly superSeed?: boolean;
  readonly edgesFirst?: boolean;
  readonly forced?: boolean;
  readonly finishedFolder?: string | null;
  readonly comment?: string | null;
};

/**
 * The torrents of a node, as people manage them. Every call works the same in the process of the node and over HTTP,
 * and so returns a promise. Calls that take several ids do all or throw before the first: an id that is not there is
 * NodeError `TORRENT_MISSING`. What a user may not do throws `USER_RIGHT`.
 */
export interface TorrentsApi {
  /** @throws NodeError `LIST_QUERY` */
  list(query?: TorrentListQuery): Promise<TorrentList>;
  get(id: TorrentId): Promise<ListedTorrent | null>;
  /** @param since a version that `list` or `changes` has given; 0: everything */
  changes(since: number): Promise<TorrentDelta>;
  /** @throws NodeError as the engine's `add`, `CATEGORY_MISSING`, `USER_QUOTA` */
  add(torrent: AddTorrent): Promise<AddedTorrent>;
  /**
   * Makes another torrent of the files of one that is complete, for those who speak BitTorrent v2, and shares it
   * beside: same files, trackers and category. Reads all content.
   * @throws NodeError `TWIN_INCOMPLETE`, `TWIN_VERSION`, `TWIN_NAMES`, and as `add` and the engine's `create`
   */
  makeTwin(id: TorrentId, version: 'v2' | 'hybrid'): Promise<AddedTorrent>;
  /**
   * Makes a .torrent of a file or folder of the node's machine, and nothing else. Reads all content.
   * @throws NodeError as the engine's `create`
   */
  create(options: CreateTorrent): Promise<Uint8Array>;
  /**
   * Reads content of the node's machine and says, file by file, what is not as the .torrent says. Nothing is changed.
   * @param path absolute: the file, or the folder that its files lie in
   * @throws NodeError as the engine's `verify`
   */
  verify(torrent: Uint8Array, path: string): Promise<VerifyReport>;
  /**
   * What is in a torrent, before it is added; the `info` of a magnet is fetched for at most so long.
   * @throws NodeError `PREVIEW_TIMEOUT`
   */
  preview(source: TorrentSource, timeoutMs: number): Promise<ShownTorrent>;
  patch(ids: readonly TorrentId[], patch: TorrentPatch): Promise<void>;
  addTags(ids: readonly TorrentId[], tags: readonly string[]): Promise<void>;
  /** An empty list takes all. */
  removeTags(ids: readonly TorrentId[], tags: readonly string[]): Promise<void>;
  pause(ids: readonly TorrentId[]): Promise<void>;
  /** Or waits in the queue. */
  resume(ids: readonly TorrentId[]): Promise<void>;
  recheck(ids: readonly TorrentId[]): Promise<void>;
  /** Asks trackers and DHT again, no sooner than they allow. */
  announce(ids: readonly TorrentId[]): Promise<void>;
  remove(ids: readonly TorrentId[], options?: { readonly removeContent?: boolean }): Promise<void>;
  /** Moves the content to an absolute folder. */
  move(ids: readonly TorrentId[], folder: string): Promise<void>;
  moveInQueue(ids: readonly TorrentId[], to: 'top' | 'up' | 'down' | 'bottom'): Promise<void>;
  /** 0: not wanted; 1 to 7. */
  setFilePriorities(id: TorrentId, files: readonly number[], priority: number): Promise<void>;
  renameFile(id: TorrentId, file: number, path: string): Promise<void>;
  /** A folder inside the torrent, from one path to another. @throws NodeError `FOLDER_MISSING` */
  renameFolder(id: TorrentId, from: string, to: string): Promise<void>;
  /** Replaces the list; a tier an array. */
  setTrackers(id: TorrentId, tiers: readonly (readonly string[])[]): Promise<void>;
  setWebSeeds(id: TorrentId, urls: readonly string[]): Promise<void>;
  /** `HOST:PORT` each. */
  addPeers(ids: readonly TorrentId[], hostPorts: readonly string[]): Promise<void>;
  files(id: TorrentId): Promise<readonly FileSnapshot[]>;
  peers(id: TorrentId): Promise<readonly ListedPeer[]>;
  /** Where the connected peers of all torrents are, the country with most of them first. */
  peerPlaces(): Promise<readonly PeerPlace[]>;
  trackers(id: TorrentId): Promise<readonly TrackerSnapshot[]>;
  webSeeds(id: TorrentId): Promise<readonly WebSeedSnapshot[]>;
  pieces(id: TorrentId): Promise<PieceView>;
  /** What `show` says of it; null while the metadata is not known. */
  show(id: TorrentId): Promise<ShownTorrent | null>;
  /** The .torrent file, also of a magnet that was looked at (`preview`) a while ago; null while it is not known. */
  exportTorrent(id: TorrentId): Promise<Uint8Array | null>;
  /** Bytes of a file, in order; waits for pieces that are not there yet. */
  readContent(
    id: TorrentId,
    file: number,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array>;
  categories(): Promise<readonly Category[]>;
  /** Makes it, or changes the one of this name. @throws NodeError `CATEGORY_NAME` */
  putCategory(category: Category): Promise<void>;
  /** Its torrents stay, without one. */
  removeCategory(name: string): Promise<void>;
  /** Those that were made, also when no torrent has them. */
  tags(): Promise<readonly string[]>;
  putTags(names: readonly string[]): Promise<void>;
  /** Also from the torrents that have them. */
  dropTags(names: readonly string[]): Promise<void>;
  trackerRules(): Promise<readonly TrackerRule[]>;
  putTrackerRule(rule: TrackerRule): Promise<void>;
  removeTrackerRule(host: string): Promise<void>;
}
