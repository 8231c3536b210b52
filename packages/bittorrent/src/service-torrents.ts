/**
 * The torrents of a service: what can be asked of them and done with them once they are there. How they come in and go,
 * and what they share, is in service.ts.
 */
import { Emitter, NodeError, type Ports } from '@tequio/kernel';
import type {
  BittorrentEvent,
  FileSnapshot,
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
import { readContent } from './shell/content-reader.ts';
import type { RateLimits } from './shell/rate-limit.ts';
import { filesOf, peersOf, piecesOf, rowOf, snapshotOf } from './shell/session-snapshot.ts';
import { TorrentNews } from './shell/torrent-news.ts';
import type { TorrentSession } from './shell/torrent-session.ts';

/** What a user may set; more is refused with a sentence. */
const setLimits = { trackerCountMax: 1000, webSeedCountMax: 1000, textLengthMax: 2000 } as const;

export abstract class ServiceTorrents implements Omit<TorrentEngineApi, 'add' | 'restore' | 'remove'> {
  protected readonly ports: Ports;
  protected readonly rates: RateLimits;
  protected readonly sessions = new Map<TorrentId, TorrentSession>();
  protected readonly events = new Emitter<BittorrentEvent>();
  protected readonly news: TorrentNews;

  constructor(ports: Ports, rates: RateLimits) {
    this.ports = ports;
    this.rates = rates;
    this.news = new TorrentNews(ports.clock, this.sessions);
  }

  async pause(torrent: TorrentId): Promise<void> {
    await this.changing(torrent).pause();
    this.news.touch(torrent);
  }

  async resume(torrent: TorrentId): Promise<void> {
    this.changing(torrent).resume();
  }

  async recheck(torrent: TorrentId): Promise<void> {
    await this.changing(torrent).recheck();
  }

  announce(torrent: TorrentId): void {
    this.changing(torrent).finder.announceAgain();
  }

  async setFilePriority(torrent: TorrentId, files: readonly number[], priority: number): Promise<void> {
    const session = this.changing(torrent);
    const fileCount = session.metainfo?.info.files.length ?? 0;
    const isBad = (file: number): boolean => !Number.isInteger(file) || file < 0 || file >= fileCount;
    if (files.some(isBad) || !Number.isInteger(priority) || priority < 0 || priority > 7) {
      throw new NodeError('BITTORRENT_PRIORITY', 'Files are named by index, priorities go from 0 to 7.');
    }
    await session.setFilePriority(files, priority);
    this.news.touch(torrent);
  }

  async setSequential(torrent: TorrentId, on: boolean): Promise<void> {
    this.changing(torrent).wants.setSequential(on);
  }

  async setEdgesFirst(torrent: TorrentId, on: boolean): Promise<void> {
    this.changing(torrent).wants.setEdgesFirst(on);
  }

  async setPieceDeadline(torrent: TorrentId, piece: number, inMs: number | null): Promise<void> {
    const session = this.changing(torrent);
    if (!Number.isInteger(piece) || piece < 0 || piece >= (session.metainfo?.info.pieceCount ?? 0)) {
      throw new NodeError('BITTORRENT_PIECE', `The torrent has no piece ${piece}.`);
    }
    session.wants.setPieceDeadline(piece, inMs);
  }

  setSuperSeed(torrent: TorrentId, on: boolean): void {
    const { driver, record } = this.changing(torrent);
    record.change({ superSeed: on });
    driver.run((machine, nowMs) => machine.setSuperSeed(on, nowMs));
  }

  async setTrackers(torrent: TorrentId, tiers: readonly (readonly string[])[]): Promise<void> {
    const { finder, record } = this.changing(torrent);
    checkTexts(tiers.flat(), setLimits.trackerCountMax);
    const trackers = tiers.map((tier) => [...new Set(tier)]).filter((tier) => tier.length > 0);
    record.change({ trackers, hasOwnTrackers: true });
    finder.setTrackers(trackers);
  }

  async setWebSeeds(torrent: TorrentId, urls: readonly string[]): Promise<void> {
    const session = this.changing(torrent);
    checkTexts(urls, setLimits.webSeedCountMax);
    session.setWebSeeds([...new Set(urls)]);
  }

  setTorrentLimits(torrent: TorrentId, limits: RateLimitPair): void {
    const { rates, record } = this.changing(torrent);
    const { down, up } = limits;
    if ([down, up].some((limit) => limit !== null && !(limit > 0 && Number.isFinite(limit))))
      throw new NodeError('BITTORRENT_LIMIT', 'A limit is a number of bytes a second above zero, or none.');
    rates.setLimits(limits);
    record.change({ limitDown: down, limitUp: up });
  }

  setCategory(torrent: TorrentId, category: string | null): void {
    const { rates, record } = this.changing(torrent);
    if (category !== null) checkTexts([category], 1);
    this.rates.setCategory(rates, category);
    record.change({ category });
  }

  rename(torrent: TorrentId, name: string): void {
    const { record } = this.changing(torrent);
    checkTexts([name], 1);
    record.change({ title: name });
  }

  async move(torrent: TorrentId, folder: string): Promise<void> {
    await this.opened(torrent).move(folder);
    this.news.touch(torrent);
  }

  async renameFile(torrent: TorrentId, file: number, path: string): Promise<void> {
    await this.opened(torrent).renameFile(file, path);
    this.news.touch(torrent);
  }

  async addPeer(torrent: TorrentId, hostPort: string): Promise<void> {
    this.changing(torrent).finder.addPeers([hostPort]);
  }

  readContent(
    torrent: TorrentId,
    file: number,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const session = this.session(torrent);
    const found = this.opened(torrent).info.files[file];
    const isWhole = [file, offset, length].every((number) => Number.isInteger(number) && number >= 0);
    if (found === undefined || found.pad || !isWhole || offset + length > found.bytes)
      throw new NodeError(
        'BITTORRENT_FILE_RANGE',
        'The torrent has no such file, or the file no such bytes.',
      );
    const deps = {
      disk: this.ports.disk,
      watch: (listener: () => void) => this.events.subscribe(() => listener()),
      isThere: () => this.sessions.get(torrent) === session,
    };
    return readContent(session, { file, offset, length }, deps, signal);
  }

  torrents(): readonly TorrentSnapshot[] {
    const nowMs = this.ports.clock.nowMs();
    return Array.from(this.sessions.values(), (session) => snapshotOf(session, nowMs));
  }

  torrent(torrent: TorrentId): TorrentSnapshot | null {
    const session = this.sessions.get(torrent);
    return session === undefined ? null : snapshotOf(session, this.ports.clock.nowMs());
  }

  rows(): readonly TorrentRow[] {
    const nowMs = this.ports.clock.nowMs();
    return Array.from(this.sessions.values(), (session) => rowOf(session, nowMs));
  }

  row(torrent: TorrentId): TorrentRow | null {
    const session = this.sessions.get(torrent);
    return session === undefined ? null : rowOf(session, this.ports.clock.nowMs());
  }

  changes(since: number): TorrentChanges {
    return this.news.since(since);
  }

  files(torrent: TorrentId): readonly FileSnapshot[] {
    return filesOf(this.session(torrent));
  }

  peers(torrent: TorrentId): readonly PeerSnapshot[] {
    return peersOf(this.session(torrent), this.ports.clock.nowMs());
  }

  trackers(torrent: TorrentId): readonly TrackerSnapshot[] {
    return this.session(torrent).finder.trackers();
  }

  webSeeds(torrent: TorrentId): readonly WebSeedSnapshot[] {
    return this.session(torrent).webSeeds?.snapshot(this.ports.clock.nowMs()) ?? [];
  }

  pieces(torrent: TorrentId): PieceView {
    return piecesOf(this.session(torrent));
  }

  exportTorrent(torrent: TorrentId): Uint8Array | null {
    const session = this.session(torrent);
    return session.metainfo === null ? null : session.exportTorrent(session.metainfo);
  }

  subscribe(listener: (event: BittorrentEvent) => void): () => void {
    return this.events.subscribe(listener);
  }

  protected emit(event: BittorrentEvent): void {
    if (event.type === 'bittorrent.torrent.removed') this.news.remove(event.torrent);
    else this.news.touch(event.torrent);
    this.events.emit(event);
  }

  /** That of a torrent of which something is being set: it will look different to whoever asks for changes. */
  protected changing(torrent: TorrentId): TorrentSession {
    this.news.touch(torrent);
    return this.session(torrent);
  }

  protected session(torrent: TorrentId): TorrentSession {
    const session = this.sessions.get(torrent);
    if (session === undefined) {
      throw new NodeError('BITTORRENT_NO_TORRENT', `There is no torrent ${torrent} here.`);
    }
    return session;
  }

  protected opened(torrent: TorrentId): NonNullable<TorrentSession['storage']> {
    const { storage } = this.session(torrent);
    if (storage === null) {
      throw new NodeError('BITTORRENT_NO_METADATA', 'The torrent is not known well enough yet.', {
        retry: true,
      });
    }
    return storage;
  }
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
