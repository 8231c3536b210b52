/**
 * The library from the outside: downloads one torrent and says what happens. Started again it goes on where it was
 * stopped, because its state lies in a database.
 *
 *   npx node packages/bittorrent/examples/download.ts SOURCE FOLDER [HOST:PORT...]
 *
 * SOURCE is a .torrent file, a magnet link or a hex info-hash. `npx node` is the project's own Node 24, once `npm start`
 * or `npm test` has set it up.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { argv, exit, stderr, stdout } from 'node:process';
import { type BittorrentEvent, createBittorrent, type TorrentSource } from '@tequio/bittorrent';
import { createRuntimePorts, readBootId } from '@tequio/runtime';

export type DownloadOptions = {
  readonly source: TorrentSource;
  /** Absolute folder for the content. */
  readonly folder: string;
  /** Absolute folder for what must be remembered. Exists. */
  readonly stateFolder: string;
  /** HOST:PORT to dial at once. */
  readonly peers?: readonly string[];
  readonly onEvent?: (event: BittorrentEvent) => void;
};

/** Settles when all is there and verified. Rejects when the torrent fails: a full disk, a broken torrent. */
export async function download(options: DownloadOptions): Promise<void> {
  const ports = createRuntimePorts();
  const database = ports.database.open(join(options.stateFolder, 'example.sqlite'));
  const bittorrent = createBittorrent(
    { dataFolder: options.stateFolder, bootId: readBootId(), port: 0 },
    { ports, database },
  );
  try {
    await bittorrent.start();
    const finished = new Promise<void>((settle, reject) => {
      bittorrent.subscribe((event) => {
        options.onEvent?.(event);
        if (event.type === 'bittorrent.torrent.finished') settle();
        if (event.type === 'bittorrent.torrent.failed') reject(new Error(event.message));
      });
    });
    const { source, folder, peers = [] } = options;
    await Promise.all([finished, bittorrent.add(source, { folder, peers })]);
  } finally {
    // In reverse: the service says good-bye through the ports and remembers in the database.
    await bittorrent.close();
    database.close();
    await ports.close();
  }
}

function describe(event: BittorrentEvent): string | null {
  switch (event.type) {
    case 'bittorrent.torrent.added':
      return `downloading ${event.name}`;
    case 'bittorrent.peer.connected':
      return `connected to ${event.endpoint}`;
    case 'bittorrent.piece.verified':
      return `piece ${event.piece} is right`;
    case 'bittorrent.peer.banned':
      return `banned ${event.endpoint}: ${event.message}`;
    case 'bittorrent.torrent.finished':
      return 'all there';
    default:
      return null;
  }
}

async function main(text: string, folder: string, peers: readonly string[]): Promise<void> {
  const isMagnet = /^(magnet:|[0-9a-f]{40}$|[0-9a-f]{64}$)/i.test(text);
  const source = isMagnet ? { magnet: text } : { torrent: await readFile(text) };
  // A program of yours has a folder of its own for this, one that outlives a restart of the machine.
  const stateFolder = join(tmpdir(), 'tequio-example');
  await mkdir(stateFolder, { recursive: true });
  const onEvent = (event: BittorrentEvent): void => {
    const line = describe(event);
    if (line !== null) stdout.write(`${line}\n`);
  };
  await download({ source, folder: resolve(folder), stateFolder, peers, onEvent });
}

if (argv[1] === import.meta.filename) {
  const [text, folder, ...peers] = argv.slice(2);
  if (text === undefined || folder === undefined) {
    stderr.write('download.ts SOURCE FOLDER [HOST:PORT...]\n');
    exit(2);
  }
  await main(text, folder, peers);
}
