/** The programs that the download benchmark compares, each set as docs say is fair: see bench/README.md. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Aria2Peer } from '../e2e/lab/aria2.ts';
import { JsonLines } from '../e2e/lab/json-lines.ts';
import type { Host } from '../e2e/lab/lab.ts';
import { LibtorrentPeer } from '../e2e/lab/libtorrent.ts';
import type { LabPeer } from '../e2e/lab/peer.ts';
import { versionOf } from '../e2e/lab/programs.ts';
import { QbittorrentPeer } from '../e2e/lab/qbittorrent.ts';
import { RtorrentPeer } from '../e2e/lab/rtorrent.ts';
import { TequioPeer } from '../e2e/lab/tequio.ts';
import { TransmissionPeer } from '../e2e/lab/transmission.ts';
import { contentFile, contentName } from './content.ts';
import { libtorrentSettings, libtorrents } from './libtorrents.ts';
import { compilerVersion, tryBuildNative } from './native.ts';
import { ours } from './row.ts';

/** A download that goes on, and a way to end it. */
export type Download = {
  /** Resolves when the program says that everything is there and verified, with the time (`performance.now`). */
  readonly complete: Promise<number>;
  readonly stop: () => Promise<void>;
};

export type Downloader = {
  readonly name: string;
  /** Null: not here, and so left out. */
  readonly version: string | null;
  readonly start: (host: Host, what: Wanted) => Promise<Download>;
};

export type Wanted = {
  readonly torrentFile: string;
  /** Hex. */
  readonly infoHash: string;
  /** Where the content goes: the folder that the torrent's own file or folder will be in. */
  readonly folder: string;
  /** `ADDRESS:PORT`. */
  readonly seeder: string;
};

/** How often programs that only answer when asked are asked. */
const everyMs = 10;
const timeoutMs = 600_000;
export const limitName = 'the limit';

/** As for the others: files from one peer over TCP, and nothing else. */
export const tequioOptions = [
  ...['--no-dht', '--no-pex', '--no-lsd', '--no-port-mapping'],
  ...['--transport', 'tcp', '--encryption', 'off'],
];

/** aria2 exits by itself only when it need not seed: here it goes on, so that it can be measured. */
const aria2Options = ['--disk-cache=64M', '--file-allocation=none'];

const transmissionSettings = {
  'peer-limit-global': 200,
  'peer-limit-per-torrent': 200,
  'upload-slots-per-torrent': 14,
  'cache-size-mb': 64,
  preallocation: 0,
};

/** As libtorrent itself is set, which is inside. */
const qbittorrentSettings = {
  AsyncIOThreadsCount: 8,
  DiskQueueSize: 100 * 1024 * 1024,
  HashingThreadsCount: 2,
  MaxConnections: 1000,
  MaxConnectionsPerTorrent: 1000,
  MaxUploads: -1,
  MaxUploadsPerTorrent: -1,
  RequestQueueSize: 1500,
};

/** Every program that can download, in the order of the table. @param folder where the limit is built */
export function allDownloaders(folder: string): readonly Downloader[] {
  return [
    { name: ours, version: ownVersion(), start: startTequio },
    ...libtorrents().map(({ program, version, python }) => ({
      name: program,
      version,
      start: async (host: Host, wanted: Wanted) =>
        follow(await LibtorrentPeer.start(host, libtorrentSettings, null, python), wanted),
    })),
    {
      name: 'qBittorrent',
      version: versionOf('qBittorrent'),
      start: async (host, wanted) =>
        follow(await QbittorrentPeer.start(host, 'off', {}, qbittorrentSettings), wanted),
    },
    {
      name: 'rTorrent',
      version: versionOf('rTorrent'),
      start: async (host, wanted) => follow(await RtorrentPeer.start(host), wanted),
    },
    {
      name: 'aria2',
      version: versionOf('aria2'),
      start: (host, wanted) => follow(new Aria2Peer(host, aria2Options), wanted),
    },
    {
      name: 'Transmission',
      version: versionOf('Transmission'),
      start: async (host, wanted) => follow(await TransmissionPeer.start(host, transmissionSettings), wanted),
    },
    webtorrent(),
    limit(folder),
  ];
}

/** The few that read every form of torrent. */
export function allFormatDownloaders(folder: string): readonly Downloader[] {
  return allDownloaders(folder).filter(({ name }) => name === ours || name.startsWith('libtorrent'));
}

export function ownVersion(): string {
  return (createRequire(import.meta.url)('../package.json') as { version: string }).version;
}

async function startTequio(host: Host, { torrentFile, folder, seeder }: Wanted): Promise<Download> {
  const peer = new TequioPeer(host);
  // With --seed it stays after the download, so that what it has used can be read.
  peer.start(['get', torrentFile, '--to', folder, '--peer', seeder, '--seed', ...tequioOptions]);
  return { complete: peer.timeOf('done', timeoutMs), stop: () => peer.stop() };
}

async function follow(peer: LabPeer, { torrentFile, folder, seeder }: Wanted): Promise<Download> {
  await peer.download(torrentFile, folder, { peers: [seeder] });
  const complete = peer.waitComplete(timeoutMs, everyMs).then(() => performance.now());
  return { complete, stop: () => peer.stop() };
}

function webtorrent(): Downloader {
  const found = tryFindWebtorrent();
  return {
    name: 'WebTorrent',
    version: found?.version ?? null,
    start: async (host, { torrentFile, folder, seeder }) => {
      const lines = new JsonLines();
      const script = fileURLToPath(new URL('./programs/webtorrent-peer.mjs', import.meta.url));
      const running = host.run(execPath, [script, found!.entry], { onLine: lines.onLine });
      lines.attach(running);
      const complete = lines.ask('download', { torrentFile, folder, seeder }).then(() => performance.now());
      return { complete, stop: async () => void (await running.stop('SIGKILL')) };
    },
  };
}

/** Only for torrents of version 1 with one file. */
function limit(buildFolder: string): Downloader {
  const program = tryBuildNative('limit', buildFolder);
  return {
    name: limitName,
    version: program === null ? null : (compilerVersion() ?? ''),
    start: async (host, { torrentFile, infoHash, folder, seeder }) => {
      const [address, port] = seeder.split(':') as [string, string];
      mkdirSync(join(folder, contentName), { recursive: true });
      const out = join(folder, contentName, contentFile);
      let isDone = (_atMs: number): void => {};
      const done = new Promise<number>((resolve) => (isDone = resolve));
      const running = host.run(program!, [address, port, infoHash, torrentFile, out], {
        onLine: () => isDone(performance.now()),
      });
      const ended = running.exited.then(() => Promise.reject(new Error(`it ended: ${running.describe()}`)));
      return {
        complete: Promise.race([done, ended]),
        stop: async () => void (await running.stop('SIGKILL')),
      };
    },
  };
}

/** WebTorrent, where npm has it globally or NODE_PATH says: it is no dependency of this project. */
export function tryFindWebtorrent(): { readonly entry: string; readonly version: string } | null {
  const global = spawnSync('npm', ['root', '--global'], { encoding: 'utf8' }).stdout.trim();
  const folders = [...(process.env['NODE_PATH'] ?? '').split(':'), global].filter((folder) => folder !== '');
  for (const folder of folders) {
    try {
      const packageFile = join(folder, 'webtorrent', 'package.json');
      const { version } = createRequire(import.meta.url)(packageFile) as { version: string };
      return { entry: join(folder, 'webtorrent', 'index.js'), version };
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
