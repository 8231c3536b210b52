/**
 * The life of one torrent in the node: what it is, where its content lies, whom it talks to, what is remembered.
 *
 *   metadata ─ info arrives ─> opening (files are looked at) ─> active ─ close ─> closed
 *                                 active: checking -> downloading -> seeding, and error as long as the disk says so
 *
 * It joins the parts (torrent machine and driver, storage, trackers, resume record); each of them decides its own.
 */
import { type Endpoint, type Fault, type FileSpan, formatEndpoint, toHex } from '@tequio/kernel';
import type { Ban } from '@tequio/network';
import type { AddOptions, TorrentId, TorrentState } from '../contract.ts';
import { PeerList } from '../core/peer-list.ts';
import { piecesOf } from '../core/peer-pieces.ts';
import { Torrent } from '../core/torrent.ts';
import type { CompleteOptions } from '../options.ts';
import { decodeInfo } from '../wire/metainfo-info.ts';
import type { Metainfo } from '../wire/torrent-info.ts';
import { partedFault } from './connection-faults.ts';
import { type DiskTrouble, openFault } from './disk-trouble.ts';
import type { DriverHost, TorrentFact } from './driver-host.ts';
import { changeOfMade } from './made-content.ts';
import { PeerFinder, type PeerFinderHost } from './peer-finder.ts';
import { PieceKeeper } from './piece-keeper.ts';
import { allPieces, piecesToCheck } from './pieces-to-check.ts';
import type { TorrentRates } from './rate-limit.ts';
import { SessionRecord, type SessionRecordHost } from './session-record.ts';
import { metainfoOf, type SessionDeps, type SessionSource } from './session-source.ts';
import { createSessionTrouble } from './session-trouble.ts';
import { SessionWants } from './session-wants.ts';
import type { TorrentAnnounces } from './torrent-announces.ts';
import { TorrentDriver } from './torrent-driver.ts';
import { encodeTorrentFile } from './torrent-export.ts';
import { TorrentStorage } from './torrent-storage.ts';
import { settleDelayMs } from './torrent-storage-options.ts';
import { joinWebSeeds, type TorrentWebSeeds, webSeedsOf } from './torrent-web-seeds.ts';

export class TorrentSession implements DriverHost, PeerFinderHost, SessionRecordHost {
  readonly id: TorrentId;
  readonly source: SessionSource;
  readonly torrent: Torrent;
  readonly driver: TorrentDriver;
  readonly finder: PeerFinder;
  readonly announces: TorrentAnnounces;
  readonly record: SessionRecord;
  readonly wants: SessionWants;
  readonly rates: TorrentRates;
  metainfo: Metainfo | null;
  storage: TorrentStorage | null = null;
  webSeeds: TorrentWebSeeds | null = null;
  /** Pieces to be looked at, at the last start of a check. */
  checkCount = 0;
  whenBegun: Promise<void> = Promise.resolve();
  /** When somebody was connected, or being dialled, last. */
  busyAtMs: number;

  readonly #deps: SessionDeps;
  readonly #options: CompleteOptions;
  readonly #owner: number;
  readonly #keeper: PieceKeeper;
  readonly #trouble: DiskTrouble;
  readonly #add: AddOptions;
  #broken: Fault | null = null;
  #isOpening = false;
  #isPaused = false;
  #isClosed = false;
  #wasDownloading = false;
  #finishedAtMs: number | null = null;

  constructor(
    source: SessionSource,
    add: AddOptions,
    options: CompleteOptions,
    owner: number,
    announces: TorrentAnnounces,
    deps: SessionDeps,
  ) {
    this.id = toHex(source.infoHashV1 ?? source.infoHashV2!);
    this.source = source;
    this.metainfo = source.metainfo;
    this.#deps = deps;
    this.#options = options;
    this.#owner = owner;
    this.#add = add;
    this.record = new SessionRecord(this.id, source, add, deps, this);
    const peerList = new PeerList({
      prng: deps.prng.fork(),
      isWelcome: (endpoint) => deps.admission.isWelcome(endpoint),
      ownEndpoint: deps.ownEndpoint,
    });
    const { limitDown, limitUp, superSeed, category } = this.record.current;
    this.rates = deps.rates.ofTorrent(this.id, { down: limitDown, up: limitUp }, category);
    this.torrent = new Torrent(
      {
        infoHashV1: source.infoHashV1,
        infoHashV2: source.infoHashV2,
        peerId: announces.peerId,
        listenPort: deps.listenPort(),
        uploadSlots: options.uploadSlots,
        superSeed,
        pex: options.pex,
        holepunch: options.transport !== 'tcp',
        dhtPort: deps.dhtPort,
      },
      { ...deps, owner, gate: this.rates },
    );
    this.driver = new TorrentDriver(
      this.torrent,
      peerList,
      {
        ...deps,
        bind: options.bind,
        rates: this.rates,
      },
      this,
    );
    this.wants = new SessionWants(this);
    this.busyAtMs = deps.clock.nowMs();
    this.#keeper = new PieceKeeper(deps.clock, (pieces) => this.#keep(pieces));
    this.#trouble = createSessionTrouble(this, deps);
    // Whoever comes before the files are looked at is not asked what is known, and hears of nobody it should not.
    if (source.metainfo !== null) this.torrent.setKnown(source.metainfo.info);
    this.announces = announces;
    this.finder = new PeerFinder(peerList, announces, deps, this);
    if (source.metainfo?.info.private === true) peerList.setPrivate();
    announces.attach(this.finder);
  }

  get name(): string {
    return this.record.current.title ?? this.metainfo?.info.name ?? this.source.name;
  }

  get folder(): string {
    return this.storage?.folder ?? this.record.current.folder;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** A plain sentence while something is wrong that does not go away by itself, or not yet. */
  get error(): { readonly code: string; readonly message: string } | null {
    if (this.#broken !== null) return this.#broken;
    const message = this.#deps.lineTrouble();
    return message === null ? this.#trouble.current : { code: 'BITTORRENT_LINE_DOWN', message };
  }

  get state(): TorrentState {
    if (this.error !== null) return 'error';
    if (this.#isPaused) return 'paused';
    const content = this.torrent.content;
    if (content === null) return this.metainfo === null ? 'metadata' : 'checking';
    if (this.#isOpening || content.checker.doubtCount > 0) return 'checking';
    return content.isFinished ? 'seeding' : 'downloading';
  }

  /** Starts one that was there before; what goes wrong is shown, not thrown. @param after not before this */
  begin(after: Promise<void> | null): void {
    const started = after === null ? this.start() : after.then(() => this.start());
    this.whenBegun = started.catch((error: unknown) => this.fail(error));
  }

  /** Remembers the torrent, looks at its files if it is known, and begins. @throws NodeError of the disk */
  async start(): Promise<void> {
    if (this.#isClosed) return;
    this.#isPaused = this.#add.paused ?? false;
    this.record.begin();
    if (this.#isPaused) this.driver.run((torrent, nowMs) => torrent.setPaused(true, nowMs));
    if (this.metainfo !== null) await this.#open(this.metainfo);
    if (!this.#isPaused) this.driver.start();
    this.finder.addPeers(this.#add.peers ?? []);
    this.#announce();
  }

  /** It could not be begun: it stays, and says why. */
  fail(error: unknown): void {
    this.#handleBroken(openFault(error));
  }

  async pause(): Promise<void> {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#stop();
    this.record.save();
    await this.announces.leave();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#trouble.handle({ kind: 'reset' });
    this.driver.run((torrent, nowMs) => torrent.setPaused(false, nowMs));
    this.driver.start();
    this.record.save();
    this.#announce();
  }

  /** Reads everything anew, through handles of now: an open file that was removed can still be read. */
  async recheck(): Promise<void> {
    await this.storage?.reopen();
    if (this.#isClosed) return;
    this.#keeper.flush();
    this.storage?.doubt(null);
    this.#trouble.handle({ kind: 'reset' });
    const { content } = this.torrent;
    if (content === null) return;
    this.checkCount = content.info.pieceCount;
    this.driver.run(() => content.doubt(allPieces(content.info.pieceCount)));
  }

  async setFilePriority(files: readonly number[], priority: number): Promise<void> {
    await this.wants.setFilePriority(files, priority);
    this.#updateSeeding();
    this.driver.drive();
  }

  /** A router has given us another port, or taken it back. */
  handleAnnouncedPort(port: number): void {
    this.torrent.listenPort = port;
    this.announces.announcePort();
  }

  /** The node's way out is gone, for this reason, or back (null). */
  handleLine(message: string | null): void {
    if (this.#isClosed || this.#broken !== null) return;
    const torrent = this.id;
    if (message === null) {
      this.#deps.emit({ type: 'bittorrent.torrent.recovered', torrent });
      if (!this.#isPaused) this.driver.start();
      this.finder.retry();
    } else {
      this.#deps.emit({ type: 'bittorrent.torrent.failed', torrent, code: 'BITTORRENT_LINE_DOWN', message });
      this.driver.stop();
    }
  }

  /** The user has replaced them; those of before are let go of, with what they were about to send. */
  joinWebSeedsAnew(): void {
    this.webSeeds?.leave(this.torrent);
    this.webSeeds = null;
    if (this.storage !== null && this.metainfo !== null) this.#joinWebSeeds(this.metainfo);
  }

  /** Takes leave, settles what was written and records it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#stop();
    const leaving = this.announces.close();
    const untilMs = this.#deps.clock.nowMs() + 5000;
    // A file that has just been completed is not synced: who waits for a download does not wait for the disk.
    const isFresh = this.#finishedAtMs !== null && untilMs - this.#finishedAtMs < settleDelayMs;
    await this.#end(() => isFresh || this.#deps.clock.nowMs() > untilMs);
    await leaving;
  }

  /** Ends like `close`, but trackers and others still hear that the torrent is here. */
  async rest(): Promise<void> {
    this.#stop();
    await this.#end(() => false);
  }

  #stop(): void {
    this.driver.stop();
    this.webSeeds?.stop();
    this.driver.run((torrent, nowMs) => torrent.setPaused(true, nowMs));
  }

  async #end(isLate: () => boolean): Promise<void> {
    this.#trouble.close();
    this.#keeper.flush();
    this.record.save();
    this.record.close();
    this.#isClosed = true;
    this.webSeeds?.close();
    this.driver.close();
    this.rates.close();
    await this.storage?.close(isLate);
    this.#deps.cache.forget(this.#owner);
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
        this.#trouble.handle(fact.fault === null ? { kind: 'good' } : { kind: 'fault', fault: fact.fault });
        break;
      default:
        this.#handleBroken(fact.fault);
    }
  }

  driven(): void {
    if (this.driver.isBusy) this.busyAtMs = this.#deps.clock.nowMs();
    if (!this.#isPaused) this.webSeeds?.poll();
    this.#deps.changed(this.id);
  }

  connected(...[endpoint, incoming, over]: Parameters<DriverHost['connected']>): void {
    this.#deps.emit({
      type: 'bittorrent.peer.connected',
      torrent: this.id,
      endpoint: formatEndpoint(endpoint),
      incoming,
      transport: over.isUtp ? 'utp' : 'tcp',
      encrypted: over.isEncrypted,
    });
    this.announces.updateStarved();
  }

  closed(endpoint: Endpoint, fault: Fault | null, wasConnected: boolean): void {
    if (!wasConnected) return;
    const { code, message } = fault ?? partedFault;
    const closed = { torrent: this.id, endpoint: formatEndpoint(endpoint), code, message };
    this.#deps.emit({ type: 'bittorrent.peer.closed', ...closed });
    this.announces.updateStarved();
  }

  banned(endpoint: Endpoint, ban: Ban): void {
    const { code, message } = ban;
    const banned = { torrent: this.id, endpoint: formatEndpoint(endpoint), code, message };
    this.#deps.emit({ type: 'bittorrent.peer.banned', ...banned });
    this.#deps.banned(ban);
  }

  async #open(metainfo: Metainfo): Promise<void> {
    const { disk, clock, store } = this.#deps;
    this.#isOpening = true;
    const { info } = metainfo;
    this.record.open(info.name, info.pieceCount, this.record.prioritiesOf(info.files));
    if (this.source.isBack !== true || this.source.metainfo === null)
      store.saveMetainfo(this.id, this.exportTorrent(metainfo));
    const storage = new TorrentStorage(
      {
        info,
        id: this.id,
        place: this.record.current,
        partsFolder: `${this.#options.dataFolder}/parts`,
        filePriorities: this.record.current.filePriorities,
        progress: this.source.stored?.progress ?? this.source.made ?? null,
        bootId: this.#options.bootId,
        settleDelayMs,
      },
      {
        disk,
        clock,
        record: (change) => store.applyChange(this.id, change),
        savePlace: (place) => this.record.change(place),
        stuck: ({ message }) => this.#deps.log.warn('file.stuck', { torrent: this.id, message }),
      },
    );
    await storage.open();
    if (this.#isClosed) return;
    if (this.source.made !== undefined) store.applyChange(this.id, changeOfMade(this.source.made));
    this.storage = storage;
    if (this.record.current.preallocate) await storage.allocate();
    this.#isOpening = false;
    this.#activate(metainfo, storage);
  }

  #activate(metainfo: Metainfo, storage: TorrentStorage): void {
    const { info, pieceLayers } = metainfo;
    if (info.private) this.finder.setPrivate();
    this.driver.run((torrent, nowMs) => {
      const content = torrent.setInfo(info, pieceLayers, nowMs);
      content.picker.setSequential(this.record.current.sequential);
      storage.priorities.setEdgesFirst(this.record.current.edgesFirst);
      storage.priorities.pieces.forEach((priority, piece) => {
        if (priority !== 4) content.setPriority(piece, priority);
      });
      const doubtful = piecesToCheck(storage, this.source.stored === null || this.#add.seed === true);
      this.checkCount = doubtful.length;
      content.start(piecesOf(storage.have), doubtful);
    });
    this.#joinWebSeeds(metainfo);
  }

  #joinWebSeeds(metainfo: Metainfo): void {
    const urls = webSeedsOf(this.record.current, [...metainfo.webSeeds, ...this.source.webSeeds]);
    if (urls.length === 0) return;
    this.webSeeds = joinWebSeeds(urls, this.torrent, metainfo.info, {
      ...this.#deps,
      bind: this.#options.bind,
      received: (from, bytes) => this.rates.received(from, bytes),
      changed: () => this.driver.drive(),
    });
    this.driver.drive();
  }

  async #handleMetadata(infoBytes: Uint8Array): Promise<void> {
    const info = decodeInfo(infoBytes, this.#deps.hashes);
    if (!info.ok) {
      this.#handleBroken(info.fault);
      return;
    }
    this.metainfo = metainfoOf(info.value, this.source);
    this.#deps.emit({ type: 'bittorrent.torrent.metadata', torrent: this.id, name: info.value.name });
    try {
      await this.#open(this.metainfo);
    } catch (error) {
      this.fail(error);
    }
  }

  /** The torrent file, with the trackers that we know. */
  exportTorrent(metainfo: Metainfo): Uint8Array {
    return encodeTorrentFile(metainfo, this.source.trackers, this.torrent.content?.hashTree ?? null);
  }

  #keep(pieces: readonly number[]): void {
    if (this.#isClosed) return;
    this.storage?.keep(pieces);
    this.#deps.emit({ type: 'bittorrent.pieces.kept', torrent: this.id, pieces });
  }

  #handleChecked(): void {
    const havePieceCount = this.torrent.content!.picker.have.setCount;
    if (!this.#isOldNews)
      this.#deps.emit({ type: 'bittorrent.torrent.checked', torrent: this.id, havePieceCount });
    this.#updateSeeding();
    if (!this.#isOpening) this.#announce();
  }

  #updateSeeding(): void {
    this.finder.setSeeding(this.torrent.content?.isFinished ?? false);
  }

  #handleFinished(): void {
    if (this.#wasDownloading) this.#finishedAtMs = this.#deps.clock.nowMs();
    this.#keeper.flush();
    this.finder.setSeeding(true);
    if (this.#wasDownloading) this.announces.complete();
    if (this.record.current.finishedMs === null)
      this.record.change({ finishedMs: this.#deps.clock.wallMs() });
    void this.#finish();
  }

  /** It is what it was, and nothing had to be checked or downloaded for that. */
  get #isOldNews(): boolean {
    return this.source.isBack === true && this.checkCount === 0 && !this.#wasDownloading;
  }

  async #finish(): Promise<void> {
    try {
      await this.storage?.finish();
      if (this.#isOldNews) return;
      const bytes = this.record.totals.downloadedBytes;
      this.#deps.emit({ type: 'bittorrent.torrent.finished', torrent: this.id, bytes });
    } catch (error) {
      this.fail(error);
    }
  }

  #handleBroken(fault: Fault): void {
    this.#broken = fault;
    const { code, message } = fault;
    this.#deps.emit({ type: 'bittorrent.torrent.failed', torrent: this.id, code, message });
    this.#stop();
  }

  #announce(): void {
    // While it is checked nobody knows yet whether this is a seed.
    const isChecking = (this.torrent.content?.checker.doubtCount ?? 0) > 0;
    if (!this.#isPaused && !this.#isClosed && !isChecking) this.announces.announce();
  }
}
