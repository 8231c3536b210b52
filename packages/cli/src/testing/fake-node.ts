import type {
  AddOptions,
  BittorrentApi,
  BittorrentEvent,
  CreateOptions,
  IpfsApi,
  NatHandle,
  NatOptions,
  NatReachability,
  NatStatus,
  NodeApi,
  NodeFiles,
  ShownTorrent,
  TorrentSnapshot,
  TorrentSource,
  TrackerHandle,
  TrackerOptions,
  VerifyReport,
} from '@tequio/api';
import { Emitter, encodeUtf8, NodeError, toHex, tryDecodeUtf8 } from '@tequio/kernel';

type Writable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** A torrent of two files, all of whose facts a test may change. */
export const shownExample: ShownTorrent = {
  name: 'album',
  infoHashV1: '0123456789abcdef0123456789abcdef01234567',
  infoHashV2: null,
  pieceBytes: 16384,
  pieceCount: 4,
  totalBytes: 60000,
  private: false,
  trackers: [['http://a.example/announce', 'udp://b.example:1'], ['udp://c.example:2']],
  webSeeds: ['https://example.org/album'],
  files: [
    { path: 'album/one.flac', bytes: 40000, pad: false },
    { path: 'album/.pad/1', bytes: 9152, pad: true },
    { path: 'album/two.flac', bytes: 10848, pad: false },
  ],
  comment: null,
  createdBy: 'Tequio',
  createdAt: 1_700_000_000,
  source: null,
  similar: [],
  collections: [],
  nameChanges: [{ was: '../two.flac', is: 'two.flac', reason: 'it would leave the folder' }],
  magnet: 'magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=album',
};

export function snapshotExample(changes: Partial<TorrentSnapshot> = {}): Writable<TorrentSnapshot> {
  return {
    id: shownExample.infoHashV1!,
    infoHashV1: shownExample.infoHashV1,
    infoHashV2: null,
    name: 'album',
    folder: '/home/ana',
    state: 'downloading',
    error: null,
    errorCode: null,
    pieceCount: 4,
    pieceBytes: 16384,
    havePieceCount: 0,
    pieces: 'AA==',
    totalBytes: 60000,
    wantedBytes: 50848,
    doneBytes: 0,
    downloadedBytes: 0,
    uploadedBytes: 0,
    wastedBytes: 0,
    downRate: 0,
    upRate: 0,
    peerCount: 0,
    seedCount: 0,
    candidateCount: 0,
    secondsLeft: null,
    checked: 1,
    files: [
      { index: 0, path: 'album/one.flac', bytes: 40000, doneBytes: 0, priority: 4, pad: false },
      { index: 2, path: 'album/two.flac', bytes: 10848, doneBytes: 0, priority: 4, pad: false },
    ],
    trackers: [],
    peers: [],
    ...changes,
  };
}

/** A node whose torrents do what a test says. A .torrent's bytes are the text of its name. */
export class FakeNode implements NodeApi, NodeFiles {
  readonly dataFolder = '/data';
  addressFilter: NodeApi['addressFilter'] = null;
  readonly snapshots = new Map<string, Writable<TorrentSnapshot>>();
  readonly added: { source: TorrentSource; options: AddOptions }[] = [];
  readonly created: CreateOptions[] = [];
  readonly verified: string[] = [];
  readonly trackers: (TrackerOptions & { isClosed: boolean })[] = [];
  /** Path to text; null is a folder. */
  readonly contents = new Map<string, string | null>();
  closeCount = 0;
  /** What `ipfs` commands meet; those that a test does not give end it. */
  ipfsApi: Partial<IpfsApi> = {};
  shown: ShownTorrent = shownExample;
  report: VerifyReport = { ok: true, pieceCount: 4, goodPieceCount: 4, files: [] };
  /** Called after `add`; sets the story going. */
  onAdd: (torrent: Writable<TorrentSnapshot>, node: FakeNode) => void = () => {};
  onCreate: (onProgress: (progress: { doneBytes: number; totalBytes: number }) => void) => Promise<void> =
    async () => {};
  onClose: () => Promise<void> = async () => {};
  readonly #events = new Emitter<BittorrentEvent>();
  readonly #world: { setTimer(delayMs: number, callback: () => void): unknown };

  constructor(world: { setTimer(delayMs: number, callback: () => void): unknown }) {
    this.#world = world;
  }

  readonly files: NodeFiles = this;

  readonly management = null;
  readonly mutable: NodeApi['mutable'] = {
    key: async (name, salt = new Uint8Array(0)) => ({
      secretKey: new Uint8Array(32),
      path: `/data/keys/${name}.key`,
      link: `magnet:?xs=urn:btpk:00${salt.length > 0 ? `&s=${toHex(salt)}` : ''}`,
    }),
    tryReadLink: () => null,
  };

  readonly bittorrent: BittorrentApi = {
    dht: null,
    setFilesFolder: () => {},
    port: 6881,
    add: async (source, options) => {
      this.added.push({ source, options });
      const name = 'torrent' in source ? (tryDecodeUtf8(source.torrent) ?? '') : source.magnet;
      const id = `id-of-${name}`;
      const torrent = this.snapshots.get(id) ?? snapshotExample({ id, name, folder: options.folder });
      this.snapshots.set(id, torrent);
      this.onAdd(torrent, this);
      return id;
    },
    torrent: (id) => this.snapshots.get(id) ?? null,
    torrents: () => [...this.snapshots.values()],
    subscribe: (listener) => this.#events.subscribe(listener),
    show: (source) => {
      const text = 'torrent' in source ? tryDecodeUtf8(source.torrent) : source.magnet;
      if (text === 'bad') throw new NodeError('BITTORRENT_BENCODE_SYNTAX', 'It is not bencoded.');
      return this.shown;
    },
    create: async (options, onProgress) => {
      this.created.push(options);
      await this.onCreate(onProgress ?? (() => {}));
      return encodeUtf8('album');
    },
    createFrom: async () => encodeUtf8('album'),
    verify: async (_torrent, path, onProgress) => {
      this.verified.push(path);
      onProgress?.({ doneBytes: 30000, totalBytes: 60000 });
      return this.report;
    },
    rows: () => [],
    row: () => null,
    changes: () => ({ version: 1, full: true, changed: [], removed: [] }),
    files: (id) => this.snapshots.get(id)?.files ?? [],
    peers: (id) => this.snapshots.get(id)?.peers ?? [],
    trackers: (id) => this.snapshots.get(id)?.trackers ?? [],
    webSeeds: () => [],
    pieces: () => ({ have: new Uint8Array(0), availability: new Uint8Array(0), active: [] }),
    totals: () => ({
      downRate: 0,
      upRate: 0,
      downloadedBytes: 0,
      uploadedBytes: 0,
      torrentCount: this.snapshots.size,
      connectionCount: 0,
      dhtNodeCount: 0,
    }),
    bans: () => [],
    ban: () => {},
    unban: () => false,
    restore: async () => 0,
    announce: () => {},
    setTrackers: unused,
    setWebSeeds: unused,
    setTorrentLimits: () => {},
    setCategory: () => {},
    setSuperSeed: () => {},
    setEdgesFirst: unused,
    rename: () => {},
    readContent: async function* () {},
    remove: unused,
    pause: unused,
    resume: unused,
    recheck: unused,
    setFilePriority: unused,
    setSequential: unused,
    setPieceDeadline: unused,
    move: unused,
    renameFile: unused,
    addPeer: unused,
    setLimits: () => {},
    setCategoryLimits: () => {},
    exportTorrent: () => null,
  };

  emit(event: BittorrentEvent): void {
    this.#events.emit(event);
  }

  after(delayMs: number, happens: () => void): void {
    this.#world.setTimer(delayMs, happens);
  }

  /** Everything is there now. */
  complete(torrent: Writable<TorrentSnapshot>, downloadedBytes = torrent.wantedBytes): void {
    Object.assign(torrent, {
      state: 'seeding',
      doneBytes: torrent.wantedBytes,
      downloadedBytes,
      havePieceCount: torrent.pieceCount,
      pieces: '8A==',
    });
    this.emit({ type: 'bittorrent.torrent.finished', torrent: torrent.id, bytes: torrent.wantedBytes });
  }

  nat: NatHandle | null = null;
  natStatus: NatStatus = { ways: [] };
  reachable: readonly NatReachability[] = [];
  readonly nats: { options: NatOptions; isKept: boolean | null }[] = [];

  async reachability(): Promise<readonly NatReachability[]> {
    return this.reachable;
  }

  async ipfs(): Promise<IpfsApi> {
    return this.ipfsApi as IpfsApi;
  }

  async startNat(options: NatOptions): Promise<NatHandle> {
    const opened: (typeof this.nats)[number] = { options, isKept: null };
    this.nats.push(opened);
    return {
      status: () => this.natStatus,
      subscribe: () => () => {},
      settle: async () => {},
      close: async ({ keep = false } = {}) => {
        opened.isKept = keep;
      },
    };
  }

  async startTracker(options: TrackerOptions): Promise<TrackerHandle> {
    const tracker = { ...options, isClosed: false };
    this.trackers.push(tracker);
    return {
      httpPort: options.httpPort,
      udpPort: options.udpPort,
      stats: () => ({
        torrentCount: 1,
        seedCount: 2,
        leechCount: 3,
        announceCount: 40,
        scrapeCount: 5,
        refusedCount: 6,
      }),
      close: async () => {
        tracker.isClosed = true;
      },
    };
  }

  async readSource(text: string): Promise<TorrentSource> {
    if (/^(?:magnet:|[0-9a-f]{40}$)/.test(text)) return { magnet: text };
    return { torrent: await this.read(text) };
  }

  async read(path: string): Promise<Uint8Array> {
    const text = this.contents.get(path);
    if (text === undefined || text === null)
      throw new NodeError('FILE_MISSING', `There is nothing at ${path}.`);
    return encodeUtf8(text);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.contents.set(path, tryDecodeUtf8(bytes));
  }

  async realPath(path: string): Promise<string | null> {
    return (await this.kind(path)) === null ? null : path;
  }

  async kind(path: string): Promise<'file' | 'folder' | null> {
    const text = this.contents.get(path);
    return text === undefined ? null : text === null ? 'folder' : 'file';
  }

  async close(): Promise<void> {
    this.closeCount++;
    await this.onClose();
  }
}

async function unused(): Promise<void> {
  throw new Error('the command line does not call this');
}
