/**
 * The BitTorrent service of a node: many torrents behind one listening port, one disk, one set of limits.
 *
 *   incoming connection -> acceptor -> session whose info-hash it names
 *   add(source) -> session -> driver -> torrent machine
 */
import {
  type Database,
  type HttpClient,
  type IpAddress,
  type Log,
  NodeError,
  type Ports,
  Prng,
  RateMeter,
  readUint32,
  toHex,
} from '@tequio/kernel';
import { Admission, defaultConnectionLimits, SharedUdp, UtpStreams } from '@tequio/network';
import type {
  AddOptions,
  BanSnapshot,
  BittorrentApi,
  BittorrentTotals,
  CreateOptions,
  DhtApi,
  Progress,
  ShownTorrent,
  TorrentId,
  TorrentSource,
  VerifyReport,
} from './contract.ts';
import { clientName } from './core/conversation.ts';
import { ExternalAddress } from './core/external-address.ts';
import { PieceMemory } from './core/piece-memory.ts';
import { ReadCache } from './core/read-cache.ts';
import { toShown, toShownMagnet } from './core/shown-torrent.ts';
import { type BittorrentOptions, type CompleteOptions, defaultOptions, type Line } from './options.ts';
import { type BittorrentDeps, type NodeShares, ServiceTorrents } from './service-torrents.ts';
import { AnnouncedPort } from './shell/announced-port.ts';
import { banTarget, toBanSnapshot } from './shell/ban-snapshot.ts';
import { makeContent } from './shell/content-maker.ts';
import { countedDhtPort, countedUdp } from './shell/counted-datagrams.ts';
import { createTorrent } from './shell/creator.ts';
import { FinishedFiles } from './shell/finished-files.ts';
import { LocalDiscovery, type LocalDiscoveryDeps } from './shell/local-discovery.ts';
import { LocalTwins, type ReuseRule } from './shell/local-twins.ts';
import { MadeContent } from './shell/made-content.ts';
import { noDht } from './shell/no-dht.ts';
import type { NodeDht } from './shell/node-dht.ts';
import { PeerAcceptor } from './shell/peer-acceptor.ts';
import { createPeerDialer, type PeerDialer } from './shell/peer-dialer.ts';
import { PeerEncryption } from './shell/peer-encryption.ts';
import { startListening } from './shell/peer-listening.ts';
import { PeerTransports } from './shell/peer-transports.ts';
import { withProxyRules } from './shell/proxy-rules.ts';
import { RateLimits } from './shell/rate-limit.ts';
import { RestingTorrent, tryRestingRow } from './shell/resting-torrent.ts';
import { createResumeStore } from './shell/resume-store.ts';
import { MemoryResumeStore } from './shell/resume-store-memory.ts';
import type { SessionDeps, SessionSource } from './shell/session-source.ts';
import {
  peersOf,
  readMagnet,
  readSource,
  readTorrent,
  restoredSource,
  withStored,
} from './shell/source-reading.ts';
import { type AnnouncedSource, createAnnounces, type TorrentAnnounces } from './shell/torrent-announces.ts';
import { TorrentNews } from './shell/torrent-news.ts';
import { TorrentPlaces } from './shell/torrent-places.ts';
import { TorrentSession } from './shell/torrent-session.ts';
import { TrackerClient } from './shell/tracker-client.ts';
import { verifyTorrent } from './shell/verifier.ts';

/** Torrents of earlier runs whose files are looked at at the same time. */
const restoredAtOnce = 100;

/** The service: the contract, and its own start and end. */
export interface BittorrentService extends BittorrentApi, NodeShares {
  /** Our address as peers and trackers agree to see it; null: too few have said. */
  externalAddress(family: 4 | 6): IpAddress | null;
  /** Which torrents may take content from which; by default all may. */
  setReuse(rule: ReuseRule): void;
  /** Listens. @throws NodeError `NET_LISTEN` */
  start(): Promise<void>;
  /** Takes leave of trackers and peers, keeps all state, ends. */
  close(): Promise<void>;
}

class Service extends ServiceTorrents implements BittorrentService {
  readonly #options: CompleteOptions;
  readonly #trackerPorts: Ports;
  readonly #webSeedHttp: HttpClient | null;
  readonly #log: Log;
  readonly #database: Database | null;
  readonly #line: Line | null;
  protected readonly places: TorrentPlaces;
  protected readonly news: TorrentNews;
  protected readonly finishedFiles: FinishedFiles;
  readonly admission: Admission;
  readonly #acceptor: PeerAcceptor;
  readonly #dialer: PeerDialer;
  readonly #encryption: PeerEncryption;
  readonly #shared: SharedUdp;
  readonly #utp: UtpStreams;
  readonly #prng: Prng;
  readonly #traffic = { down: new RateMeter(), up: new RateMeter() };
  readonly #external = new ExternalAddress();
  readonly #announced: AnnouncedPort;
  readonly #localDiscovery: LocalDiscovery | null;
  readonly #twins: LocalTwins;
  readonly #made = new MadeContent(() => this.ports.disk);
  #dht: NodeDht | null = null;
  #running: Running | null = null;
  #deps: SessionDeps | null = null;
  #leaveLine = (): void => {};
  #nextOwner = 1;
  #nextJobId = 1;

  constructor(options: CompleteOptions, deps: BittorrentDeps) {
    const rates = new RateLimits(deps.ports.clock, {
      down: options.limitDown,
      up: options.limitUp,
      schedule: options.schedule,
      zoneMinutesAt: options.zoneMinutesAt,
    });
    super(deps.ports, rates);
    this.#options = options;
    this.#trackerPorts = deps.trackerPorts ?? deps.ports;
    this.#webSeedHttp = deps.webSeedHttp ?? null;
    this.#log = deps.ports.log;
    this.#database = deps.database;
    this.#line = deps.line ?? null;
    this.#announced = new AnnouncedPort(deps.portMapping ?? null, () => this.port);
    this.#prng = new Prng(readUint32(deps.ports.entropy.bytes(4), 0));
    this.#encryption = new PeerEncryption(options.encryption, deps.ports);
    const { tcp, udp, clock, entropy } = deps.ports;
    this.#shared = new SharedUdp({ udp });
    this.#utp = new UtpStreams({ shared: this.#shared, clock, entropy });
    this.#dialer = createPeerDialer({
      tcp: new PeerTransports(options.transport, { tcp, utp: this.#utp, clock }),
      clock,
      encryption: this.#encryption,
    });
    this.admission = new Admission({
      limits: {
        ...defaultConnectionLimits,
        total: options.totalConnectionCountMax,
        perGroup: options.connectionCountMax,
      },
      clock: deps.ports.clock,
      ...(deps.allowAddress === undefined ? {} : { allowAddress: deps.allowAddress }),
    });
    this.#acceptor = new PeerAcceptor({
      ports: deps.ports,
      admission: this.admission,
      encryption: this.#encryption,
      route: (infoHash, connection, prefix, slot) => {
        const place = this.places.byHandshake(infoHash);
        if (place === null || place.isPaused) return null;
        return this.places.wake(place.id).driver.accept(connection, prefix, slot);
      },
    });
    this.#localDiscovery = !options.lsd ? null : new LocalDiscovery(this.#nearbyDeps(options.bind));
    this.places = new TorrentPlaces(options, {
      clock,
      disk: deps.ports.disk,
      hashes: deps.ports.hashes,
      store: () => this.#mustRun().store,
      lineTrouble: () => this.#line?.trouble ?? null,
      createSession: (...args) => this.#createSession(...args),
      named: (place) => {
        for (const hash of place.announces.infoHashes) this.#encryption.addTorrent(hash);
        this.emit({ type: 'bittorrent.torrent.added', torrent: place.id, name: place.name });
      },
      changed: (torrent) => this.news.touch(torrent),
      emit: (event) => this.emit(event),
    });
    this.news = new TorrentNews(clock, this.places);
    this.finishedFiles = new FinishedFiles(this.places);
    const { places } = this;
    this.#twins = new LocalTwins({
      places,
      disk: deps.ports.disk,
      clock,
      store: () => this.#mustRun().store,
    });
    this.subscribe((event) => this.#twins.handleEvent(event));
    this.subscribe((event) => this.finishedFiles.handleEvent(event));
  }

  get dht(): DhtApi | null {
    return this.#dht?.queries ?? null;
  }

  get port(): number {
    return this.#acceptor.port;
  }

  externalAddress(family: 4 | 6): IpAddress | null {
    return this.#external.of(family);
  }

  setReuse(rule: ReuseRule): void {
    this.#twins.setRule(rule);
  }

  async start(): Promise<void> {
    const ports = this.ports;
    if (this.#database !== null) this.admission.open(this.#database);
    if (this.#line !== null) {
      const line = this.#line;
      this.#leaveLine = line.subscribe(() => {
        for (const place of this.places.all()) place.handleLine(line.trouble);
      });
    }
    this.rates.start();
    const store = this.#database === null ? new MemoryResumeStore() : createResumeStore(this.#database);
    const { disk } = ports;
    this.#running = {
      store,
      memory: new PieceMemory(disk, this.#options.pieceMemoryBytesMax),
      cache: new ReadCache(disk, this.#options.readCacheBytesMax),
      trackerClient: this.#createTrackerClient(),
    };
    await startListening(this.#options, {
      acceptor: this.#acceptor,
      shared: this.#shared,
      utp: this.#utp,
      log: this.#log,
    });
    this.#announced.start(this.#options.transport, (port) => {
      for (const session of this.places.awake()) session.handleAnnouncedPort(port);
      this.places.announceAgain();
    });
    if (this.#options.dht.enabled) await this.#startDht();
    await this.#localDiscovery?.start();
  }

  /** The DHT is loaded only where it is wanted. */
  async #startDht(): Promise<void> {
    const { NodeDht } = await import('./shell/node-dht.ts');
    const port = countedDhtPort(this.#shared, this.rates);
    this.#dht = new NodeDht(this.#options, this.ports, port, this.#database);
    this.#dht.start();
  }

  async close(): Promise<void> {
    this.#leaveLine();
    this.#announced.close();
    this.rates.close();
    this.#twins.close();
    await this.#localDiscovery?.close();
    await this.#acceptor.close();
    await this.places.close();
    await this.#running?.trackerClient.close();
    await this.#dht?.close();
    await this.#utp.close();
    await this.#shared.close();
    this.#running = null;
    this.#deps = null;
  }

  async add(source: TorrentSource, options: AddOptions): Promise<TorrentId> {
    const running = this.#mustRun();
    const read = readSource(source, this.ports.hashes);
    this.ports.disk.prepare(read.infoHashV2 === null ? read.metainfo?.info.pieceBytes : 0);
    const id = toHex(read.infoHashV1 ?? read.infoHashV2!);
    const known = this.places.get(id);
    const { peers = [] } = options;
    if (known !== null) {
      if (peers.length > 0) this.places.wake(id).finder.addPeers(peers);
      known.announces.addTrackers([...read.trackers, ...(options.trackers ? [options.trackers] : [])]);
      return id;
    }
    const stored = withStored(read, running.store.tryLoad(id), options.folder, this.ports.hashes);
    const whole = await this.#made.addTo(stored, id, options);
    if (this.places.get(id) !== null) return this.add(source, options);
    if (this.#tryEnterAtRest(whole, options)) return id;
    const session = this.places.enter(whole, options, this.#createAnnounces(whole, options.trackers ?? []));
    try {
      await session.start();
    } catch (error) {
      this.places.drop(session);
      await session.close();
      throw error;
    }
    session.finder.addPeers(peersOf(source), 'magnet');
    return id;
  }

  async restore(): Promise<number> {
    const { store } = this.#mustRun();
    const { torrents, unreadable } = store.list();
    for (const { id, fault } of unreadable)
      this.#log.warn('torrent.unreadable', { torrent: id, code: fault.code });
    const opening: Promise<void>[] = [];
    let count = 0;
    for (const { record, isComplete } of torrents) {
      if (this.places.get(record.id) !== null) continue;
      count++;
      const row = tryRestingRow(record, isComplete);
      if (row !== null && this.#options.restAfterMs !== null) {
        this.places.enterAtRest(row, this.#createAnnounces(record));
        continue;
      }
      const source = restoredSource(this.places.stored(record.id), this.ports.hashes);
      const { folder, paused } = record;
      const session = this.places.enter(source, { folder, paused }, this.#createAnnounces(source));
      session.begin(null);
      opening.push(session.whenBegun);
      if (opening.length % restoredAtOnce === 0) await session.whenBegun;
    }
    await Promise.all(opening);
    this.#twins.lookAtAll();
    return count;
  }

  /** One that an earlier run has left complete, and for which nothing else is asked. */
  #tryEnterAtRest({ stored, metainfo, trackers }: SessionSource, options: AddOptions): boolean {
    const { peers = [], select = [], filePriorities = [], paused = false, trackers: more = [] } = options;
    const isPlain = peers.length === 0 && select.length === 0 && filePriorities.length === 0;
    if (stored === null || metainfo === null || !isPlain || this.#options.restAfterMs === null) return false;
    const { record, progress } = stored;
    const isComplete = progress.have.isFull && progress.slots.size === 0;
    const row = record.paused === paused ? tryRestingRow(record, isComplete) : null;
    if (row === null) return false;
    this.places.enterAtRest(row, this.#createAnnounces({ ...record, trackers }, more));
    // Whoever adds it wants to hear the same as of one that had to be looked at.
    const { id, pieceCount, downloadedBytes } = row;
    this.emit({ type: 'bittorrent.torrent.checked', torrent: id, havePieceCount: pieceCount });
    this.emit({ type: 'bittorrent.torrent.finished', torrent: id, bytes: downloadedBytes });
    return true;
  }

  async remove(torrent: TorrentId, options: { readonly removeContent?: boolean } = {}): Promise<void> {
    if (options.removeContent === true) {
      // Whatever is stored after the removal would make the files anew.
      const session = await this.places.opened(torrent);
      await session.pause();
      await session.storage?.removeContent();
    }
    const place = this.place(torrent);
    this.places.drop(place);
    for (const hash of place.announces.infoHashes) this.#encryption.removeTorrent(hash);
    await (place instanceof RestingTorrent ? place.announces.close() : place.close());
    await this.places.settled(torrent);
    this.#mustRun().store.remove(torrent);
    this.emit({ type: 'bittorrent.torrent.removed', torrent });
  }

  totals(): BittorrentTotals {
    const nowMs = this.ports.clock.nowMs();
    const { down, up } = this.#traffic;
    const { budget } = this.admission;
    const families = this.dht?.status()?.families ?? [];
    return {
      downRate: Math.round(down.bytesPerSecond(nowMs)),
      upRate: Math.round(up.bytesPerSecond(nowMs)),
      downloadedBytes: down.totalBytes,
      uploadedBytes: up.totalBytes,
      torrentCount: this.places.count,
      connectionCount: budget.totalCount - budget.diallingCount,
      dhtNodeCount: families.reduce((sum, { contactCount }) => sum + contactCount, 0),
    };
  }

  bans(): readonly BanSnapshot[] {
    return this.admission.bans().map(toBanSnapshot);
  }

  ban(address: string, message: string): void {
    const ban = this.admission.ban(banTarget(address), { code: 'BITTORRENT_BANNED_BY_USER', message });
    for (const session of this.places.awake()) session.driver.expel(ban);
  }

  unban(address: string): boolean {
    return this.admission.unban(address);
  }

  show(source: TorrentSource): ShownTorrent {
    if ('torrent' in source) return toShown(readTorrent(source.torrent, this.ports.hashes));
    return toShownMagnet(readMagnet(source.magnet));
  }

  async create(
    options: CreateOptions,
    onProgress?: (progress: Progress) => void,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    return this.#made.remember(await createTorrent(options, this.ports, onProgress, signal));
  }

  readonly createFrom: BittorrentApi['createFrom'] = async (content, folder, ...more) =>
    this.#made.remember(await makeContent(content, folder, this.ports, ...more));

  async verify(
    torrent: Uint8Array,
    path: string,
    onProgress?: (progress: Progress) => void,
    signal?: AbortSignal,
  ): Promise<VerifyReport> {
    return verifyTorrent(readTorrent(torrent, this.ports.hashes), path, this.ports, onProgress, signal);
  }

  #createTrackerClient(): TrackerClient {
    const { http, resolver, clock, entropy, log } = this.#trackerPorts;
    const options = { userAgent: clientName.replace(' ', '/'), bind: this.#options.bind };
    const isShared = this.#trackerPorts === this.ports;
    const udp = countedUdp(isShared ? this.#shared.portOf('tracker') : this.#trackerPorts.udp, this.rates);
    return new TrackerClient(options, { http, resolver, clock, entropy, log, udp });
  }

  /** One by one, for ports are made when they are first used: an object spread over them would leave them out. */
  #nearbyDeps(bind: IpAddress | null): LocalDiscoveryDeps {
    const { udp, clock, entropy, log } = this.ports;
    const found: LocalDiscoveryDeps['found'] = (hash, endpoint) =>
      this.places.byHandshake(hash)?.announces.addNeighbour(endpoint);
    return { udp, clock, entropy, log, bind, listenPort: () => this.port, found };
  }

  /** @param more trackers besides */
  #createAnnounces(of: AnnouncedSource, more: readonly string[] = []): TorrentAnnounces {
    return createAnnounces(of, more, this.#options.bind, this.ports.entropy, this.#sessionDeps());
  }

  #createSession(source: SessionSource, options: AddOptions, announces: TorrentAnnounces): TorrentSession {
    const deps = { ...this.#sessionDeps(), prng: this.#prng.fork() };
    return new TorrentSession(source, options, this.#options, this.#nextOwner++, announces, deps);
  }

  /** The parts of the node that torrents work with. */
  #sessionDeps(): SessionDeps {
    this.#deps ??= this.#createSessionDeps(this.#mustRun());
    return this.#deps;
  }

  #createSessionDeps(running: Running): SessionDeps {
    const { clock, disk, resolver, hashes, log } = this.ports;
    return {
      clock,
      disk,
      dialer: this.#dialer,
      resolver,
      hashes,
      log,
      ...running,
      http: this.#webSeedHttp ?? this.ports.http,
      prng: this.#prng,
      rates: this.rates,
      admission: this.admission,
      traffic: this.#traffic,
      lineTrouble: () => this.#line?.trouble ?? null,
      banned: (ban) => {
        for (const session of this.places.awake()) session.driver.expel(ban);
      },
      nextJobId: () => this.#nextJobId++,
      listenPort: () => this.#announced.port,
      seenAt: (address, by) => this.#external.handleVote(address, by, clock.nowMs()),
      ownEndpoint: (family) => {
        const address = this.#external.of(family);
        return address === null ? null : { address, port: this.#announced.port };
      },
      ...(this.#dht?.forSession ?? noDht),
      localDiscovery: this.#localDiscovery,
      emit: (event) => this.emit(event),
      changed: (torrent) => this.news.touch(torrent),
    };
  }

  #mustRun(): Running {
    if (this.#running === null)
      throw new NodeError('BITTORRENT_NOT_STARTED', 'The service has not been started.');
    return this.#running;
  }
}

/**
 * A BitTorrent service over the given ports. Does nothing outside itself until `start`; `show`, `create` and `verify`
 * work without it.
 */
export function createBittorrent(options: BittorrentOptions, deps: BittorrentDeps): BittorrentService {
  return new Service(withProxyRules({ ...defaultOptions, ...options }), deps);
}

type Running = Pick<SessionDeps, 'store' | 'memory' | 'cache' | 'trackerClient'>;
