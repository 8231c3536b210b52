import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HintTracker } from './hint-tracker.ts';
import type { Host } from './lab.ts';
import { type DownloadFrom, isMagnet, type LabPeer } from './peer.ts';
import type { Running } from './running.ts';
import { until } from './until.ts';

const port = 51413;
const rpcPort = 9091;

type TorrentFields = {
  readonly percentDone: number;
  readonly leftUntilDone: number;
  readonly metadataPercentComplete: number;
  readonly status: number;
  readonly error: number;
  readonly errorString: string;
};
/** `status` of a torrent that seeds. */
const statusSeeding = 6;

export class TransmissionPeer implements LabPeer {
  readonly name = 'Transmission';
  readonly host: Host;
  readonly emptyFilesMade = false;
  readonly endpoint: string;
  readonly #running: Running;
  #session = '';
  #hints: HintTracker | null = null;

  private constructor(host: Host, more: Readonly<Record<string, unknown>>, dht: readonly string[] | null) {
    this.host = host;
    this.endpoint = `${host.address}:${port}`;
    const configFolder = join(host.folder, 'config');
    mkdirSync(configFolder);
    writeFileSync(join(configFolder, 'settings.json'), JSON.stringify({ ...settings, ...more }));
    if (dht !== null && dht.length === 1)
      writeFileSync(join(configFolder, 'dht.bootstrap'), `${dht[0]!.replace(':', ' ')}\n`);
    // Nodes that it knew before it asks at once, hosts only after a minute.
    if (dht !== null && dht.length > 1) writeFileSync(join(configFolder, 'dht.dat'), savedNodes(dht));
    this.#running = host.run('transmission-daemon', ['--foreground', '--config-dir', configFolder]);
  }

  /**
   * @param more settings.json besides ours
   * @param dht hosts that know nodes of the DHT; null: it takes no part in it
   */
  static async start(
    host: Host,
    more: Readonly<Record<string, unknown>> = {},
    dht: readonly string[] | null = null,
  ): Promise<TransmissionPeer> {
    const peer = new TransmissionPeer(host, { ...more, 'dht-enabled': dht !== null }, dht);
    await until('Transmission answers', 10_000, () => {
      peer.#running.assertRunning();
      return peer.#call('session-get', {}).then(() => true);
    });
    return peer;
  }

  async seed(torrentFile: string, folder: string, trackers: readonly string[] = []): Promise<void> {
    await this.#add(torrentFile, folder, trackers, true);
    await this.#call('torrent-verify', {});
    // Its verification answers before it has begun.
    await until('Transmission seeds', 20_000, async () => {
      const torrent = await this.#torrent();
      if (torrent.status !== 0) return false;
      return torrent.leftUntilDone === 0 && torrent.percentDone === 1;
    });
    await this.#call('torrent-start-now', {});
    await this.waitComplete(10_000);
  }

  async download(source: string, folder: string, from: DownloadFrom): Promise<void> {
    const trackers = [...(from.trackers ?? [])];
    if (from.peers !== undefined) {
      this.#hints = await HintTracker.listen(this.host.gateway, from.peers);
      trackers.push(this.#hints.url);
    }
    await this.#add(source, folder, trackers, false);
  }

  async progress(): Promise<number> {
    return (await this.#torrent()).percentDone;
  }

  async waitComplete(timeoutMs: number, everyMs?: number): Promise<void> {
    let last: TorrentFields | null = null;
    const isComplete = async (): Promise<boolean> => {
      last = await this.#torrent();
      return last.metadataPercentComplete === 1 && last.leftUntilDone === 0 && last.status === statusSeeding;
    };
    await until('Transmission completes', timeoutMs, isComplete, everyMs).catch((error) => {
      throw new Error(`${error.message} ${JSON.stringify(last)} ${this.#running.describe()}`);
    });
  }

  async stop(): Promise<void> {
    this.#hints?.close();
    await this.#running.stop('SIGKILL');
  }

  async #add(source: string, folder: string, trackers: readonly string[], paused: boolean): Promise<void> {
    const what = isMagnet(source)
      ? { filename: source + trackers.map((url) => `&tr=${encodeURIComponent(url)}`).join('') }
      : { metainfo: readFileSync(source).toString('base64') };
    // Trackers first, or the first announce finds none and the next is a minute away.
    await this.#call('torrent-add', { ...what, 'download-dir': folder, paused: true });
    if (!isMagnet(source) && trackers.length > 0)
      await this.#call('torrent-set', { ids: [1], trackerAdd: trackers });
    if (!paused) await this.#call('torrent-start-now', {});
  }

  async #torrent(): Promise<TorrentFields> {
    const fields = [
      'percentDone',
      'leftUntilDone',
      'metadataPercentComplete',
      'status',
      'error',
      'errorString',
    ];
    const { torrents } = await this.#call<{ torrents: TorrentFields[] }>('torrent-get', { fields });
    return torrents[0]!;
  }

  async #call<Reply>(method: string, args: Record<string, unknown>): Promise<Reply> {
    for (;;) {
      const response = await fetch(`http://${this.host.address}:${rpcPort}/transmission/rpc`, {
        method: 'POST',
        headers: { 'X-Transmission-Session-Id': this.#session },
        body: JSON.stringify({ method, arguments: args }),
        signal: AbortSignal.timeout(5000),
      });
      const session = response.headers.get('x-transmission-session-id');
      if (response.status === 409 && session !== null && session !== this.#session) {
        this.#session = session;
        continue;
      }
      const reply = (await response.json()) as { result: string; arguments: Reply };
      if (reply.result !== 'success') throw new Error(`Transmission: ${method}: ${reply.result}`);
      return reply.arguments;
    }
  }
}

/** As it saves them: an id of its own, and six bytes a node. */
function savedNodes(nodes: readonly string[]): Buffer {
  const compact = nodes.map((node) => {
    const numbers = node.split(/[.:]/).map(Number);
    const port = numbers.pop()!;
    return Buffer.from([...numbers, port >> 8, port & 255]);
  });
  const id = Buffer.from('Transmission of a lab');
  return Buffer.concat([
    Buffer.from('d2:id20:'),
    id.subarray(0, 20),
    Buffer.from(`5:nodes${6 * nodes.length}:`),
    ...compact,
    Buffer.from('e'),
  ]);
}

const settings = {
  'dht-enabled': false,
  'lpd-enabled': false,
  'pex-enabled': false,
  'utp-enabled': false,
  'port-forwarding-enabled': false,
  'download-queue-enabled': false,
  'seed-queue-enabled': false,
  'peer-port': port,
  /** 0: plain is preferred. */
  encryption: 0,
  'rpc-port': rpcPort,
  'rpc-bind-address': '0.0.0.0',
  'rpc-whitelist-enabled': false,
  'rpc-host-whitelist-enabled': false,
  'rpc-authentication-required': false,
  'incomplete-dir-enabled': false,
  'rename-partial-files': false,
};
