/**
 * The one composition root: everything that runs is made here, in this order, and closed in reverse.
 *
 *   ports -> database -> bittorrent -> trackers of our own
 */
import { dirname, join } from 'node:path';
import type { NodeApi, NodeFiles, NodeSettings, TrackerHandle, TrackerOptions } from '@tequio/api';
import { type BittorrentService, createBittorrent, createTracker } from '@tequio/bittorrent';
import {
  type Database,
  type IpAddress,
  type Log,
  NodeError,
  silentLog,
  tryFromHex,
  tryParseAddress,
} from '@tequio/kernel';
import { createRuntimePorts, type RuntimePorts, readBootId } from '@tequio/runtime';
import { usualDataFolder } from './data-folder.ts';
import { readSource } from './source-reader.ts';

/** The port that is tried first; when it is taken, any free one. */
const usualPort = 27272;

/**
 * Starts a node in this process.
 * @throws NodeError `NET_LISTEN`, `DATABASE_OPEN`, `FILE_WRITE`, `CLI_USAGE` for an address that is none
 */
export async function startNode(settings: NodeSettings, log: Log = silentLog): Promise<NodeApi> {
  const ports = createRuntimePorts({
    log,
    ...(settings.offline ? { disk: { threadCount: allCores() } } : {}),
  });
  const dataFolder = settings.dataFolder ?? usualDataFolder(process.env, process.platform);
  let database: Database | null = null;
  try {
    if (!settings.offline) {
      await ports.files.makeFolder(dataFolder);
      database = ports.database.open(join(dataFolder, 'tequio.sqlite'));
    }
    const bittorrent = createBittorrent(
      {
        dataFolder,
        bind: bindOf(settings),
        port: settings.port,
        usualPort,
        limitDown: settings.limitDown,
        limitUp: settings.limitUp,
        encryption: settings.encryption,
        bootId: readBootId(),
      },
      { ports, database },
    );
    if (!settings.offline) await bittorrent.start();
    return new LocalNode(settings, dataFolder, ports, database, bittorrent);
  } catch (error) {
    database?.close();
    await ports.close();
    throw error;
  }
}

function allCores(): number {
  return navigator.hardwareConcurrency;
}

function bindOf(settings: NodeSettings): IpAddress | null {
  if (settings.bind === null) return null;
  const address = tryParseAddress(settings.bind);
  if (address === null)
    throw new NodeError('CLI_USAGE', `"${settings.bind}" is not an IP address.`, { op: 'bind' });
  return address;
}

class LocalNode implements NodeApi {
  readonly bittorrent: BittorrentService;
  readonly dataFolder: string;
  readonly files: NodeFiles;
  readonly #settings: NodeSettings;
  readonly #ports: RuntimePorts;
  readonly #database: Database | null;
  readonly #trackers: TrackerHandle[] = [];
  #closing: Promise<void> | null = null;

  constructor(
    settings: NodeSettings,
    dataFolder: string,
    ports: RuntimePorts,
    database: Database | null,
    bittorrent: BittorrentService,
  ) {
    this.#settings = settings;
    this.dataFolder = dataFolder;
    this.#ports = ports;
    this.#database = database;
    this.bittorrent = bittorrent;
    this.files = {
      read: (path, bytesMax) => ports.files.readFile(path, bytesMax),
      write: async (path, bytes) => {
        await ports.files.makeFolder(dirname(path));
        await ports.files.writeFile(path, bytes);
      },
      kind: async (path) => {
        const kind = await ports.files.kind(path);
        return kind === 'link' ? 'other' : kind;
      },
    };
  }

  readSource(text: string): ReturnType<NodeApi['readSource']> {
    return readSource(text, this.#ports);
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
      this.#ports,
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
    for (const tracker of this.#trackers) await tracker.close();
    if (!this.#settings.offline) await this.bittorrent.close();
    this.#database?.close();
    await this.#ports.close();
  }
}
