import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Host } from './lab.ts';
import { type DownloadFrom, isMagnet, type LabPeer } from './peer.ts';
import type { Running } from './running.ts';
import { until } from './until.ts';

const port = 6881;
const apiPort = 8080;

export type QbittorrentTorrent = {
  readonly hash: string;
  readonly infohash_v1: string;
  readonly infohash_v2: string;
  readonly progress: number;
  readonly amount_left: number;
  readonly state: string;
  readonly num_leechs: number;
  readonly num_seeds: number;
};

export class QbittorrentPeer implements LabPeer {
  readonly name = 'qBittorrent';
  readonly host: Host;
  readonly emptyFilesMade = true;
  readonly endpoint: string;
  readonly #running: Running;

  private constructor(
    host: Host,
    encryption: QbittorrentEncryption,
    discovery: Discovery,
    session: Readonly<Record<string, string | number>>,
  ) {
    this.host = host;
    this.endpoint = `${host.address}:${port}`;
    const configFolder = join(host.folder, 'profile/qBittorrent/config');
    mkdirSync(configFolder, { recursive: true });
    writeFileSync(join(configFolder, 'qBittorrent.conf'), configOf(host, encryption, discovery, session));
    this.#running = host.run('qbittorrent-nox', [`--profile=${join(host.folder, 'profile')}`]);
  }

  /**
   * @param discovery ways to find peers, off when nothing is said
   * @param session more of its settings, as they are called below `Session`
   */
  static async start(
    host: Host,
    encryption: QbittorrentEncryption = 'off',
    discovery: Discovery = {},
    session: Readonly<Record<string, string | number>> = {},
  ): Promise<QbittorrentPeer> {
    const peer = new QbittorrentPeer(host, encryption, discovery, session);
    await until('qBittorrent answers', 15_000, () => {
      peer.#running.assertRunning();
      return peer.#call('app/version').then((version) => version.startsWith('v'));
    });
    return peer;
  }

  async seed(torrentFile: string, folder: string, trackers: readonly string[] = []): Promise<void> {
    await this.#add(torrentFile, folder);
    await this.#addTrackers(trackers);
    await this.waitComplete(20_000);
  }

  async download(source: string, folder: string, from: DownloadFrom): Promise<void> {
    await this.#add(source, folder);
    await this.#addTrackers(from.trackers ?? []);
    if (from.peers === undefined || from.peers.length === 0) return;
    const { hash } = await this.torrent();
    // Refused with a conflict while a torrent that was just added is still being checked.
    await until('qBittorrent takes peers', 10_000, () =>
      this.#call('torrents/addPeers', { hashes: hash, peers: from.peers!.join('|') }).then(() => true),
    );
  }

  async torrent(): Promise<QbittorrentTorrent> {
    const torrents = JSON.parse(await this.#call('torrents/info')) as QbittorrentTorrent[];
    if (torrents[0] === undefined) throw new Error('qBittorrent has no torrent');
    return torrents[0];
  }

  async progress(): Promise<number> {
    return (await this.torrent()).progress;
  }

  async waitComplete(timeoutMs: number, everyMs?: number): Promise<void> {
    let last: QbittorrentTorrent | null = null;
    const isComplete = async (): Promise<boolean> => {
      last = await this.torrent();
      return last.progress === 1 && ['uploading', 'stalledUP', 'forcedUP'].includes(last.state);
    };
    await until('qBittorrent completes', timeoutMs, isComplete, everyMs).catch((error) => {
      throw new Error(`${error.message} ${JSON.stringify(last)} ${this.#running.describe()}`);
    });
  }

  async stop(): Promise<void> {
    await this.#running.stop('SIGKILL');
  }

  async #add(source: string, folder: string): Promise<void> {
    mkdirSync(folder, { recursive: true });
    const form = new FormData();
    if (isMagnet(source)) form.set('urls', source);
    else form.set('torrents', new Blob([readFileSync(source)]), basename(source));
    form.set('savepath', folder);
    form.set('autoTMM', 'false');
    form.set('paused', 'false');
    form.set('contentLayout', 'Original');
    const reply = await this.#call('torrents/add', form);
    if (!reply.startsWith('Ok')) throw new Error(`qBittorrent refuses ${source}: ${reply}`);
    await until('qBittorrent has the torrent', 10_000, () => this.torrent());
  }

  async #addTrackers(urls: readonly string[]): Promise<void> {
    if (urls.length === 0) return;
    const { hash } = await this.torrent();
    await this.#call('torrents/addTrackers', { hash, urls: urls.join('\n') });
  }

  async #call(path: string, form?: FormData | Record<string, string>): Promise<string> {
    const response = await fetch(`http://${this.host.address}:${apiPort}/api/v2/${path}`, {
      ...(form === undefined
        ? {}
        : { method: 'POST', body: form instanceof FormData ? form : new URLSearchParams(form) }),
      signal: AbortSignal.timeout(5000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`qBittorrent: ${path}: ${response.status} ${text}`);
    return text;
  }
}

/** As its `Encryption` counts them: 0, 1, 2. */
const encryptions = ['prefer', 'require', 'off'] as const;
export type QbittorrentEncryption = (typeof encryptions)[number];

type Discovery = { readonly pex?: boolean; readonly lsd?: boolean; readonly dht?: boolean };

/** `BTProtocol` TCP only; the API is open to the lab's network. */
function configOf(
  host: Host,
  encryption: QbittorrentEncryption,
  discovery: Discovery,
  session: Readonly<Record<string, string | number>>,
): string {
  const { pex = false, lsd = false, dht = false } = discovery;
  const more = Object.entries(session).map(([name, value]) => `Session\\${name}=${value}\n`);
  return `[LegalNotice]
Accepted=true

[BitTorrent]
Session\\AddExtensionToIncompleteFiles=false
Session\\BTProtocol=TCP
Session\\DHTEnabled=${dht}
Session\\Encryption=${encryptions.indexOf(encryption)}
Session\\LSDEnabled=${lsd}
Session\\MultiConnectionsPerIp=true
Session\\PeXEnabled=${pex}
Session\\Port=${port}
Session\\Preallocation=false
Session\\QueueingSystemEnabled=false
Session\\uTPMixedMode=TCP
${more.join('')}
[Network]
PortForwardingEnabled=false

[Preferences]
WebUI\\Address=*
WebUI\\AuthSubnetWhitelist=${host.gateway}/32
WebUI\\AuthSubnetWhitelistEnabled=true
WebUI\\CSRFProtection=false
WebUI\\HostHeaderValidation=false
WebUI\\Port=${apiPort}
WebUI\\UseUPnP=false
`;
}
