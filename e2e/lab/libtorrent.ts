import { fileURLToPath } from 'node:url';
import { JsonLines } from './json-lines.ts';
import type { Host } from './lab.ts';
import type { DownloadFrom, LabPeer } from './peer.ts';
import { Running } from './running.ts';
import { until } from './until.ts';

const script = fileURLToPath(new URL('./libtorrent-peer.py', import.meta.url));
/** The distribution's own: it is the one that has the distribution's libtorrent. */
export const systemPython = '/usr/bin/python3';
const port = 6881;

export type LibtorrentStatus = {
  readonly state: string;
  readonly progress: number;
  readonly complete: boolean;
  readonly peerCount: number;
  readonly havePieceCount: number;
  readonly error: string | null;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  readonly peers: readonly { readonly endpoint: string; readonly client: string; readonly bytes: number }[];
  readonly alerts: readonly string[];
};

export class LibtorrentPeer implements LabPeer {
  readonly name = 'libtorrent';
  readonly host: Host;
  readonly emptyFilesMade = true;
  readonly endpoint: string;
  readonly #lines = new JsonLines();
  readonly #running: Running;

  private constructor(host: Host, python: string) {
    this.host = host;
    this.endpoint = `${host.address}:${port}`;
    this.#running = host.run(python, [script], { onLine: this.#lines.onLine });
    this.#lines.attach(this.#running);
  }

  /**
   * @param dht hosts that know nodes of the DHT; null: it takes no part in it
   * @param python an interpreter that has libtorrent's binding
   */
  static async start(
    host: Host,
    settings: Record<string, unknown> = {},
    dht: readonly string[] | null = null,
    python: string = systemPython,
  ): Promise<LibtorrentPeer> {
    const peer = new LibtorrentPeer(host, python);
    await peer.#lines.ask('listen', { endpoint: peer.endpoint, settings, dht });
    return peer;
  }

  /** Starts so many more DHT nodes on this host, from this port on. */
  async startCrowd(count: number, fromPort: number, dht: readonly string[]): Promise<void> {
    await this.#lines.ask('crowd', { count, address: this.host.address, port: fromPort, dht });
  }

  /** Puts a text into the DHT. @param key signs it */
  putItem(
    text: string,
    key: { readonly secretKey: string; readonly publicKey: string; readonly salt: string } | null = null,
  ): Promise<{ readonly target?: string; readonly sequence?: number; readonly count: number }> {
    return this.#lines.ask('dht-put', { text, ...key });
  }

  getItem(
    what: { readonly target: string } | { readonly publicKey: string; readonly salt: string },
  ): Promise<{ readonly item: string; readonly sequence?: number }> {
    return this.#lines.ask('dht-get', what);
  }

  async seed(
    torrentFile: string,
    folder: string,
    trackers: readonly string[] = [],
    timeoutMs = 20_000,
  ): Promise<void> {
    await this.#lines.ask('add', { source: torrentFile, folder, trackers });
    await this.waitComplete(timeoutMs);
  }

  async download(source: string, folder: string, from: DownloadFrom): Promise<void> {
    await this.#lines.ask('add', {
      source,
      folder,
      peers: from.peers ?? [],
      trackers: from.trackers ?? [],
    });
  }

  /** Dials one more peer. */
  async connect(peer: string): Promise<void> {
    await this.#lines.ask('connect', { peer });
  }

  status(): Promise<LibtorrentStatus> {
    return this.#lines.ask<LibtorrentStatus>('status');
  }

  async progress(): Promise<number> {
    return (await this.status()).progress;
  }

  async waitComplete(timeoutMs: number, everyMs?: number): Promise<void> {
    let last: LibtorrentStatus | null = null;
    const isComplete = async (): Promise<boolean> => {
      last = await this.status();
      return last.complete;
    };
    await until('libtorrent completes', timeoutMs, isComplete, everyMs).catch((error) => {
      throw new Error(`${error.message} ${JSON.stringify(last)}`);
    });
  }

  async stop(): Promise<void> {
    await this.#running.stop('SIGKILL');
  }
}

export type ReadTorrent = {
  readonly name: string;
  readonly infoHashV1: string | null;
  readonly infoHashV2: string | null;
  readonly pieceBytes: number;
  readonly pieceCount: number;
  readonly private: boolean;
  readonly magnet: string;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly pad: boolean }[];
};

/** libtorrent as a tool: makes and reads torrent files, without any network. */
export class LibtorrentTool {
  readonly #lines = new JsonLines();
  readonly #running: Running;

  /** @param python an interpreter that has libtorrent's binding */
  constructor(python: string = systemPython) {
    this.#running = new Running(python, [script], { onLine: this.#lines.onLine });
    this.#lines.attach(this.#running);
  }

  /** Makes `out` from the file or folder `path`. */
  create(request: {
    readonly path: string;
    readonly out: string;
    readonly version: 'v1' | 'v2' | 'hybrid';
    readonly pieceBytes?: number;
    readonly trackers?: readonly string[];
    readonly private?: boolean;
  }): Promise<ReadTorrent> {
    return this.#lines.ask<ReadTorrent>('create', request);
  }

  read(source: string): Promise<ReadTorrent> {
    return this.#lines.ask<ReadTorrent>('read', { source });
  }

  async stop(): Promise<void> {
    await this.#running.stop('SIGKILL');
  }
}
