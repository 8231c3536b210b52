/**
 * The torrents of a service: what can be asked of them and done with them once they are there. How they come in and go,
 * and what they share, is in service.ts.
 */
import {
  Bitfield,
  type Database,
  Emitter,
  type HttpClient,
  type IpAddress,
  NodeError,
  type Ports,
} from '@tequio/kernel';
import type { Admission, RateLimiter } from '@tequio/network';
import type {
  BittorrentEvent,
  FileSnapshot,
  LimitRule,
  PeerSnapshot,
  PieceView,
  RateLimitPair,
  TorrentChanges,
  TorrentEngineApi,
  TorrentId,
  TorrentRow,
  TorrentSnapshot,
  TrackerSnapshot,
  WebSeedSnapshot,
} from './contract.ts';
import type { ResumeRecord } from './core/resume-record.ts';
import type { Line } from './options.ts';
import type { PortMapping } from './shell/announced-port.ts';
import { readContent } from './shell/content-reader.ts';
import type { FinishedFiles } from './shell/finished-files.ts';
import type { RateLimits } from './shell/rate-limit.ts';
import { RestingTorrent, restingFiles } from './shell/resting-torrent.ts';
import { filesOf, haveOf, peersOf, piecesOf, toSnapshot } from './shell/session-snapshot.ts';
import type { TorrentNews } from './shell/torrent-news.ts';
import { noTorrent, type TorrentPlace, type TorrentPlaces } from './shell/torrent-places.ts';
import type { TorrentSession } from './shell/torrent-session.ts';
import type { TorrentStorage } from './shell/torrent-storage.ts';

/** What a user may set; more is refused with a sentence. */
const setLimits = { trackerCountMax: 1000, webSeedCountMax: 1000, textLengthMax: 2000 } as const;

export type BittorrentDeps = {
  readonly ports: Ports;
  /** By which trackers are asked; by default the same. */
  readonly trackerPorts?: Ports;
  /** By which web seeds are asked; by default the ports'. */
  readonly webSeedHttp?: HttpClient;
  /** Where torrents are remembered; null: nowhere, for one run only. */
  readonly database: Database | null;
  /** The user's address filter; by default all pass. */
  readonly allowAddress?: (address: IpAddress) => boolean;
  /** The one way out that the node is bound to, if it is. */
  readonly line?: Line;
  /** The node's port mapping; by default routers are not asked. */
  readonly portMapping?: PortMapping;
};

/** What the whole node has one of, for other networks to keep to as well. */
export interface NodeShares {
  /** Connection budget, bans, address filter. */
  readonly admission: Admission;
  /** A network's part of the node's bandwidth. */
  ratesOf(network: string): { readonly down: RateLimiter; readonly up: RateLimiter };
}

export abstract class ServiceTorrents implements Omit<TorrentEngineApi, 'add' | 'restore' | 'remove'> {
  protected readonly ports: Ports;
  protected readonly rates: RateLimits;
  protected readonly events = new Emitter<BittorrentEvent>();
  protected abstract readonly places: TorrentPlaces;
  protected abstract readonly news: TorrentNews;
  protected abstract readonly finishedFiles: FinishedFiles;

  constructor(ports: Ports, rates: RateLimits) {
    this.ports = ports;
    this.rates = rates;
  }

  ratesOf(network: string): ReturnType<NodeShares['ratesOf']> {
    return this.rates.ofNetwork(network);
  }

  setLimits(limits: RateLimitPair, schedule?: readonly LimitRule[]): void {
    this.rates.setLimits(limits, schedule);
  }

  setCategoryLimits(category: string, limits: RateLimitPair): void {
    this.rates.setCategoryLimits(category, limits);
  }

  async pause(torrent: TorrentId): Promise<void> {
    if (!(await this.places.setPaused(torrent, true))) await (await this.#opened(torrent)).pause();
    this.news.touch(torrent);
  }

  async resume(torrent: TorrentId): Promise<void> {
    if (!(await this.places.setPaused(torrent, false))) (await this.#opened(torrent)).resume();
  }

  async recheck(torrent: TorrentId): Promise<void> {
    await (await this.#opened(torrent)).recheck();
  }

  announce(torrent: TorrentId): void {
    this.place(torrent).announces.announceAgain();
  }

  async setFilePriority(torrent: TorrentId, files: readonly number[], priority: number): Promise<void> {
    const session = await this.#opened(torrent);
    const fileCount = session.metainfo?.info.files.length ?? 0;
    const isBad = (file: number): boolean => !Number.isInteger(file) || file < 0 || file >= fileCount;
    if (files.some(isBad) || !Number.isInteger(priority) || priority < 0 || priority > 7) {
      throw new NodeError('BITTORRENT_PRIORITY', 'Files are named by index, priorities go from 0 to 7.');
    }
    await session.setFilePriority(files, priority);
  }

  async setSequential(torrent: TorrentId, on: boolean): Promise<void> {
    this.#amend(torrent, { sequential: on }, ({ wants }) => wants.setSequential(on));
  }

  async setEdgesFirst(torrent: TorrentId, on: boolean): Promise<void> {
    this.#amend(torrent, { edgesFirst: on }, ({ wants }) => wants.setEdgesFirst(on));
  }

  async setPieceDeadline(torrent: TorrentId, piece: number, inMs: number | null): Promise<void> {
    const session = await this.#opened(torrent);
    if (!Number.isInteger(piece) || piece < 0 || piece >= (session.metainfo?.info.pieceCount ?? 0)) {
      throw new NodeError('BITTORRENT_PIECE', `The torrent has no piece ${piece}.`);
    }
    session.wants.setPieceDeadline(piece, inMs);
  }

  setSuperSeed(torrent: TorrentId, on: boolean): void {
    this.#amend(torrent, { superSeed: on }, ({ driver }) =>
      driver.run((machine, nowMs) => machine.setSuperSeed(on, nowMs)),
    );
  }

  async setTrackers(torrent: TorrentId, tiers: readonly (readonly string[])[]): Promise<void> {
    checkTexts(tiers.flat(), setLimits.trackerCountMax);
    const trackers = tiers.map((tier) => [...new Set(tier)]).filter((tier) => tier.length > 0);
    this.#amend(torrent, { trackers, hasOwnTrackers: true }, ({ announces }) =>
      announces.setTrackers(trackers),
    );
  }

  async setWebSeeds(torrent: TorrentId, urls: readonly string[]): Promise<void> {
    checkTexts(urls, setLimits.webSeedCountMax);
    const webSeeds = [...new Set(urls)];
    this.#amend(torrent, { webSeeds, hasOwnWebSeeds: true }, (session) => session.joinWebSeedsAnew());
  }

  setTorrentLimits(torrent: TorrentId, limits: RateLimitPair): void {
    const { down, up } = limits;
    if ([down, up].some((limit) => limit !== null && !(limit > 0 && Number.isFinite(limit))))
      throw new NodeError('BITTORRENT_LIMIT', 'A limit is a number of bytes a second above zero, or none.');
    this.#amend(torrent, { limitDown: down, limitUp: up }, ({ rates }) => rates.setLimits(limits));
  }

  setCategory(torrent: TorrentId, category: string | null): void {
    if (category !== null) checkTexts([category], 1);
    this.#amend(torrent, { category }, ({ rates }) => this.rates.setCategory(rates, category));
  }

  rename(torrent: TorrentId, name: string): void {
    checkTexts([name], 1);
    this.#amend(torrent, { title: name });
  }

  async move(torrent: TorrentId, folder: string): Promise<void> {
    await (await this.#storage(torrent)).move(folder);
  }

  setFilesFolder(torrent: TorrentId, folder: string | null): void {
    const place = this.place(torrent);
    const isSame = !(place instanceof RestingTorrent) && place.record.current.filesFolder === folder;
    if (!isSame) this.#amend(torrent, { filesFolder: folder }, () => this.finishedFiles.look(torrent));
  }

  async renameFile(torrent: TorrentId, file: number, path: string): Promise<void> {
    await (await this.#storage(torrent)).renameFile(file, path);
  }

  async addPeer(torrent: TorrentId, hostPort: string): Promise<void> {
    this.places.wake(torrent).finder.addPeers([hostPort]);
  }

  readContent(
    torrent: TorrentId,
    file: number,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const session = this.places.wake(torrent);
    if (session.metainfo === null) throw noMetadata();
    const found = session.metainfo.info.files[file];
    const isWhole = [file, offset, length].every((number) => Number.isInteger(number) && number >= 0);
    if (found === undefined || found.pad || !isWhole || offset + length > found.bytes)
      throw new NodeError(
        'BITTORRENT_FILE_RANGE',
        'The torrent has no such file, or the file no such bytes.',
      );
    const deps = {
      disk: this.ports.disk,
      watch: (listener: () => void) => this.events.subscribe(() => listener()),
      isThere: () => this.places.get(torrent) === session,
    };
    return readContent(session, { file, offset, length }, deps, signal);
  }

  torrents(): readonly TorrentSnapshot[] {
    return Array.from(this.places.all(), (place) => this.#snapshot(place));
  }

  torrent(torrent: TorrentId): TorrentSnapshot | null {
    const place = this.places.get(torrent);
    return place === null ? null : this.#snapshot(place);
  }

  rows(): readonly TorrentRow[] {
    const nowMs = this.ports.clock.nowMs();
    return Array.from(this.places.all(), (place) => this.places.rowOf(place, nowMs));
  }

  row(torrent: TorrentId): TorrentRow | null {
    const place = this.places.get(torrent);
    return place === null ? null : this.places.rowOf(place, this.ports.clock.nowMs());
  }

  changes(since: number): TorrentChanges {
    return this.news.since(since);
  }

  files(torrent: TorrentId): readonly FileSnapshot[] {
    return this.#files(this.place(torrent));
  }

  peers(torrent: TorrentId): readonly PeerSnapshot[] {
    const place = this.place(torrent);
    return place instanceof RestingTorrent ? [] : peersOf(place, this.ports.clock.nowMs());
  }

  trackers(torrent: TorrentId): readonly TrackerSnapshot[] {
    return this.place(torrent).announces.trackers();
  }

  webSeeds(torrent: TorrentId): readonly WebSeedSnapshot[] {
    const place = this.place(torrent);
    if (place instanceof RestingTorrent) return this.places.webSeedsAtRest(torrent);
    return place.webSeeds?.snapshot(this.ports.clock.nowMs()) ?? [];
  }

  pieces(torrent: TorrentId): PieceView {
    const place = this.place(torrent);
    return place instanceof RestingTorrent ? allPieces(place.row.pieceCount) : piecesOf(place);
  }

  exportTorrent(torrent: TorrentId): Uint8Array | null {
    const place = this.place(torrent);
    if (place instanceof RestingTorrent) return this.places.stored(torrent).metainfo;
    return place.metainfo === null ? null : place.exportTorrent(place.metainfo);
  }

  subscribe(listener: (event: BittorrentEvent) => void): () => void {
    return this.events.subscribe(listener);
  }

  protected emit(event: BittorrentEvent): void {
    if (event.type === 'bittorrent.torrent.removed') this.news.remove(event.torrent);
    else this.news.touch(event.torrent);
    this.events.emit(event);
  }

  /** @throws NodeError `BITTORRENT_NO_TORRENT` */
  protected place(torrent: TorrentId): TorrentPlace {
    const place = this.places.get(torrent);
    if (place === null) throw noTorrent(torrent);
    return place;
  }

  /** Changes what is remembered; one that is awake acts on it, one that rests need not wake for it. */
  #amend(
    torrent: TorrentId,
    fields: Partial<ResumeRecord>,
    act: (session: TorrentSession) => void = () => {},
  ): void {
    if (this.places.amend(torrent, fields)) return;
    const session = this.places.wake(torrent);
    this.news.touch(torrent);
    session.record.change(fields);
    act(session);
  }

  /** Awake, its files looked at, and about to be changed. */
  async #opened(torrent: TorrentId): Promise<TorrentSession> {
    this.news.touch(torrent);
    return await this.places.opened(torrent);
  }

  async #storage(torrent: TorrentId): Promise<TorrentStorage> {
    const { storage } = await this.#opened(torrent);
    if (storage === null) throw noMetadata();
    return storage;
  }

  #files(place: TorrentPlace): FileSnapshot[] {
    return place instanceof RestingTorrent
      ? restingFiles(this.places.stored(place.id), this.ports.hashes)
      : filesOf(place);
  }

  #snapshot(place: TorrentPlace): TorrentSnapshot {
    const nowMs = this.ports.clock.nowMs();
    const row = this.places.rowOf(place, nowMs);
    const isAtRest = place instanceof RestingTorrent;
    return toSnapshot(row, {
      have: isAtRest ? allPieces(row.pieceCount).have : haveOf(place),
      files: this.#files(place),
      trackers: place.announces.trackers(),
      peers: isAtRest ? [] : peersOf(place, nowMs),
    });
  }
}

function noMetadata(): NodeError {
  return new NodeError('BITTORRENT_NO_METADATA', 'The torrent is not known well enough yet.', {
    retry: true,
  });
}

function allPieces(pieceCount: number): PieceView {
  return { have: Bitfield.full(pieceCount).bytes, availability: new Uint8Array(0), active: [] };
}

/** @throws NodeError `BITTORRENT_TEXT` */
function checkTexts(texts: readonly string[], countMax: number): void {
  const isBad = (text: string): boolean => text === '' || text.length > setLimits.textLengthMax;
  if (texts.length > countMax || texts.some(isBad))
    throw new NodeError(
      'BITTORRENT_TEXT',
      `At most ${countMax}, each with 1 to ${setLimits.textLengthMax} letters.`,
    );
}
