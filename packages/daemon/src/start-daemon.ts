/**
 * A node as people run it: the node itself, everything that manages it, and its door to the outside, in this order, and
 * closed in reverse.
 *
 *   settings -> node (lock, database, engine) -> torrents of earlier runs -> what happens by itself -> HTTP
 */
import { join } from 'node:path';
import type { DaemonStart, Identity, Management, RunningDaemon, TorrentId } from '@tequio/api';
import type { Clock } from '@tequio/kernel';
import { createFiles, freeBytesAt, listFolder, removeFile, renameFile, runProgram } from '@tequio/runtime';
import { BittorrentIpfsBridge } from './bridge/bittorrent-ipfs.ts';
import { createKuboOpener } from './compat/kubo/kubo-node.ts';
import type { KuboDeps } from './compat/kubo/kubo-verb.ts';
import { finishTorrent } from './completion/completion.ts';
import { composeNode, type LocalNode } from './compose.ts';
import { SettingsBook } from './config/settings-book.ts';
import { Countries } from './countries.ts';
import { createFront, createGateway, createIpfs, createOverlay } from './daemon-parts.ts';
import { usualDataFolder } from './data-folder.ts';
import { removeRunningNode, writeRunningNode } from './data-lock.ts';
import { EventRing } from './events/event-ring.ts';
import { HistoryService } from './history/history-service.ts';
import type { HttpFront } from './http-front.ts';
import { ContentService } from './ipfs/content-service.ts';
import type { GatewayServer } from './ipfs/gateway-server.ts';
import type { NodeIpfs } from './ipfs/node-ipfs.ts';
import { LocalManagement } from './local-management.ts';
import { LogRing } from './log/log-ring.ts';
import { DhtService } from './network/dht-service.ts';
import { NetworkService } from './network/network-service.ts';
import { downloadFolderOf, nodeSettingsOf } from './node-settings.ts';
import type { NodeOverlay } from './overlay/node-overlay.ts';
import { feedLimits } from './rss/feed-parser.ts';
import { Feeds } from './rss/feeds.ts';
import { ClockWatch } from './status/clock-watch.ts';
import { NodeState } from './status/node-state.ts';
import { StatusService } from './status/status-service.ts';
import { openNodeTables } from './store/node-tables.ts';
import { pause, Supervisor } from './supervise/supervisor.ts';
import { readToken } from './token-file.ts';
import type { Allowance } from './torrents/torrent-adder.ts';
import { TorrentRoom } from './torrents/torrent-room.ts';
import { allows, nodeOwner } from './users/rights.ts';
import { UsersBook } from './users/users-book.ts';
import { WatchFolders } from './watch/watch-folders.ts';
import { fetchBytes } from './web-fetch.ts';

export type DaemonOptions = DaemonStart & {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Built page; null: none. */
  readonly pageFolder: string | null;
  /** List of addresses by country, in the MaxMind DB format; null, or not there: none. */
  readonly countryFile: string | null;
};

/** How often what is not worth a write each time is kept. */
const saveMs = 600_000;
const tickMs = 1000;

/**
 * Starts a node with management, and brings back all torrents.
 * @throws NodeError `DATA_IN_USE`, `DATA_FOLDER`, `CONFIG_SYNTAX`, `CONFIG_VERSION`, `CONFIG_ENVIRONMENT`,
 * `SETTINGS_VALUE`, `NET_LISTEN`, `HTTP_NO_PASSWORD`, `DATABASE_OPEN`, `DATABASE_NEWER`, and of the address filter
 */
export async function startDaemon(options: DaemonOptions): Promise<RunningDaemon> {
  const dataFolder = options.dataFolder ?? usualDataFolder(process.env, process.platform);
  const path = options.configPath ?? join(dataFolder, 'config.toml');
  const settings = await SettingsBook.open({ ...options, path }, createFiles());
  const log = new LogRing(() => Date.now());
  log.subscribe((line) => {
    if (line.level === 'warn' || line.level === 'error')
      options.onTrouble?.(`${line.name} ${JSON.stringify(line.fields)}`);
  });
  const node = await composeNode(nodeSettingsOf(settings.current, dataFolder), log, { alone: true });
  try {
    return await Daemon.start(node, settings, log, options);
  } catch (error) {
    await node.close();
    throw error;
  }
}

class Daemon {
  readonly #node: LocalNode;
  readonly #settings: SettingsBook;
  readonly #log: LogRing;
  readonly #clock: Clock;
  readonly #countries: Countries;
  readonly #events: EventRing;
  readonly #supervisor: Supervisor;
  readonly #state: NodeState;
  readonly #room: TorrentRoom;
  readonly #history: HistoryService;
  readonly #users: UsersBook;
  readonly #network: NetworkService;
  readonly #feeds: Feeds;
  readonly #overlay: NodeOverlay;
  readonly #ipfs: NodeIpfs;
  readonly #gateway: GatewayServer;
  readonly #front: HttpFront | null;
  readonly #startedAtMs: number;
  readonly ended: Promise<void>;
  #end: () => void = () => undefined;

  static async start(
    node: LocalNode,
    settings: SettingsBook,
    log: LogRing,
    options: DaemonOptions,
  ): Promise<RunningDaemon> {
    const { files, entropy } = node.parts.ports;
    openNodeTables(node.parts.database!);
    const token = await readToken(node.dataFolder, files, entropy);
    const daemon = new Daemon(node, settings, log, token, options);
    const management = daemon.#createManagement(options);
    node.manage({ management, close: () => daemon.#close() });
    const url = await daemon.#begin(node as LocalNode & { readonly management: Management }, options);
    return Object.assign(node as LocalNode & { readonly management: Management }, {
      url,
      ended: daemon.ended,
    });
  }

  private constructor(
    node: LocalNode,
    settings: SettingsBook,
    log: LogRing,
    token: string,
    { pageFolder, countryFile, version }: DaemonOptions,
  ) {
    const { ports, bittorrent, outside } = node.parts;
    const database = node.parts.database!;
    const { clock, entropy, files } = ports;
    this.#node = node;
    this.#settings = settings;
    this.#log = log;
    this.#clock = clock;
    this.#startedAtMs = clock.wallMs();
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    const events = new EventRing(() => clock.wallMs());
    this.#events = events;
    const emit: EventRing['emit'] = (event) => events.emit(event);
    this.#supervisor = new Supervisor({ clock, log, emit });
    const current = () => settings.current;
    this.#state = new NodeState({ database, engine: bittorrent, clock, settings: current, emit });
    this.#history = new HistoryService(database, bittorrent, clock);
    this.#countries = new Countries({ path: countryFile, files, clock, log });
    this.#room = new TorrentRoom({
      engine: bittorrent,
      database,
      clock,
      log,
      firstVersion: firstVersionOf(entropy.bytes(4)),
      settings: current,
      downloadFolder: () => downloadFolderOf(settings.current),
      isPaused: () => this.#state.paused !== null,
      countriesOf: (endpoints) => this.#countries.of(endpoints),
      allowanceOf: (who) => this.#allowanceOf(who),
      finish: (entry, places) =>
        finishTorrent(entry, { engine: bittorrent, places, log, settings: current, run: runProgram, emit }),
      emit,
    });
    this.#users = new UsersBook({
      database,
      clock,
      entropy,
      token,
      usageOf: (user) => this.#usageOf(user),
      handOver: (user) => this.#handOver(user),
    });
    const { http } = outside.trackerPorts;
    this.#network = new NetworkService({
      engine: bittorrent,
      nat: node.nat,
      clock,
      files,
      dataFolder: node.dataFolder,
      settings: () => settings.current.addressFilter,
      fetch: (url, bytesMax) => fetchBytes(url, bytesMax, http),
      use: (filter) => outside.setFilter(filter),
    });
    this.#feeds = new Feeds({
      database,
      clock,
      log,
      settings: () => settings.current.rss,
      fetch: (url) => fetchBytes(url, feedLimits.bytesMax, http),
      readSource: (url) => node.readSource(url),
      add: (torrent) => this.#room.as(nodeOwner).add(torrent),
      emit,
    });
    this.#overlay = createOverlay(node, current, version);
    this.#ipfs = createIpfs(node, log, current, this.#overlay);
    this.#gateway = createGateway(this.#ipfs, clock, log, current);
    this.#front = settings.current.http.enabled
      ? createFront(node, log, pageFolder, this.#createKubo(version))
      : null;
  }

  #createKubo(version: string): () => Promise<KuboDeps> {
    const { dataFolder } = this.#node;
    const { files, hashes, clock } = this.#node.parts.ports;
    return createKuboOpener({
      ipfs: this.#ipfs,
      dataFolder,
      files,
      hashes,
      clock,
      log: this.#log,
      settings: () => this.#settings.current,
      patchSettings: (changes) => this.#settings.patch(changes),
      version,
      shutdown: () => this.#end(),
    });
  }

  #createManagement({ version }: DaemonOptions): Management {
    const status = new StatusService({
      node: this.#node,
      state: this.#state,
      clock: this.#clock,
      version,
      startedAtMs: this.#startedAtMs,
      downloadFolder: () => downloadFolderOf(this.#settings.current),
      freeBytes: freeBytesAt,
      troubles: () => this.#supervisor.troubles(),
      settle: () => this.#room.caretaker.settle(),
      shutdown: () => this.#end(),
    });
    return new LocalManagement({
      torrentsOf: (who) => this.#room.as(who),
      status,
      history: this.#history,
      events: this.#events,
      log: this.#log,
      settings: this.#settings,
      rss: this.#feeds,
      users: this.#users,
      network: this.#network,
      dht: new DhtService(() => this.#node.bittorrent.dht),
      ipfs: new ContentService({
        ipfs: this.#ipfs,
        hashes: this.#node.parts.ports.hashes,
        isEnabled: () => this.#settings.current.ipfs.enabled,
        gatewayUrl: () => this.#gateway.url,
        countriesOf: (endpoints) => this.#countries.of(endpoints),
      }),
      bridgeOf: (torrents) =>
        new BittorrentIpfsBridge({
          torrents,
          engine: this.#node.parts.bittorrent,
          ipfs: this.#ipfs,
          disk: this.#node.parts.ports.disk,
          hashes: this.#node.parts.ports.hashes,
          downloadFolder: () => downloadFolderOf(this.#settings.current),
        }),
    });
  }

  async #begin(
    node: LocalNode & { readonly management: Management },
    { version }: DaemonOptions,
  ): Promise<string | null> {
    const { bittorrent, ports } = node.parts;
    bittorrent.subscribe((event) => {
      switch (event.type) {
        case 'bittorrent.piece.verified':
        case 'bittorrent.pieces.kept':
        case 'bittorrent.peer.connected':
        case 'bittorrent.peer.closed':
        case 'bittorrent.tracker.answered':
          return;
        case 'bittorrent.torrent.added':
        case 'bittorrent.torrent.metadata':
          void this.#keepTorrentFile(event.torrent);
          break;
        default:
      }
      this.#events.emit(event);
    });
    await this.#network.begin();
    this.#state.applyLimits();
    this.#applyReuse();
    const count = await bittorrent.restore();
    this.#room.book.pull();
    this.#room.book.dropWaiting();
    this.#log.info('node.started', { torrents: count, port: bittorrent.port });
    this.#startParts();
    this.#room.caretaker.resumeFinishing();
    const front = await this.#front?.start(node, { dataFolder: node.dataFolder, version });
    const running = {
      pid: process.pid,
      startedAtMs: this.#startedAtMs,
      url: front?.url.split('#')[0] ?? null,
    };
    await writeRunningNode(node.dataFolder, running, ports.files);
    return front?.url ?? null;
  }

  #startParts(): void {
    const { clock, files } = this.#node.parts.ports;
    const torrents = this.#room.as(nodeOwner);
    this.#settings.onChange((keys) => this.#handleSettings(keys));
    this.#supervisor.start({ name: 'torrents', run: (signal) => this.#tick(signal) });
    this.#supervisor.start({ name: 'address-filter', run: (signal) => this.#network.run(signal) });
    this.#supervisor.start({ name: 'overlay', run: (signal) => this.#overlay.run(signal) });
    this.#supervisor.start({ name: 'ipfs', run: (signal) => this.#ipfs.run(signal) });
    this.#supervisor.start({ name: 'ipfs-gateway', run: (signal) => this.#gateway.run(signal) });
    this.#supervisor.start({ name: 'rss', run: (signal) => this.#feeds.run(signal) });
    const watch = new WatchFolders({
      clock,
      log: this.#log,
      settings: () => this.#settings.current.watch,
      list: (folder) => listFolder(folder, 10_000),
      read: (path, bytesMax) => files.readFile(path, bytesMax),
      rename: renameFile,
      remove: removeFile,
      add: (torrent) => torrents.add(torrent),
      emit: (event) => this.#events.emit(event),
    });
    this.#supervisor.start({ name: 'watch', run: (signal) => watch.run(signal) });
  }

  /** A copy of the torrent file, where the user wants one; of a magnet when its metadata has come. */
  async #keepTorrentFile(id: TorrentId): Promise<void> {
    const folder = this.#settings.current.folders.torrentFiles;
    const { bittorrent, ports } = this.#node.parts;
    const bytes = folder === null ? null : bittorrent.exportTorrent(id);
    if (folder === null || bytes === null) return;
    try {
      const name = (bittorrent.row(id)?.name ?? '').replace(/[\\/:*?"<>|\p{Cc}]/gu, '_').slice(0, 60);
      await ports.files.makeFolder(folder);
      await ports.files.writeFile(join(folder, `${name}.${id.slice(0, 8)}.torrent`), bytes);
    } catch (error) {
      this.#log.warn('torrent-file.copy', { torrent: id, message: String(error) });
    }
  }

  /** Everything that is looked at once a second. */
  async #tick(signal: AbortSignal): Promise<void> {
    let savedMs = this.#clock.nowMs();
    const clockWatch = new ClockWatch(this.#clock, this.#log);
    do {
      clockWatch.tick();
      this.#state.tick();
      this.#room.caretaker.tick();
      this.#history.tick(this.#room.book.entries());
      this.#countries.tick();
      if (this.#clock.nowMs() - savedMs < saveMs) continue;
      savedMs = this.#clock.nowMs();
      this.#save();
    } while (await pause(tickMs, this.#clock, signal));
  }

  #handleSettings(keys: readonly string[]): void {
    this.#events.emit({ type: 'node.settings.changed', keys });
    if (keys.some((key) => /^(?:bittorrent\.limit|altLimits\.)/.test(key))) this.#state.applyLimits();
    if (keys.some((key) => key.startsWith('ipfs.limit'))) this.#ipfs.applyLimits();
    if (keys.includes('bittorrent.reuse')) this.#applyReuse();
    if (keys.some((key) => /^(?:completion\.eachFile|folders\.)/.test(key)))
      this.#room.caretaker.placeAllFiles();
    if (keys.some((key) => key.startsWith('queue.'))) this.#room.caretaker.settle();
  }

  #applyReuse(): void {
    const { book } = this.#room;
    const { reuse } = this.#settings.current.bittorrent;
    const isSame = (a: TorrentId, b: TorrentId): boolean => book.ownerOf(a) === book.ownerOf(b);
    this.#node.parts.bittorrent.setReuse((taker, giver) =>
      reuse === 'own' ? isSame(taker, giver) : reuse === 'all',
    );
  }

  #allowanceOf(who: Identity): Allowance {
    const user = this.#users.user(who.user);
    if (user === null || allows(who, 'admin'))
      return { folder: null, quotaBytes: null, torrentCountMax: null };
    const base =
      this.#settings.current.users.folder ?? join(downloadFolderOf(this.#settings.current), 'users');
    const { folder, quotaBytes, torrentCountMax } = user;
    return { folder: folder ?? join(base, user.name), quotaBytes, torrentCountMax };
  }

  #usageOf(user: string): { readonly usedBytes: number; readonly torrentCount: number } {
    let [usedBytes, torrentCount] = [0, 0];
    for (const { note, row } of this.#room.book.entries()) {
      if (note.owner !== user) continue;
      usedBytes += row.wantedBytes;
      torrentCount++;
    }
    return { usedBytes, torrentCount };
  }

  #handOver(user: string): void {
    const { book } = this.#room;
    const ids = [...book.entries()].filter(({ note }) => note.owner === user).map(({ id }) => id);
    book.change(ids, (note) => ({ ...note, owner: null }));
  }

  #save(): void {
    this.#history.save();
    this.#state.save();
  }

  async #close(): Promise<void> {
    this.#events.emit({ type: 'node.closing' });
    await this.#front?.close();
    await this.#supervisor.close();
    await this.#ipfs.close();
    this.#room.book.pull();
    this.#room.book.flush(true);
    this.#save();
    await removeRunningNode(this.#node.dataFolder);
  }
}

/** Far from those of any other run. */
function firstVersionOf(random: Uint8Array): number {
  return (new DataView(random.buffer, random.byteOffset).getUint32(0) + 1) * 2 ** 20;
}
