import { mkdirSync } from 'node:fs';
import { HintTracker } from './hint-tracker.ts';
import type { Host } from './lab.ts';
import type { DownloadFrom, LabPeer } from './peer.ts';
import type { Running } from './running.ts';
import { until } from './until.ts';

const port = 6881;
const rpcPort = 6800;

type Aria2Status = {
  readonly status: string;
  readonly completedLength: string;
  readonly totalLength: string;
  readonly seeder?: string;
  readonly followedBy?: readonly string[];
  readonly errorMessage?: string;
  readonly bittorrent?: { readonly info?: unknown };
};

export class Aria2Peer implements LabPeer {
  readonly name = 'aria2';
  readonly host: Host;
  readonly emptyFilesMade = true;
  readonly endpoint: string;
  #running: Running | null = null;
  #hints: HintTracker | null = null;

  readonly #more: readonly string[];

  /** @param more options besides ours */
  constructor(host: Host, more: readonly string[] = []) {
    this.host = host;
    this.#more = more;
    this.endpoint = `${host.address}:${port}`;
  }

  async seed(torrentFile: string, folder: string, trackers: readonly string[] = []): Promise<void> {
    await this.#start(torrentFile, folder, trackers);
    await this.waitComplete(20_000);
  }

  async download(source: string, folder: string, from: DownloadFrom): Promise<void> {
    const trackers = [...(from.trackers ?? [])];
    if (from.peers !== undefined) {
      this.#hints = await HintTracker.listen(this.host.gateway, from.peers);
      trackers.push(this.#hints.url);
    }
    await this.#start(source, folder, trackers);
  }

  async progress(): Promise<number> {
    const status = await this.#content();
    return status === null ? 0 : Number(status.completedLength) / Number(status.totalLength);
  }

  async waitComplete(timeoutMs: number, everyMs?: number): Promise<void> {
    let last: Aria2Status | null = null;
    const isComplete = async (): Promise<boolean> => {
      this.#running!.assertRunning();
      last = await this.#content();
      return last !== null && last.completedLength === last.totalLength && last.seeder === 'true';
    };
    await until('aria2 completes', timeoutMs, isComplete, everyMs).catch((error) => {
      throw new Error(`${error.message} ${JSON.stringify(last)} ${this.#running!.describe()}`);
    });
  }

  async stop(): Promise<void> {
    this.#hints?.close();
    await this.#running?.stop('SIGKILL');
  }

  async #start(source: string, folder: string, trackers: readonly string[]): Promise<void> {
    mkdirSync(folder, { recursive: true });
    const args = [...settings, ...this.#more, `--dir=${folder}`];
    if (trackers.length > 0) args.push(`--bt-tracker=${trackers.join(',')}`);
    this.#running = this.host.run('aria2c', [...args, source]);
    await until('aria2 answers', 10_000, () => {
      this.#running!.assertRunning();
      return this.#call('getVersion').then(() => true);
    });
  }

  /** Of the download of the content (a magnet's metadata is a download of its own before it). */
  async #content(): Promise<Aria2Status | null> {
    const active = await this.#call<Aria2Status[]>('tellActive');
    return active.find(({ bittorrent }) => bittorrent?.info !== undefined) ?? null;
  }

  async #call<Reply>(method: string): Promise<Reply> {
    const response = await fetch(`http://${this.host.address}:${rpcPort}/jsonrpc`, {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: `aria2.${method}`, params: [] }),
      signal: AbortSignal.timeout(5000),
    });
    const reply = (await response.json()) as { result: Reply; error?: { message: string } };
    if (reply.error !== undefined) throw new Error(`aria2: ${method}: ${reply.error.message}`);
    return reply.result;
  }
}

const settings = [
  '--no-conf',
  '--enable-rpc',
  '--rpc-listen-all',
  `--rpc-listen-port=${rpcPort}`,
  `--listen-port=${port}`,
  // Its UDP trackers work only with the DHT; with no node to ask, that is silent.
  '--enable-dht=true',
  '--dht-file-path=dht.dat',
  '--dht-listen-port=6882',
  '--enable-dht6=false',
  '--enable-peer-exchange=false',
  '--bt-enable-lpd=false',
  '--bt-require-crypto=false',
  '--bt-min-crypto-level=plain',
  '--bt-max-peers=0',
  '--bt-tracker-connect-timeout=5',
  '--file-allocation=none',
  '--allow-overwrite=true',
  '--check-integrity=true',
  '--seed-ratio=0.0',
  '--summary-interval=0',
  '--console-log-level=warn',
  '--show-console-readout=false',
];
