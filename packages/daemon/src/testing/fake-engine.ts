import type {
  AddOptions,
  BittorrentApi,
  BittorrentEvent,
  BittorrentTotals,
  RateLimitPair,
  ShownTorrent,
  TorrentChanges,
  TorrentId,
  TorrentRow,
  TorrentSource,
} from '@tequio/api';
import { Emitter, NodeError } from '@tequio/kernel';

/** An engine without peers and disk: rows that a test writes, and a record of what it was told. */
export class FakeEngine {
  readonly calls: string[] = [];
  readonly #rows = new Map<TorrentId, TorrentRow>();
  readonly #versions = new Map<TorrentId, number>();
  readonly #removed: [TorrentId, number][] = [];
  readonly #events = new Emitter<BittorrentEvent>();
  #version = 1;
  limits: RateLimitPair = { down: null, up: null };

  /** What the parts of the node under test are given. */
  get api(): BittorrentApi {
    return this as unknown as BittorrentApi;
  }

  put(id: TorrentId, fields: Partial<TorrentRow> = {}): TorrentRow {
    const row = { ...(this.#rows.get(id) ?? rowOf(id)), ...fields };
    this.#rows.set(id, row);
    this.#versions.set(id, ++this.#version);
    return row;
  }

  emit(event: BittorrentEvent): void {
    this.#events.emit(event);
  }

  rows(): readonly TorrentRow[] {
    return [...this.#rows.values()];
  }

  row(id: TorrentId): TorrentRow | null {
    return this.#rows.get(id) ?? null;
  }

  changes(since: number): TorrentChanges {
    const full = since === 0;
    const changed = [...this.#versions].filter(([, version]) => full || version > since).map(([id]) => id);
    const removed = this.#removed.filter(([, version]) => !full && version > since).map(([id]) => id);
    return { version: this.#version, full, changed, removed };
  }

  async add(source: TorrentSource, options: AddOptions & { readonly paused?: boolean }): Promise<TorrentId> {
    const id = this.show(source).infoHashV1!;
    this.calls.push(`add ${id}`);
    if (this.#rows.has(id)) return id;
    const { folder, category = null } = options;
    this.put(id, { folder, category, state: options.paused === true ? 'paused' : 'downloading' });
    return id;
  }

  async remove(id: TorrentId, options: { readonly removeContent?: boolean } = {}): Promise<void> {
    this.calls.push(`remove ${id}${options.removeContent === true ? ' with content' : ''}`);
    this.#need(id);
    this.#rows.delete(id);
    this.#versions.delete(id);
    this.#removed.push([id, ++this.#version]);
  }

  async pause(id: TorrentId): Promise<void> {
    this.calls.push(`pause ${id}`);
    this.#need(id);
    this.put(id, { state: 'paused', downRate: 0, upRate: 0 });
  }

  async resume(id: TorrentId): Promise<void> {
    this.calls.push(`resume ${id}`);
    const { doneBytes, wantedBytes } = this.#need(id);
    this.put(id, { state: doneBytes >= wantedBytes ? 'seeding' : 'downloading' });
  }

  async move(id: TorrentId, folder: string): Promise<void> {
    this.calls.push(`move ${id} ${folder}`);
    this.put(id, { folder });
  }

  setFilesFolder(id: TorrentId, folder: string | null): void {
    if (folder !== null) this.calls.push(`files ${id} ${folder}`);
  }

  setSuperSeed(id: TorrentId, on: boolean): void {
    this.put(id, { superSeed: on });
  }

  async setSequential(id: TorrentId, on: boolean): Promise<void> {
    this.put(id, { sequential: on });
  }

  setTorrentLimits(id: TorrentId, { down, up }: RateLimitPair): void {
    this.put(id, { limitDown: down, limitUp: up });
  }

  setCategory(id: TorrentId, category: string | null): void {
    this.put(id, { category });
  }

  rename(id: TorrentId, name: string): void {
    this.put(id, { name });
  }

  setLimits(limits: RateLimitPair): void {
    this.limits = limits;
  }

  setCategoryLimits(category: string, { down, up }: RateLimitPair): void {
    this.calls.push(`limits ${category} ${down} ${up}`);
  }

  subscribe(listener: (event: BittorrentEvent) => void): () => void {
    return this.#events.subscribe(listener);
  }

  exportTorrent(): Uint8Array | null {
    return null;
  }

  totals(): BittorrentTotals {
    return {
      downRate: 0,
      upRate: 0,
      downloadedBytes: 0,
      uploadedBytes: 0,
      torrentCount: this.#rows.size,
      connectionCount: 0,
      dhtNodeCount: 0,
    };
  }

  show(source: TorrentSource): ShownTorrent {
    const text = 'magnet' in source ? source.magnet : '';
    const infoHashV1 = /[0-9a-f]{40}/.exec(text)?.[0];
    if (infoHashV1 === undefined) throw new NodeError('BITTORRENT_MAGNET', 'This is no magnet link.');
    return { ...emptyShown, infoHashV1, totalBytes: 1000 };
  }

  #need(id: TorrentId): TorrentRow {
    const row = this.#rows.get(id);
    if (row === undefined) throw new NodeError('BITTORRENT_MISSING', `no torrent ${id}`);
    return row;
  }
}

const emptyShown: ShownTorrent = {
  name: '',
  infoHashV1: null,
  infoHashV2: null,
  pieceBytes: 0,
  pieceCount: 0,
  totalBytes: 0,
  private: false,
  trackers: [],
  webSeeds: [],
  files: [],
  comment: null,
  createdBy: null,
  createdAt: null,
  source: null,
  similar: [],
  collections: [],
  nameChanges: [],
  magnet: '',
};

/** An id of 40 digits. */
export function idOf(index: number): TorrentId {
  return index.toString(16).padStart(40, '0');
}

export function rowOf(id: TorrentId): TorrentRow {
  return {
    id,
    infoHashV1: id,
    infoHashV2: null,
    name: `torrent ${id.replace(/^0+/, '')}`,
    folder: '/downloads',
    state: 'downloading',
    error: null,
    errorCode: null,
    private: false,
    pieceCount: 10,
    pieceBytes: 100,
    havePieceCount: 0,
    fileCount: 1,
    totalBytes: 1000,
    wantedBytes: 1000,
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
    addedAtMs: 0,
    finishedAtMs: null,
  };
}
