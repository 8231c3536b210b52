/**
 * The one composition root: everything that runs is made here, in this order, and closed in reverse.
 *
 *   ports -> database -> way outside -> port mapping -> bittorrent -> trackers of our own
 */
import { dirname, join } from 'node:path';
import type {
  IpfsApi,
  Management,
  NatHandle,
  NatOptions,
  NatReachability,
  NodeApi,
  NodeFiles,
  NodeSettings,
  TrackerHandle,
  TrackerOptions,
} from '@tequio/api';
import { type BittorrentService, createBittorrent, createTracker } from '@tequio/bittorrent';
import {
  type Database,
  type FileRef,
  type IpAddress,
  type Log,
  NodeError,
  silentLog,
  tryFromHex,
  tryParseAddress,
} from '@tequio/kernel';
import { createRuntimePorts, type FolderLock, type RuntimePorts, readBootId } from '@tequio/runtime';
import { IpfsWebSeeds } from './bridge/ipfs-web-seeds.ts';
import { usualDataFolder } from './data-folder.ts';
import { lockDataFolder } from './data-lock.ts';
import type { CommandIpfs } from './ipfs/command-ipfs.ts';
import { createMutableKeys } from './mutable-keys.ts';
import type { NodeNat } from './node-nat.ts';
import { NodeReachability } from './node-reachability.ts';
import { createOutside, type Outside } from './outside.ts';
import { readSource } from './source-reader.ts';

/** The port that is tried first; when it is taken, any free one. */
const usualPort = 27272;

/**
 * Starts a node in this process.
 * @throws NodeError `NET_LISTEN`, `DATABASE_OPEN`, `FILE_WRITE`, and of the address filter's file
 */
export async function startNode(settings: NodeSettings, log: Log = silentLog): Promise<NodeApi> {
  return composeNode(settings, log);
}

/**
 * The same, as its parts: for the daemon, which goes on with them.
 * @param alone nobody else may use the data folder, and the address filter may change
 */
export async function composeNode(
  settings: NodeSettings,
  log: Log,
  { alone = false } = {},
): Promise<LocalNode> {
  const moves: FileMoves = { tell: null };
  const ports = createRuntimePorts({
    log,
    disk: {
      onMoved: async (from, to) => moves.tell?.(from, to),
      ...(settings.offline ? { threadCount: allCores() } : {}),
    },
  });
  const dataFolder = settings.dataFolder ?? usualDataFolder(process.env, process.platform);
  let database: Database | null = null;
  let lock: FolderLock | null = null;
  let outside: Outside | null = null;
  let nat: NodeNat | null = null;
  try {
    if (!settings.offline) {
      lock = await lockDataFolder(dataFolder, alone ? 'alone' : 'shared', ports.files, log);
      database = ports.database.open(join(dataFolder, 'tequio.sqlite'));
    }
    outside = await createOutside(settings, ports, { filterMayChange: alone });
    const { line, allowAddress, proxyKind, trackerPorts } = outside;
    // The router is asked directly, which behind a proxy would show our address and open a port to it.
    const mapsPorts = settings.portMapping && !settings.offline && settings.proxy?.peers !== true;
    nat = mapsPorts ? await createNat(dataFolder, settings, outside) : null;
    const webSeeds = new IpfsWebSeeds(outside.ports);
    const bittorrent = createBittorrent(
      {
        dataFolder,
        bind: bindOf(settings),
        port: settings.port,
        usualPort,
        limitDown: settings.limitDown,
        limitUp: settings.limitUp,
        schedule: settings.schedule ?? [],
        zoneMinutesAt: (wallMs) => -new Date(wallMs).getTimezoneOffset(),
        encryption: settings.encryption,
        dht: settings.dht ? { enabled: true, ...settings.dht } : { enabled: false, bootstrap: [] },
        pex: settings.pex ?? true,
        lsd: settings.lsd ?? false,
        transport: settings.transport,
        proxy: settings.proxy == null || proxyKind === null ? null : { ...settings.proxy, kind: proxyKind },
        bootId: readBootId(),
      },
      {
        ports: outside.ports,
        webSeedHttp: webSeeds,
        trackerPorts,
        database,
        allowAddress,
        ...(line === null ? {} : { line }),
        ...(nat === null ? {} : { portMapping: nat.mapper }),
      },
    );
    if (!settings.offline) await bittorrent.start();
    nat?.start();
    const own = { dataFolder, ports, outside, nat, database, lock, bittorrent };
    return new LocalNode(settings, { ...own, webSeeds, moves });
  } catch (error) {
    await nat?.close();
    outside?.close();
    database?.close();
    lock?.release();
    await ports.close();
    throw error;
  }
}

/** An interface's name is no address: then the ports below see to it. */
function bindOf(settings: NodeSettings): IpAddress | null {
  return tryParseAddress(settings.bind ?? '');
}

/** Loaded only where routers are asked. */
async function createNat(dataFolder: string, settings: NodeSettings, outside: Outside): Promise<NodeNat> {
  const { NodeNat } = await import('./node-nat.ts');
  return NodeNat.create(dataFolder, bindOf(settings), outside.direct);
}

/** Behind a proxy others come in only where the user has named a port, and over TCP. */
function listensOf({ offline, port, proxy, transport, dht }: NodeSettings): { tcp: boolean; udp: boolean } {
  const isProxied = proxy?.peers === true;
  return {
    tcp: !offline && transport !== 'utp' && (!isProxied || port !== null),
    udp: !offline && !isProxied && (transport !== 'tcp' || dht != null),
  };
}

function allCores(): number {
  return navigator.hardwareConcurrency;
}

/** What a node is made of. */
export type NodeParts = {
  readonly dataFolder: string;
  readonly ports: RuntimePorts;
  readonly outside: Outside;
  readonly nat: NodeNat | null;
  readonly database: Database | null;
  readonly lock: FolderLock | null;
  readonly bittorrent: BittorrentService;
  /** To be told of the node's part in IPFS. */
  readonly webSeeds: IpfsWebSeeds;
  readonly moves: FileMoves;
};

/** Who is told of files that have another place; null: nobody. */
export type FileMoves = { tell: ((from: FileRef, to: FileRef) => Promise<void>) | null };

/** What stands on a node, and is closed before it. */
export type Managed = { readonly management: Management; close(): Promise<void> };

export class LocalNode implements NodeApi {
  readonly bittorrent: BittorrentService;
  readonly dataFolder: string;
  readonly files: NodeFiles;
  readonly mutable: NodeApi['mutable'];
  readonly parts: NodeParts;
  readonly #settings: NodeSettings;
  readonly addressFilter: NodeApi['addressFilter'];
  #managed: Managed | null = null;
  readonly nat: NodeNat | null;
  readonly #reachability: NodeReachability;
  readonly #openNats: NodeNat[] = [];
  readonly #trackers: TrackerHandle[] = [];
  #ipfs: Promise<CommandIpfs> | null = null;
  #closing: Promise<void> | null = null;

  constructor(settings: NodeSettings, parts: NodeParts) {
    const { dataFolder, ports, outside, nat, bittorrent } = parts;
    this.#settings = settings;
    this.parts = parts;
    this.dataFolder = dataFolder;
    this.nat = nat;
    const isProxied = settings.proxy?.peers === true;
    const sources = { bittorrent, nat, listens: listensOf(settings), isProxied };
    this.#reachability = new NodeReachability(sources, outside.direct);
    const { filter } = outside;
    this.addressFilter = filter === null ? null : { ...filter, rangeCount: filter.filter.rangeCount };
    this.bittorrent = bittorrent;
    this.mutable = createMutableKeys(dataFolder, ports);
    this.files = {
      read: (path, bytesMax) => ports.files.readFile(path, bytesMax),
      write: async (path, bytes, options) => {
        await ports.files.makeFolder(dirname(path));
        await ports.files.writeFile(path, bytes, options);
      },
      kind: async (path) => {
        const real = await ports.files.realPath(path);
        const kind = real === null ? null : await ports.files.kind(real);
        return kind === 'link' ? 'other' : kind;
      },
      realPath: (path) => ports.files.realPath(path),
    };
  }

  get management(): Management | null {
    return this.#managed?.management ?? null;
  }

  /** From now on it is managed. */
  manage(managed: Managed): void {
    this.#managed = managed;
  }

  readSource(text: string): ReturnType<NodeApi['readSource']> {
    return readSource(text, this.parts.outside.trackerPorts);
  }

  reachability(): Promise<readonly NatReachability[]> {
    return this.#reachability.report();
  }

  async startNat({ ports }: NatOptions): Promise<NatHandle> {
    const nat = await createNat(this.dataFolder, this.#settings, this.parts.outside);
    this.#openNats.push(nat);
    nat.start(ports);
    return nat;
  }

  async ipfs(): Promise<IpfsApi> {
    this.#ipfs ??= this.#openIpfs().catch((error: unknown) => {
      this.#ipfs = null;
      throw error;
    });
    return (await this.#ipfs).service;
  }

  /** Loaded only where it is used. */
  async #openIpfs(): Promise<CommandIpfs> {
    const { openCommandIpfs } = await import('./ipfs/command-ipfs.ts');
    return openCommandIpfs(this.dataFolder, this.parts.ports);
  }

  async startTracker(options: TrackerOptions): Promise<TrackerHandle> {
    const bind = options.bind === null ? null : tryParseAddress(options.bind);
    if (options.bind !== null && bind === null) {
      throw new NodeError('CLI_USAGE', `"${options.bind}" is not an IP address.`, { op: 'bind' });
    }
    const infoHashes = options.allow?.map((hex) => (tryFromHex(hex) ?? new Uint8Array(20)).subarray(0, 20));
    const tracker = createTracker(
      {
        httpPort: options.httpPort,
        udpPort: options.udpPort,
        bind,
        access: infoHashes === undefined ? { mode: 'all' } : { mode: 'allow', infoHashes },
      },
      this.parts.ports,
    );
    await tracker.start();
    this.#trackers.push(tracker);
    return tracker;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#managed?.close();
    await (await this.#ipfs?.catch(() => null))?.close();
    for (const tracker of this.#trackers) await tracker.close();
    if (!this.#settings.offline) await this.bittorrent.close();
    await Promise.all(
      [...this.#openNats, ...(this.nat === null ? [] : [this.nat])].map((nat) => nat.close()),
    );
    this.parts.outside.close();
    this.parts.database?.close();
    this.parts.lock?.release();
    await this.parts.ports.close();
  }
}
