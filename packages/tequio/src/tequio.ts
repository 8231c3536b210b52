import { EventEmitter } from 'node:events';
import { dirname, resolve } from 'node:path';
import type {
  AddOptions,
  BittorrentEvent,
  NodeApi,
  NodeSettings,
  TorrentId,
  TorrentSource,
} from '@tequio/api';
import { startNode } from '@tequio/daemon';
import type { SeedInput, SeedOptions, TequioOptions, TorrentInput, TorrentOptions } from './options.ts';
import { Torrent } from './torrent.ts';

export type TequioEvents = {
  /** A torrent is ready: its files are known, and what of them is there already. */
  torrent: [torrent: Torrent];
  /** A torrent was added; it may not be ready. */
  add: [torrent: Torrent];
  remove: [torrent: Torrent];
  /** The node cannot run, or a torrent could not be added. */
  error: [error: Error];
};

/** Whom the DHT is asked through first. */
const publicHosts = ['router.bittorrent.com:6881', 'dht.libtorrent.org:25401', 'dht.transmissionbt.com:6881'];

/** Between two `download` and `upload` events. */
const tickMs = 500;

/**
 * A node of the BitTorrent network in this process. It starts when it is first used; `destroy` ends it.
 *
 *     const client = new Tequio();
 *     const torrent = await client.add('magnet:?xt=…', { path: '/downloads' });
 *     await torrent.whenDone();
 *     await client.destroy();
 */
export class Tequio extends EventEmitter<TequioEvents> {
  readonly #options: TequioOptions;
  readonly #torrents = new Map<TorrentId, Torrent>();
  #node: Promise<NodeApi> | null = null;
  #end: (() => void) | null = null;
  #running: NodeApi | null = null;
  #isDestroyed = false;

  constructor(options: TequioOptions = {}) {
    super();
    this.#options = options;
  }

  get torrents(): readonly Torrent[] {
    return [...this.#torrents.values()];
  }

  get destroyed(): boolean {
    return this.#isDestroyed;
  }

  /** The port that others can dial; 0 before the node runs. */
  get torrentPort(): number {
    return this.#running?.bittorrent.port ?? 0;
  }

  /** Bytes a second over all torrents. */
  get downloadSpeed(): number {
    return this.#running?.bittorrent.totals().downRate ?? 0;
  }

  get uploadSpeed(): number {
    return this.#running?.bittorrent.totals().upRate ?? 0;
  }

  /** 0 to 1 over the torrents that are not done; 1 when all are. */
  get progress(): number {
    const open = this.torrents.filter(({ done }) => !done);
    const bytes = open.reduce((sum, { length }) => sum + length, 0);
    if (open.length === 0) return 1;
    return bytes === 0
      ? 0
      : open.reduce((sum, torrent) => sum + torrent.progress * torrent.length, 0) / bytes;
  }

  /**
   * Adds a torrent and starts it. The same one again gives the same object.
   * @param onReady called once it is ready
   * @throws Error with a `code`: the source cannot be read, is no torrent, or the folder cannot be used
   */
  async add(
    source: TorrentInput,
    options: TorrentOptions = {},
    onReady?: (torrent: Torrent) => void,
  ): Promise<Torrent> {
    const node = await this.#start();
    const read = typeof source === 'string' ? await readText(node, source) : { torrent: source };
    const torrent = await this.#addTo(node, read, this.#addOptions(options));
    if (onReady !== undefined) void torrent.whenReady().then(onReady, () => {});
    return torrent;
  }

  /** Makes a torrent of a file or folder and shares it from where it lies; settles when others can have it. */
  async seed(
    input: SeedInput,
    options: SeedOptions = {},
    onSeed?: (torrent: Torrent) => void,
  ): Promise<Torrent> {
    const node = await this.#start();
    const path = resolve(input);
    const file = await node.bittorrent.create(
      {
        path,
        version: options.version ?? 'hybrid',
        trackers: (options.announce ?? []).map((tier) => (typeof tier === 'string' ? [tier] : tier)),
        webSeeds: options.urlList ?? [],
        private: options.private ?? false,
        comment: options.comment ?? null,
        createdBy: options.createdBy ?? null,
        pieceBytes: options.pieceLength ?? null,
      },
      options.onProgress,
    );
    const torrent = await this.#addTo(node, { torrent: file }, { folder: dirname(path), seed: true });
    await torrent.whenDone();
    onSeed?.(torrent);
    return torrent;
  }

  /** A torrent that was added: by its info-hash, its magnet link or its .torrent file. Null: it was not. */
  async get(source: TorrentInput): Promise<Torrent | null> {
    if (typeof source === 'string' && this.#torrents.has(source.toLowerCase())) {
      return this.#torrents.get(source.toLowerCase()) ?? null;
    }
    const node = await this.#start();
    const shown = node.bittorrent.show(typeof source === 'string' ? { magnet: source } : { torrent: source });
    return this.#torrents.get(shown.infoHashV1 ?? shown.infoHashV2 ?? '') ?? null;
  }

  /** @throws Error when there is no such torrent */
  async remove(
    source: TorrentInput | Torrent,
    options: { readonly destroyStore?: boolean } = {},
  ): Promise<void> {
    const torrent = source instanceof Torrent ? source : await this.get(source);
    if (torrent === null) throw new Error('There is no such torrent: it was not added, or it was removed.');
    await torrent.destroy(options);
  }

  /** Bytes a second over all torrents; null: no limit. */
  async throttleDownload(rate: number | null): Promise<void> {
    this.#limits = { ...this.#limits, down: rate };
    (await this.#start()).bittorrent.setLimits(this.#limits);
  }

  async throttleUpload(rate: number | null): Promise<void> {
    this.#limits = { ...this.#limits, up: rate };
    (await this.#start()).bittorrent.setLimits(this.#limits);
  }

  /** Takes leave of everybody and ends. What is verified is remembered for the next time. */
  async destroy(): Promise<void> {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#end?.();
    await (await this.#node?.catch(() => null))?.close();
    this.#running = null;
    this.#torrents.clear();
  }

  #limits: { readonly down: number | null; readonly up: number | null } = { down: null, up: null };

  #start(): Promise<NodeApi> {
    if (this.#isDestroyed) return Promise.reject(new Error('This Tequio was destroyed. Make a new one.'));
    this.#node ??= this.#startNode();
    return this.#node;
  }

  async #startNode(): Promise<NodeApi> {
    this.#limits = { down: this.#options.downloadLimit ?? null, up: this.#options.uploadLimit ?? null };
    const node = await startNode(settingsOf(this.#options));
    const leave = node.bittorrent.subscribe((event) => this.#handleEvent(event));
    const timer = setInterval(() => {
      for (const torrent of this.#torrents.values()) torrent.handleTick();
    }, tickMs);
    timer.unref();
    this.#end = () => {
      clearInterval(timer);
      leave();
    };
    this.#running = node;
    return node;
  }

  async #addTo(node: NodeApi, source: TorrentSource, options: AddOptions): Promise<Torrent> {
    const id = await node.bittorrent.add(source, options);
    const known = this.#torrents.get(id);
    if (known !== undefined) return known;
    const torrent = new Torrent(node.bittorrent, node.bittorrent.row(id)!, (gone) => {
      this.#torrents.delete(gone.infoHash);
      this.emit('remove', gone);
    });
    this.#torrents.set(id, torrent);
    this.emit('add', torrent);
    void torrent.whenReady().then(
      () => this.emit('torrent', torrent),
      () => {},
    );
    return torrent;
  }

  #handleEvent(event: BittorrentEvent): void {
    this.#torrents.get(event.torrent)?.handleEvent(event);
  }

  #addOptions(options: TorrentOptions): AddOptions {
    return {
      folder: resolve(options.path ?? this.#options.path ?? '.'),
      select: options.select ?? [],
      sequential: options.strategy === 'sequential',
      peers: options.peers ?? [],
      trackers: options.announce ?? [],
      limitDown: options.downloadLimit ?? null,
      limitUp: options.uploadLimit ?? null,
      paused: options.paused ?? false,
    };
  }
}

function readText(node: NodeApi, text: string): Promise<TorrentSource> {
  const isElsewhere = /^(?:magnet:|https?:|[0-9a-f]{40}$|[0-9a-f]{64}$)/i.test(text);
  return node.readSource(isElsewhere ? text : resolve(text));
}

function settingsOf(options: TequioOptions): NodeSettings {
  const { dht = true } = options;
  return {
    dataFolder: options.dataFolder === undefined ? null : resolve(options.dataFolder),
    offline: false,
    port: options.torrentPort ?? null,
    bind: options.bind ?? null,
    portMapping: options.portMapping ?? true,
    limitDown: options.downloadLimit ?? null,
    limitUp: options.uploadLimit ?? null,
    addressFilter: options.addressFilter ?? null,
    encryption: options.encryption ?? 'prefer',
    proxy: options.proxy ?? null,
    dht: dht === false ? null : { bootstrap: dht === true ? publicHosts : dht.bootstrap },
    pex: options.utPex ?? true,
    lsd: options.lsd ?? true,
    transport: options.transport ?? 'both',
  };
}
