/** The programs that the download benchmark compares, each set as docs say is fair: see bench/README.md. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Aria2Peer } from '../e2e/lab/aria2.ts';
import { JsonLines } from '../e2e/lab/json-lines.ts';
import type { Host } from '../e2e/lab/lab.ts';
import { LibtorrentPeer } from '../e2e/lab/libtorrent.ts';
import { versionOf } from '../e2e/lab/programs.ts';
import { TequioPeer } from '../e2e/lab/tequio.ts';
import { TransmissionPeer } from '../e2e/lab/transmission.ts';

/** A download that goes on, and a way to end it. */
export type Download = {
  /** Resolves when the program says that everything is there and verified. */
  readonly complete: Promise<void>;
  readonly stop: () => Promise<void>;
};

export type Downloader = {
  readonly name: string;
  /** Null: not here, and so left out. */
  readonly version: string | null;
  readonly start: (host: Host, torrentFile: string, folder: string, seeder: string) => Promise<Download>;
};

/** How often programs that only answer when asked are asked. */
const everyMs = 10;
const timeoutMs = 600_000;

/** For both ends, over libtorrent's defaults (downloader) or its preset for fast seeding (seeder). */
export const libtorrentSettings = {
  connections_limit: 200,
  unchoke_slots_limit: -1,
  mixed_mode_algorithm: 0,
  max_queued_disk_bytes: 100 * 1024 * 1024,
  aio_threads: 8,
  hashing_threads: 2,
  max_out_request_queue: 1500,
  max_allowed_in_request_queue: 2000,
  send_buffer_watermark: 3 * 1024 * 1024,
  send_buffer_low_watermark: 1024 * 1024,
  send_buffer_watermark_factor: 150,
} as const;

/** As for the others: files from one peer over TCP, and nothing else. */
const tequioOptions = [
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

/** Every program that the benchmark knows, in the order of the table. */
export function allDownloaders(): readonly Downloader[] {
  const webtorrent = tryFindWebtorrent();
  return [
    {
      name: 'Tequio',
      version: JSON.parse(spawnSync('cat', ['package.json'], { cwd: projectRoot, encoding: 'utf8' }).stdout)
        .version,
      start: async (host, torrentFile, folder, seeder) => {
        const peer = new TequioPeer(host);
        // With --seed it stays after the download, so that what it has used can be read.
        peer.start(['get', torrentFile, '--to', folder, '--peer', seeder, '--seed', ...tequioOptions]);
        return { complete: peer.waitLine('done', timeoutMs).then(() => {}), stop: () => peer.stop() };
      },
    },
    {
      name: 'libtorrent',
      version: versionOf('libtorrent'),
      start: async (host, torrentFile, folder, seeder) => {
        const peer = await LibtorrentPeer.start(host, libtorrentSettings);
        await peer.download(torrentFile, folder, { peers: [seeder] });
        return { complete: peer.waitComplete(timeoutMs, everyMs), stop: () => peer.stop() };
      },
    },
    {
      name: 'aria2',
      version: versionOf('aria2'),
      start: async (host, torrentFile, folder, seeder) => {
        const peer = new Aria2Peer(host, aria2Options);
        await peer.download(torrentFile, folder, { peers: [seeder] });
        return { complete: peer.waitComplete(timeoutMs, everyMs), stop: () => peer.stop() };
      },
    },
    {
      name: 'Transmission',
      version: versionOf('Transmission'),
      start: async (host, torrentFile, folder, seeder) => {
        const peer = await TransmissionPeer.start(host, transmissionSettings);
        await peer.download(torrentFile, folder, { peers: [seeder] });
        return { complete: peer.waitComplete(timeoutMs, everyMs), stop: () => peer.stop() };
      },
    },
    {
      name: 'WebTorrent',
      version: webtorrent?.version ?? null,
      start: async (host, torrentFile, folder, seeder) => {
        const lines = new JsonLines();
        const script = fileURLToPath(new URL('./webtorrent-peer.mjs', import.meta.url));
        const running = host.run(execPath, [script, webtorrent!.entry], { onLine: lines.onLine });
        lines.attach(running);
        const complete = lines.ask('download', { torrentFile, folder, seeder }).then(() => {});
        return { complete, stop: async () => void (await running.stop('SIGKILL')) };
      },
    },
  ];
}

const projectRoot = fileURLToPath(new URL('..', import.meta.url));

/** WebTorrent, where npm has it globally or NODE_PATH says: it is no dependency of this project. */
function tryFindWebtorrent(): { readonly entry: string; readonly version: string } | null {
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
