import type {
  AddedTorrent,
  AddTorrent,
  Category,
  FileSnapshot,
  ListedPeer,
  ListedTorrent,
  PeerPlace,
  PeerSnapshot,
  PieceView,
  ShownTorrent,
  TorrentDelta,
  TorrentId,
  TorrentList,
  TorrentListQuery,
  TorrentPatch,
  TorrentSource,
  TorrentsApi,
  TrackerRule,
  TrackerSnapshot,
  VerifyReport,
  WebSeedSnapshot,
} from '@tequio/api';
import { NodeError } from '@tequio/kernel';

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

export type TwinTorrent = {
  row: Mutable<ListedTorrent>;
  shown: ShownTorrent | null;
  source: TorrentSource;
  files: Mutable<FileSnapshot>[];
  tiers: string[][];
  webSeeds: string[];
  peers: PeerSnapshot[];
  /** Peers that were asked to be dialled. */
  dialled: string[];
  changedAt: number;
  announcedCount: number;
  recheckedCount: number;
};

/**
 * An in-memory twin of the node's torrents: keeps what it is told, as the contract says, and moves no content. What
 * tests want to see happen in between (bytes coming in, a torrent done) they do by `change`.
 */
export class TwinTorrents implements TorrentsApi {
  readonly book = new Map<TorrentId, TwinTorrent>();
  readonly #show: (source: TorrentSource) => ShownTorrent;
  readonly #wallMs: () => number;
  readonly #removed: { readonly id: TorrentId; readonly at: number }[] = [];
  readonly #categories = new Map<string, Category>();
  readonly #tags = new Set<string>();
  readonly #rules = new Map<string, TrackerRule>();
  readonly downloadFolder: string;
  /** Whose content was to be taken away with the torrent. */
  readonly contentRemoved: TorrentId[] = [];
  /** What peers would tell of magnets, by info-hash. */
  readonly toldByPeers = new Map<string, Uint8Array>();
  readonly #looked = new Map<TorrentId, Uint8Array>();
  #version = 1;

  constructor(show: (source: TorrentSource) => ShownTorrent, wallMs: () => number, downloadFolder: string) {
    this.#show = show;
    this.#wallMs = wallMs;
    this.downloadFolder = downloadFolder;
  }

  change(id: TorrentId, change: Partial<ListedTorrent>): void {
    const torrent = this.#of(id);
    Object.assign(torrent.row, change);
    torrent.changedAt = ++this.#version;
  }

  async list(query: TorrentListQuery = {}): Promise<TorrentList> {
    const ids = query.filter?.ids;
    const rows = this.#rows().filter(({ id }) => ids === undefined || ids.includes(id));
    const offset = query.offset ?? 0;
    const groups = { metadata: 0, checking: 0, downloading: 0, seeding: 0, paused: 0, error: 0 };
    for (const { state } of this.#rows()) groups[state]++;
    const more = { active: 0, stalled: 0, queued: 0, finished: 0 };
    return {
      version: this.#version,
      totalCount: rows.length,
      rows: rows.slice(offset, offset + (query.limit ?? 100)),
      counts: query.counts
        ? { groups: { ...groups, ...more }, categories: {}, tags: {}, trackers: {} }
        : null,
    };
  }

  async get(id: TorrentId): Promise<ListedTorrent | null> {
    const torrent = this.book.get(id);
    return torrent === undefined ? null : { ...torrent.row };
  }

  async changes(since: number): Promise<TorrentDelta> {
    const full = since === 0 || since > this.#version;
    return {
      version: this.#version,
      full,
      changed: [...this.book.values()]
        .filter(({ changedAt }) => full || changedAt > since)
        .map(({ row }) => ({ ...row })),
      removed: full ? [] : this.#removed.filter(({ at }) => at > since).map(({ id }) => id),
    };
  }

  async add(torrent: AddTorrent): Promise<AddedTorrent> {
    const shown = this.#show(torrent.source);
    const id = shown.infoHashV1 ?? shown.infoHashV2!;
    if (this.book.has(id)) return { id, known: true };
    const category = torrent.category == null ? null : this.#categories.get(torrent.category);
    if (category === undefined)
      throw new NodeError('CATEGORY_MISSING', `There is no category "${torrent.category}".`);
    const isKnown = 'torrent' in torrent.source;
    const files = isKnown ? filesOf(shown, torrent.filePriorities) : [];
    const tiers = shown.trackers.map((tier) => [...tier]);
    const row: ListedTorrent = {
      ...rowOf(id, shown, isKnown, files),
      folder: torrent.folder ?? category?.folder ?? this.downloadFolder,
      name: torrent.name ?? shown.name,
      state: torrent.paused ? 'paused' : isKnown ? 'downloading' : 'metadata',
      category: torrent.category ?? null,
      tags: [...(torrent.tags ?? [])],
      limitDown: torrent.limitDown ?? null,
      limitUp: torrent.limitUp ?? null,
      sequential: torrent.sequential ?? false,
      superSeed: torrent.superSeed ?? false,
      edgesFirst: torrent.edgesFirst ?? false,
      forced: torrent.forced ?? false,
      shareGoal: torrent.shareGoal ?? null,
      finishedFolder: torrent.finishedFolder ?? category?.finishedFolder ?? null,
      comment: torrent.comment ?? null,
      addedAtMs: this.#wallMs(),
      queuePosition: torrent.toTopOfQueue ? 0 : this.book.size,
      trackerHost: hostOf(tiers),
    };
    for (const tag of row.tags) this.#tags.add(tag);
    this.book.set(id, {
      row: { ...row },
      shown: isKnown ? shown : null,
      source: torrent.source,
      files,
      tiers,
      webSeeds: [...shown.webSeeds],
      peers: [],
      dialled: [...(torrent.peers ?? [])],
      changedAt: ++this.#version,
      announcedCount: 0,
      recheckedCount: 0,
    });
    return { id, known: false };
  }

  async create(): Promise<Uint8Array> {
    throw new Error('No tool makes a torrent by our own API.');
  }

  async verify(): Promise<VerifyReport> {
    throw new Error('No tool verifies files by our own API.');
  }

  async makeTwin(): Promise<AddedTorrent> {
    throw new NodeError('TWIN_INCOMPLETE', 'None here has one.', { op: 'twin' });
  }

  async preview(source: TorrentSource): Promise<ShownTorrent> {
    if ('torrent' in source) return this.#show(source);
    const told = await this.toldByPeers.get(this.#show(source).infoHashV1 ?? '');
    if (told === undefined) throw new NodeError('PREVIEW_TIMEOUT', 'Nobody has told what is in it so far.');
    const shown = this.#show({ torrent: told });
    this.#looked.set(shown.infoHashV1!, told);
    return shown;
  }

  async patch(ids: readonly TorrentId[], patch: TorrentPatch): Promise<void> {
    if (patch.category != null && !this.#categories.has(patch.category))
      throw new NodeError('CATEGORY_MISSING', `There is no category "${patch.category}".`);
    for (const tag of patch.tags ?? []) this.#tags.add(tag);
    this.#each(ids, ({ row }) => void Object.assign(row, patch));
  }

  async addTags(ids: readonly TorrentId[], tags: readonly string[]): Promise<void> {
    for (const tag of tags) this.#tags.add(tag);
    this.#each(ids, ({ row }) => void (row.tags = [...new Set([...row.tags, ...tags])]));
  }

  async removeTags(ids: readonly TorrentId[], tags: readonly string[]): Promise<void> {
    this.#each(ids, ({ row }) => {
      row.tags = tags.length === 0 ? [] : row.tags.filter((tag) => !tags.includes(tag));
    });
  }

  async pause(ids: readonly TorrentId[]): Promise<void> {
    this.#each(ids, ({ row }) => void (row.state = 'paused'));
  }

  async resume(ids: readonly TorrentId[]): Promise<void> {
    this.#each(ids, ({ row, shown }) => {
      row.state = shown === null ? 'metadata' : row.progress === 1 ? 'seeding' : 'downloading';
    });
  }

  async recheck(ids: readonly TorrentId[]): Promise<void> {
    this.#each(ids, (torrent) => void torrent.recheckedCount++);
  }

  async announce(ids: readonly TorrentId[]): Promise<void> {
    this.#each(ids, (torrent) => void torrent.announcedCount++);
  }

  async remove(ids: readonly TorrentId[], options: { readonly removeContent?: boolean } = {}): Promise<void> {
    for (const id of ids) this.#of(id);
    for (const id of ids) {
      this.book.delete(id);
      this.#removed.push({ id, at: ++this.#version });
      if (options.removeContent) this.contentRemoved.push(id);
    }
  }

  async move(ids: readonly TorrentId[], folder: string): Promise<void> {
    this.#each(ids, ({ row }) => void (row.folder = folder));
  }

  async moveInQueue(ids: readonly TorrentId[], to: 'top' | 'up' | 'down' | 'bottom'): Promise<void> {
    const order = this.#rows().toSorted((a, b) => a.queuePosition! - b.queuePosition!);
    for (const id of ids) {
      const at = order.findIndex((row) => row.id === id);
      if (at < 0) throw missing(id);
      const [row] = order.splice(at, 1);
      const places = { top: 0, up: Math.max(0, at - 1), down: at + 1, bottom: order.length };
      order.splice(places[to], 0, row!);
    }
    for (const [place, { id }] of order.entries()) this.change(id, { queuePosition: place });
  }

  async setFilePriorities(id: TorrentId, files: readonly number[], priority: number): Promise<void> {
    const torrent = this.#of(id);
    for (const index of files) torrent.files[index]!.priority = priority;
    const wanted = torrent.files.filter((file) => file.priority > 0 && !file.pad);
    this.change(id, { wantedBytes: wanted.reduce((sum, { bytes }) => sum + bytes, 0) });
  }

  async renameFile(id: TorrentId, file: number, path: string): Promise<void> {
    this.#of(id).files[file]!.path = path;
    this.change(id, {});
  }

  async renameFolder(id: TorrentId, from: string, to: string): Promise<void> {
    const inside = this.#of(id).files.filter(({ path }) => path.startsWith(`${from}/`));
    if (inside.length === 0) throw new NodeError('FOLDER_MISSING', `There is no folder ${from} in it.`);
    for (const file of inside) file.path = to + file.path.slice(from.length);
    this.change(id, {});
  }

  async setTrackers(id: TorrentId, tiers: readonly (readonly string[])[]): Promise<void> {
    this.#of(id).tiers = tiers.map((tier) => [...tier]);
    this.change(id, { trackerHost: hostOf(tiers) });
  }

  async setWebSeeds(id: TorrentId, urls: readonly string[]): Promise<void> {
    this.#of(id).webSeeds = [...urls];
  }

  async addPeers(ids: readonly TorrentId[], hostPorts: readonly string[]): Promise<void> {
    this.#each(ids, ({ dialled }) => void dialled.push(...hostPorts));
  }

  async files(id: TorrentId): Promise<readonly FileSnapshot[]> {
    return this.#of(id).files.map((file) => ({ ...file }));
  }

  async peerPlaces(): Promise<readonly PeerPlace[]> {
    return [];
  }

  async peers(id: TorrentId): Promise<readonly ListedPeer[]> {
    return this.#of(id).peers.map((peer) => ({ ...peer, country: null }));
  }

  async trackers(id: TorrentId): Promise<readonly TrackerSnapshot[]> {
    return this.#of(id).tiers.flatMap((urls, tier) =>
      urls.map((url) => ({
        url,
        tier,
        state: 'waiting' as const,
        message: null,
        peerCount: 0,
        seedCount: null,
        leechCount: null,
        nextAnnounceMs: null,
      })),
    );
  }

  async webSeeds(id: TorrentId): Promise<readonly WebSeedSnapshot[]> {
    return this.#of(id).webSeeds.map((url) => ({
      url,
      state: 'waiting',
      message: null,
      downRate: 0,
      downloadedBytes: 0,
    }));
  }

  async pieces(id: TorrentId): Promise<PieceView> {
    const { row } = this.#of(id);
    const have = new Uint8Array(Math.ceil(row.pieceCount / 8));
    for (let piece = 0; piece < row.havePieceCount; piece++) have[piece >> 3]! |= 128 >> (piece & 7);
    return { have, availability: new Uint8Array(row.pieceCount), active: [] };
  }

  async show(id: TorrentId): Promise<ShownTorrent | null> {
    return this.#of(id).shown;
  }

  async exportTorrent(id: TorrentId): Promise<Uint8Array | null> {
    const looked = this.#looked.get(id);
    if (looked !== undefined) return looked;
    const { source } = this.#of(id);
    return 'torrent' in source ? source.torrent : null;
  }

  async *readContent(
    _id: TorrentId,
    file: number,
    offset: number,
    length: number,
  ): AsyncIterable<Uint8Array> {
    yield new Uint8Array(length).fill((file + offset) & 255);
  }

  async categories(): Promise<readonly Category[]> {
    return [...this.#categories.values()];
  }

  async putCategory(category: Category): Promise<void> {
    if (category.name === '' || category.name.length > 100)
      throw new NodeError('CATEGORY_NAME', 'A category has a name of 1 to 100 characters.');
    this.#categories.set(category.name, category);
  }

  async removeCategory(name: string): Promise<void> {
    this.#categories.delete(name);
    for (const { id, category } of this.#rows()) if (category === name) this.change(id, { category: null });
  }

  async tags(): Promise<readonly string[]> {
    return [...this.#tags];
  }

  async putTags(names: readonly string[]): Promise<void> {
    for (const name of names) this.#tags.add(name);
  }

  async dropTags(names: readonly string[]): Promise<void> {
    for (const name of names) this.#tags.delete(name);
    await this.removeTags([...this.book.keys()], names);
  }

  async trackerRules(): Promise<readonly TrackerRule[]> {
    return [...this.#rules.values()];
  }

  async putTrackerRule(rule: TrackerRule): Promise<void> {
    this.#rules.set(rule.host, rule);
  }

  async removeTrackerRule(host: string): Promise<void> {
    this.#rules.delete(host);
  }

  #rows(): readonly ListedTorrent[] {
    return [...this.book.values()].map(({ row }) => ({ ...row }));
  }

  #of(id: TorrentId): TwinTorrent {
    const torrent = this.book.get(id);
    if (torrent === undefined) throw missing(id);
    return torrent;
  }

  #each(ids: readonly TorrentId[], act: (torrent: TwinTorrent) => void): void {
    for (const torrent of ids.map((id) => this.#of(id))) {
      act(torrent);
      torrent.changedAt = ++this.#version;
    }
  }
}

function missing(id: TorrentId): NodeError {
  return new NodeError('TORRENT_MISSING', `There is no torrent ${id}.`);
}

function hostOf(tiers: readonly (readonly string[])[]): string | null {
  return URL.parse(tiers[0]?.[0] ?? '')?.hostname ?? null;
}

function filesOf(shown: ShownTorrent, priorities: readonly number[] | undefined): Mutable<FileSnapshot>[] {
  return shown.files.map((file, index) => ({
    index,
    path: file.path,
    bytes: file.bytes,
    doneBytes: 0,
    priority: priorities?.[index] ?? 4,
    pad: file.pad,
  }));
}

function rowOf(
  id: TorrentId,
  shown: ShownTorrent,
  isKnown: boolean,
  files: readonly FileSnapshot[],
): Omit<ListedTorrent, 'folder' | 'addedAtMs' | 'state'> {
  const content = files.filter(({ pad }) => !pad);
  const wantedBytes = content
    .filter(({ priority }) => priority > 0)
    .reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    id,
    infoHashV1: shown.infoHashV1,
    infoHashV2: shown.infoHashV2,
    name: shown.name,
    error: null,
    errorCode: null,
    private: isKnown ? shown.private : null,
    pieceCount: isKnown ? shown.pieceCount : 0,
    pieceBytes: isKnown ? shown.pieceBytes : 0,
    havePieceCount: 0,
    fileCount: content.length,
    totalBytes: content.reduce((sum, { bytes }) => sum + bytes, 0),
    wantedBytes,
    doneBytes: 0,
    downloadedBytes: 0,
    uploadedBytes: 0,
    wastedBytes: 0,
    downRate: 0,
    upRate: 0,
    peerCount: 0,
    seedCount: 0,
    candidateCount: 0,
    swarmSeedCount: null,
    swarmLeechCount: null,
    secondsLeft: null,
    checked: 0,
    availability: 0,
    category: null,
    limitDown: null,
    limitUp: null,
    sequential: false,
    superSeed: false,
    trackerHost: null,
    activeAtMs: null,
    tags: [],
    owner: null,
    finishedAtMs: null,
    downloadingMs: 0,
    seedingMs: 0,
    queuePosition: null,
    queued: false,
    forced: false,
    shareGoal: null,
    edgesFirst: false,
    finishedFolder: null,
    comment: null,
    ratio: 0,
    progress: 0,
  };
}
