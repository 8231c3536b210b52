/**
 * The life of one torrent in the node: what it is, where its content lies, whom it talks to, what is remembered.
 *
 *   metadata ─ info arrives ─> opening (files are looked at) ─> active ─ close ─> closed
 *                                 active: checking -> downloading -> seeding, and error as long as the disk says so
 *
 * It joins the parts (torrent machine and driver, storage, trackers, resume record); each of them decides its own.
 */
import {
  type Clock,
  type DiskPort,
  type Endpoint,
  type Fault,
  type FileSpan,
  formatEndpoint,
  type Hashes,
  type HttpClient,
  type IpAddress,
  isLocalAddress,
  type Log,
  type Prng,
  type Resolver,
  type TcpPort,
  toHex,
  tryParseAddress,
} from '@tequio/kernel';
import type { AddOptions, BittorrentEvent, TorrentId, TorrentState } from '../contract.ts';
import { clientName } from '../core/conversation.ts';
import { isSelected } from '../core/file-select.ts';
import { PeerList, type PeerSource } from '../core/peer-list.ts';
import type { PieceMemory } from '../core/piece-memory.ts';
import type { ReadCache } from '../core/read-cache.ts';
import type { ResumeProgress } from '../core/resume.ts';
import type { ResumeRecord } from '../core/resume-record.ts';
import { piecesOf, Torrent } from '../core/torrent.ts';
import { WebSeed } from '../core/web-seed.ts';
import type { CompleteOptions } from '../options.ts';
import { encodeMetainfo } from '../wire/metainfo.ts';
import { decodeInfo } from '../wire/metainfo-info.ts';
import type { Magnet, Metainfo } from '../wire/torrent-info.ts';
import { DiskTrouble } from './disk-trouble.ts';
import { PieceKeeper } from './piece-keeper.ts';
import type { RateLimits, TorrentRates } from './rate-limit.ts';
import type { ResumeStore } from './resume-store.ts';
import { newRecord } from './session-record.ts';
import { type DriverDeps, type DriverHost, TorrentDriver, type TorrentFact } from './torrent-driver.ts';
import { TorrentStorage } from './torrent-storage.ts';
import { TorrentTrackers } from './torrent-trackers.ts';
import { TorrentWebSeeds } from './torrent-web-seeds.ts';
import type { TrackerClient } from './tracker-client.ts';

export type SessionDeps = {
  readonly clock: Clock;
  readonly disk: DiskPort;
  readonly tcp: TcpPort;
  readonly resolver: Resolver;
  readonly hashes: Hashes;
  readonly log: Log;
  readonly prng: Prng;
  readonly memory: PieceMemory;
  readonly cache: ReadCache;
  readonly rates: RateLimits;
  readonly budget: DriverDeps['budget'];
  readonly nextJobId: () => number;
  readonly store: ResumeStore;
  readonly trackerClient: TrackerClient;
  readonly http: HttpClient;
  readonly listenPort: () => number;
  readonly emit: (event: BittorrentEvent) => void;
};

/** Everything known of a torrent when it is added or restored. */
export type SessionSource = {
  readonly infoHashV1: Uint8Array | null;
  readonly infoHashV2: Uint8Array | null;
  readonly name: string;
  readonly metainfo: Metainfo | null;
  readonly trackers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  /** BEP 53: ranges of file indexes, both ends included; null: all. */
  readonly select: Magnet['select'];
  /** Of an earlier run. */
  readonly stored: { readonly record: ResumeRecord; readonly progress: ResumeProgress } | null;
};

/** Half a minute is when systems write what is left in memory by themselves: a sync then costs little. */
const settleDelayMs = 30_000;
/** Below this many connections trackers are asked for more. */
const starvedBelow = 10;

export class TorrentSession implements DriverHost {
  readonly id: TorrentId;
  readonly source: SessionSource;
  readonly torrent: Torrent;
  readonly driver: TorrentDriver;
  readonly trackers: TorrentTrackers;
  readonly connectionCountMax: number;
  metainfo: Metainfo | null;
  storage: TorrentStorage | null = null;
  webSeeds: TorrentWebSeeds | null = null;
  /** Pieces to be looked at, at the last start of a check. */
  checkCount = 0;

  readonly #deps: SessionDeps;
  readonly #options: CompleteOptions;
  readonly #owner: number;
  readonly #peerList: PeerList;
  readonly #keeper: PieceKeeper;
  readonly #rates: TorrentRates;
  readonly #trouble: DiskTrouble;
  readonly #before: { downloadedBytes: number; uploadedBytes: number; wastedBytes: number };
  #record: ResumeRecord;
  #add: AddOptions;
  #broken: Fault | null = null;
  #isOpening = false;
  #isPaused = false;
  #isClosed = false;
  #isAnnounced = false;
  #wasDownloading = false;
  #finishedAtMs: number | null = null;

  constructor(
    source: SessionSource,
    add: AddOptions,
    options: CompleteOptions,
    owner: number,
    peerId: Uint8Array,
    deps: SessionDeps,
  ) {
    this.id = toHex(source.infoHashV1 ?? source.infoHashV2!);
    this.source = source;
    this.metainfo = source.metainfo;
    this.connectionCountMax = options.connectionCountMax;
    this.#deps = deps;
    this.#options = options;
    this.#owner = owner;
    this.#add = add;
    this.#record = source.stored?.record ?? newRecord(this.id, source, add, deps.clock.wallMs());
    this.#before = { ...this.#record };
    this.#peerList = new PeerList({ prng: deps.prng.fork() });
    const { limitDown, limitUp } = this.#record;
    this.#rates = deps.rates.ofTorrent(this.id, { down: limitDown, up: limitUp });
    this.torrent = new Torrent(
      {
        infoHashV1: source.infoHashV1,
        infoHashV2: source.infoHashV2,
        peerId,
        listenPort: deps.listenPort(),
        uploadSlots: options.uploadSlots,
        superSeed: this.#record.superSeed,
      },
      { ...deps, owner, gate: this.#rates },
    );
    this.driver = new TorrentDriver(
      this.torrent,
      this.#peerList,
      {
        ...deps,
        bind: options.bind,
        received: (from, bytes) => this.#rates.received(from, bytes),
        forgotten: (from) => this.#rates.forgotten(from),
      },
      this,
    );
    this.#keeper = new PieceKeeper(deps.clock, (pieces) => this.#keep(pieces));
    this.#trouble = this.#createTrouble();
    this.trackers = this.#createTrackers(source, options.bind);
  }

  get name(): string {
    return this.metainfo?.info.name ?? this.source.name;
  }

  get folder(): string {
    return this.storage?.folder ?? this.#record.folder;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get candidateCount(): number {
    return this.#peerList.candidateCount;
  }

  /** A plain sentence while something is wrong that does not go away by itself, or not yet. */
  get error(): { readonly code: string; readonly message: string } | null {
    if (this.#broken !== null) return this.#broken;
    return this.#trouble.current;
  }

  get state(): TorrentState {
    if (this.error !== null) return 'error';
    if (this.#isPaused) return 'paused';
    const content = this.torrent.content;
    if (content === null) return this.metainfo === null ? 'metadata' : 'checking';
    if (this.#isOpening || content.checker.doubtCount > 0) return 'checking';
    return content.isFinished ? 'seeding' : 'downloading';
  }

  /** Over all runs. */
  get totals(): {
    readonly downloadedBytes: number;
    readonly uploadedBytes: number;
    readonly wastedBytes: number;
  } {
    return {
      downloadedBytes: this.#before.downloadedBytes + this.torrent.down.totalBytes,
      uploadedBytes: this.#before.uploadedBytes + this.torrent.up.totalBytes,
      wastedBytes: this.#before.wastedBytes + this.torrent.wastedBytes,
    };
  }

  /** Remembers the torrent, looks at its files if it is known, and begins. @throws NodeError of the disk */
  async start(): Promise<void> {
    this.#saveRecord();
    if (this.metainfo !== null) await this.#open(this.metainfo);
    this.driver.start();
    this.addPeers(this.#add.peers ?? []);
    this.#announce();
  }

  /** Hosts that the user or a magnet names. */
  addPeers(hostPorts: readonly string[], source: PeerSource = 'user'): void {
    for (const hostPort of hostPorts) void this.#addHost(hostPort, source);
  }

  addTrackers(tiers: readonly (readonly string[])[]): void {
    if (tiers.length > 0) this.trackers.handle({ type: 'add-trackers', tiers });
  }

  async pause(): Promise<void> {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.driver.stop();
    this.webSeeds?.stop();
    this.driver.run((torrent, nowMs) => torrent.setPaused(true, nowMs));
    this.#saveRecord();
    if (this.#isAnnounced) await this.trackers.stop();
    this.#isAnnounced = false;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#trouble.handle({ kind: 'reset' });
    this.driver.run((torrent, nowMs) => torrent.setPaused(false, nowMs));
    this.driver.start();
    this.#saveRecord();
    this.#announce();
  }

  /** Reads everything anew. */
  recheck(): void {
    this.#keeper.flush();
    this.storage?.doubt(null);
    this.#trouble.handle({ kind: 'reset' });
    const { content } = this.torrent;
    if (content === null) return;
    this.checkCount = content.info.pieceCount;
    this.driver.run(() => content.doubt(allPieces(content.info.pieceCount)));
  }

  async setFilePriority(files: readonly number[], priority: number): Promise<void> {
    const { storage } = this;
    if (storage === null) return;
    for (const file of files) {
      const range = await storage.setPriority(file, priority);
      if (range === null) continue;
      this.driver.run((torrent, nowMs) => {
        for (let piece = range.first; piece <= range.last; piece++) {
          torrent.setPriority(piece, storage.priorities.pieces[piece]!, nowMs);
        }
        torrent.refresh(nowMs);
      });
    }
    this.#updateSeeding();
    this.driver.drive();
    this.#saveRecord();
  }

  setSequential(on: boolean): void {
    this.#record = { ...this.#record, sequential: on };
    this.torrent.content?.picker.setSequential(on);
    this.#saveRecord();
  }

  setPieceDeadline(piece: number, inMs: number | null): void {
    const atMs = inMs === null ? null : this.#deps.clock.nowMs() + inMs;
    this.torrent.content?.picker.setDeadline(piece, atMs);
    this.driver.run((torrent, nowMs) => torrent.refresh(nowMs));
  }

  /** Takes leave, settles what was written and records it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.driver.stop();
    this.webSeeds?.stop();
    this.driver.run((torrent, nowMs) => torrent.setPaused(true, nowMs));
    this.#trouble.close();
    const leaving = this.#isAnnounced ? this.trackers.stop() : Promise.resolve(this.trackers.close());
    this.#keeper.flush();
    this.#saveRecord();
    this.#isClosed = true;
    this.webSeeds?.close();
    this.driver.close();
    this.#rates.close();
    const untilMs = this.#deps.clock.nowMs() + 5000;
    // A file that has just been completed is not synced: who waits for a download does not wait for the disk.
    const isFresh = this.#finishedAtMs !== null && untilMs - this.#finishedAtMs < settleDelayMs;
    await this.storage?.close(() => isFresh || this.#deps.clock.nowMs() > untilMs);
    this.#deps.cache.forget(this.#owner);
    await leaving;
  }

  /** After `close`: nothing of it is remembered. */
  forget(): void {
    this.#deps.store.remove(this.id);
  }

  // What the driver asks and tells.

  spansToStore(piece: number, offset: number, bytes: number): FileSpan[] {
    return this.storage!.spansToStore(piece, offset, bytes);
  }

  trySpansToLoad(piece: number, offset: number, bytes: number): FileSpan[] | null {
    return this.storage!.trySpansToLoad(piece, offset, bytes);
  }

  handleFact(fact: TorrentFact): void {
    switch (fact.type) {
      case 'verified':
        if (this.#trouble.isAny) this.#trouble.handle({ kind: 'good' });
        this.#deps.emit({ type: 'bittorrent.piece.verified', torrent: this.id, piece: fact.piece });
        this.#wasDownloading ||= fact.isNew;
        this.#keeper.add(fact.piece);
        break;
      case 'missed':
        this.storage?.lose([fact.piece]);
        break;
      case 'failed':
        this.storage?.drop(fact.piece);
        break;
      case 'metadata':
        void this.#handleMetadata(fact.info);
        break;
      case 'checked':
        this.#keeper.flush();
        this.#handleChecked();
        break;
      case 'finished':
        this.#handleFinished();
        break;
      case 'disk-trouble':
        this.#trouble.handle({ kind: 'fault', fault: fact.fault });
        break;
      default:
        this.#handleBroken(fact.fault);
    }
  }

  driven(): void {
    this.webSeeds?.poll();
  }

  connected(endpoint: Endpoint): void {
    this.#deps.emit({
      type: 'bittorrent.peer.connected',
      torrent: this.id,
      endpoint: formatEndpoint(endpoint),
    });
    this.#updateStarved();
  }

  closed(endpoint: Endpoint, fault: Fault | null, wasConnected: boolean): void {
    if (!wasConnected) return;
    const code = fault?.code ?? 'BITTORRENT_PEER_CLOSED';
    const message = fault?.message ?? 'The connection was not needed any more.';
    const at = { torrent: this.id, endpoint: formatEndpoint(endpoint) };
    this.#deps.emit({ type: 'bittorrent.peer.closed', ...at, code, message });
    this.#updateStarved();
  }

  banned(endpoint: Endpoint, fault: Fault): void {
    const { code, message } = fault;
    const at = { torrent: this.id, endpoint: formatEndpoint(endpoint) };
    this.#deps.emit({ type: 'bittorrent.peer.banned', ...at, code, message });
  }

  async #open(metainfo: Metainfo): Promise<void> {
    const { disk, clock, store } = this.#deps;
    const { info } = metainfo;
    this.#isOpening = true;
    this.#record = { ...this.#record, name: info.name, pieceCount: info.pieceCount };
    this.#record = { ...this.#record, filePriorities: this.#prioritiesOf(metainfo) };
    this.#saveRecord();
    store.saveMetainfo(this.id, this.exportTorrent(metainfo));
    const storage = new TorrentStorage(
      {
        info,
        id: this.id,
        place: this.#record,
        partsFolder: `${this.#options.dataFolder}/parts`,
        filePriorities: this.#record.filePriorities,
        progress: this.source.stored?.progress ?? null,
        bootId: this.#options.bootId,
        settleDelayMs,
      },
      {
        disk,
        clock,
        record: (change) => store.applyChange(this.id, change),
        savePlace: (place) => {
          this.#record = { ...this.#record, ...place };
          this.#saveRecord();
        },
      },
    );
    await storage.open();
    if (this.#isClosed) return;
    this.storage = storage;
    if (this.#record.preallocate) await storage.allocate();
    this.#isOpening = false;
    this.#activate(metainfo, storage);
  }

  #activate(metainfo: Metainfo, storage: TorrentStorage): void {
    const { info, pieceLayers } = metainfo;
    this.driver.run((torrent, nowMs) => {
      const content = torrent.setInfo(info, pieceLayers, nowMs);
      content.picker.setSequential(this.#record.sequential);
      storage.priorities.pieces.forEach((priority, piece) => {
        if (priority !== 4) content.setPriority(piece, priority);
      });
      const doubtful = this.#piecesToCheck(storage);
      this.checkCount = doubtful.length;
      content.start(piecesOf(storage.have), doubtful);
    });
    this.#joinWebSeeds(metainfo);
  }

  #joinWebSeeds(metainfo: Metainfo): void {
    const urls = new Set([...metainfo.webSeeds, ...this.source.webSeeds]);
    if (urls.size === 0) return;
    const { http, clock, log } = this.#deps;
    const userAgent = clientName.replace(' ', '/');
    const feeders = [...urls].map((url) =>
      this.torrent.addWebSeed(new WebSeed({ url, info: metainfo.info, userAgent })),
    );
    this.webSeeds = new TorrentWebSeeds(feeders, {
      http,
      clock,
      bind: this.#options.bind,
      received: (from, bytes) => this.#rates.received(from, bytes),
      changed: () => this.driver.drive(),
      failed: (url, fault, isDead) => log.debug('web-seed.failed', { url, code: fault.code, dead: isDead }),
    });
    this.driver.drive();
  }

  /** Of a torrent with a record: what it doubts; of a new one: whatever is there already. */
  #piecesToCheck(storage: TorrentStorage): number[] {
    const doubtful = new Set(piecesOf(storage.doubtful));
    if (this.source.stored === null || this.#add.seed === true) {
      for (const piece of piecesOf(storage.presentPieces()))
        if (!storage.have.has(piece)) doubtful.add(piece);
    }
    return [...doubtful].sort((a, b) => a - b);
  }

  #prioritiesOf(metainfo: Metainfo): Uint8Array {
    const { files } = metainfo.info;
    const known = this.#record.filePriorities;
    const select = this.#add.select ?? [];
    const ranges = this.source.select;
    if (known.length === files.length && select.length === 0 && ranges === null) return known;
    return Uint8Array.from(files, (file, index) => {
      const isInRange = ranges === null || ranges.some(([from, to]) => index >= from && index <= to);
      return isInRange && isSelected(file.path, select) ? 4 : 0;
    });
  }

  async #handleMetadata(infoBytes: Uint8Array): Promise<void> {
    const info = decodeInfo(infoBytes, this.#deps.hashes);
    if (!info.ok) {
      this.#handleBroken(info.fault);
      return;
    }
    const metainfo: Metainfo = {
      info: info.value,
      trackers: this.source.trackers,
      webSeeds: this.source.webSeeds,
      nodes: [],
      comment: null,
      createdBy: null,
      createdAt: null,
      pieceLayers: new Map(),
    };
    this.metainfo = metainfo;
    this.#deps.emit({ type: 'bittorrent.torrent.metadata', torrent: this.id, name: info.value.name });
    try {
      await this.#open(metainfo);
    } catch (error) {
      this.#handleBroken(openFault(error));
    }
  }

  /** The torrent file, with the trackers that we know. */
  exportTorrent(metainfo: Metainfo): Uint8Array {
    const trackers = metainfo.trackers.length > 0 ? metainfo.trackers : this.source.trackers;
    const layers = new Map(metainfo.pieceLayers);
    const tree = this.torrent.content?.hashTree;
    for (const file of metainfo.info.files) {
      const layer = tree?.pieceLayerOf(file.index) ?? null;
      if (layer !== null && file.piecesRoot !== null) layers.set(toHex(file.piecesRoot), layer);
    }
    return encodeMetainfo({ ...metainfo, infoBytes: metainfo.info.infoBytes, trackers, pieceLayers: layers });
  }

  #keep(pieces: readonly number[]): void {
    if (this.#isClosed) return;
    this.storage?.keep(pieces);
    this.#deps.emit({ type: 'bittorrent.pieces.kept', torrent: this.id, pieces });
  }

  #handleChecked(): void {
    const havePieceCount = this.torrent.content!.picker.have.setCount;
    this.#deps.emit({ type: 'bittorrent.torrent.checked', torrent: this.id, havePieceCount });
    this.#updateSeeding();
    if (!this.#isOpening) this.#announce();
  }

  /** Seeds are of no use to a seed, and of use again when more is wanted. */
  #updateSeeding(): void {
    this.#peerList.setSeeding(this.torrent.content?.isFinished ?? false);
  }

  #handleFinished(): void {
    if (this.#wasDownloading) this.#finishedAtMs = this.#deps.clock.nowMs();
    this.#keeper.flush();
    this.#peerList.setSeeding(true);
    if (this.#wasDownloading && this.#isAnnounced) this.trackers.handle({ type: 'completed' });
    this.#record = { ...this.#record, finishedMs: this.#record.finishedMs ?? this.#deps.clock.wallMs() };
    this.#saveRecord();
    void this.#finish();
  }

  async #finish(): Promise<void> {
    try {
      await this.storage?.finish();
      this.#deps.emit({
        type: 'bittorrent.torrent.finished',
        torrent: this.id,
        bytes: this.totals.downloadedBytes,
      });
    } catch (error) {
      this.#handleBroken(openFault(error));
    }
  }

  #handleBroken(fault: Fault): void {
    this.#broken = fault;
    const { code, message } = fault;
    this.#deps.emit({ type: 'bittorrent.torrent.failed', torrent: this.id, code, message });
    this.driver.stop();
    this.webSeeds?.stop();
    this.driver.run((torrent, nowMs) => torrent.setPaused(true, nowMs));
  }

  #recheckDoubtful(): void {
    const { storage } = this;
    storage?.doubt(null);
    const { content } = this.torrent;
    if (content === null || storage === null) return;
    this.checkCount = storage.doubtful.setCount;
    this.driver.run(() => content.doubt(piecesOf(storage.doubtful)));
  }

  #announce(): void {
    // While it is checked nobody knows yet whether this is a seed.
    const isChecking = (this.torrent.content?.checker.doubtCount ?? 0) > 0;
    if (this.#isAnnounced || this.#isPaused || this.#isClosed || isChecking) return;
    this.#isAnnounced = true;
    this.trackers.handle({ type: 'start', isComplete: this.torrent.content?.isFinished ?? false });
    this.#updateStarved();
  }

  #updateStarved(): void {
    if (!this.#isAnnounced) return;
    const starved = this.state !== 'seeding' && this.driver.connectionCount < starvedBelow;
    this.trackers.handle({ type: 'starved', starved });
  }

  async #addHost(hostPort: string, source: PeerSource): Promise<void> {
    const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(hostPort);
    const port = Number(match?.[3] ?? 0);
    const host = match?.[1] ?? match?.[2] ?? '';
    if (port < 1 || port > 65535) return;
    const literal = tryParseAddress(host);
    try {
      const addresses = literal === null ? await this.#deps.resolver.resolve(host) : [literal];
      for (const address of addresses)
        this.#peerList.add({ address, port }, source, this.#deps.clock.nowMs());
      this.driver.drive();
    } catch (error) {
      this.#deps.log.debug('peer.unresolved', { host, error: String(error) });
    }
  }

  #createTrouble(): DiskTrouble {
    const torrent = this.id;
    return new DiskTrouble(this.#deps.clock, {
      failed: (code, message) =>
        this.#deps.emit({ type: 'bittorrent.torrent.failed', torrent, code, message }),
      recovered: () => {
        this.#deps.emit({ type: 'bittorrent.torrent.recovered', torrent });
        this.driver.run((machine, nowMs) => machine.handleDiskRecovered(nowMs));
      },
      recheck: () => this.#recheckDoubtful(),
      tryStores: () => {
        const hasStuck = this.torrent.content?.hasStuckStores ?? false;
        this.driver.run((machine, nowMs) => machine.handleDiskRecovered(nowMs));
        return hasStuck;
      },
      look: (fault) => this.storage?.look(this.storage.fileOf(fault)) ?? Promise.resolve(null),
    });
  }

  #createTrackers(source: SessionSource, bind: IpAddress | null): TorrentTrackers {
    const { trackerClient: client, clock, prng, emit } = this.#deps;
    const torrent = this.id;
    const families: readonly (4 | 6)[] = bind === null ? [4, 6] : bind.includes(':') ? [6] : [4];
    return new TorrentTrackers(
      {
        tiers: [...source.trackers, ...(this.#add.trackers ? [this.#add.trackers] : [])],
        infoHashes: this.torrent.infoHashes,
        families,
        prng: prng.fork(),
      },
      { client, clock },
      {
        figures: () => ({
          peerId: this.torrent.peerId,
          port: this.#deps.listenPort(),
          uploadedBytes: this.torrent.up.totalBytes,
          downloadedBytes: this.torrent.down.totalBytes,
          leftBytes: this.leftBytes,
        }),
        peers: (peers, url) => this.#addTracked(peers, url),
        answered: (url, peerCount) => emit({ type: 'bittorrent.tracker.answered', torrent, url, peerCount }),
        failed: (url, { message }) => emit({ type: 'bittorrent.tracker.failed', torrent, url, message }),
        externalAddress: (address) => this.#peerList.markOwn({ address, port: this.#deps.listenPort() }),
      },
    );
  }

  /** Bytes that are still wanted; while nothing is known, one, so that trackers do not take us for a seed. */
  get leftBytes(): number {
    const { content } = this.torrent;
    return content === null ? 1 : content.picker.wantedBlocksLeft * 16384;
  }

  #addTracked(peers: readonly Endpoint[], url: string): void {
    const nowMs = this.#deps.clock.nowMs();
    const host = tryParseAddress(hostOf(url));
    const isLocalTracker = host !== null && isLocalAddress(host);
    for (const peer of peers) this.#peerList.add(peer, 'tracker', nowMs, isLocalTracker);
    this.driver.drive();
  }

  #saveRecord(): void {
    if (this.#isClosed) return;
    const filePriorities = this.storage === null ? this.#record.filePriorities : this.#currentPriorities();
    this.#record = { ...this.#record, ...this.totals, filePriorities, paused: this.#isPaused };
    this.#deps.store.save(this.#record);
  }

  #currentPriorities(): Uint8Array {
    const { storage } = this;
    return Uint8Array.from(storage!.info.files, (file) => storage!.priorities.fileAt(file.index));
  }
}

function* allPieces(pieceCount: number): Generator<number> {
  for (let piece = 0; piece < pieceCount; piece++) yield piece;
}

function hostOf(url: string): string {
  const host = /^[a-z]+:\/\/(\[[^\]]+\]|[^:/?#]+)/i.exec(url)?.[1] ?? '';
  return host.replace(/^\[|\]$/g, '');
}

function openFault(error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'BITTORRENT_OPEN', message, blame: 'none', penalty: 0 };
}
