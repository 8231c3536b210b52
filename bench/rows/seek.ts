/** Jumps in a stream: until the first bytes at the new place can be read. What is measured: bench/README.md. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { JsonLines } from '../../e2e/lab/json-lines.ts';
import type { Host } from '../../e2e/lab/lab.ts';
import { LibtorrentPeer } from '../../e2e/lab/libtorrent.ts';
import { until } from '../../e2e/lab/until.ts';
import { type Content, makeContent, mebibyte } from '../content.ts';
import { ownVersion, tryFindWebtorrent } from '../downloaders.ts';
import { LibraryPeer } from '../library-peer.ts';
import { libtorrentSettings, libtorrents, newestLibtorrent } from '../libtorrents.ts';
import { type Bench, type Contender, ours, type RowRunner, type Values } from '../row.ts';
import { spreadOf } from '../spread.ts';
import { WorkPeer } from '../work-peer.ts';

const wish = { bytes: 256 * mebibyte, pieceBytes: 256 * 1024 };
const lineBytesPerSecond = 20_000_000;
/** Played before the first jump, so that the line is full. */
const playedPieceCount = 40;
/** Where to, as shares of the whole; far behind what plays through in between. */
const places = [0.9, 0.5, 0.7, 0.4, 0.95, 0.6, 0.8, 0.45, 0.75, 0.55];
const timeoutMs = 60_000;

/** A program that plays the content from its beginning. */
type Player = {
  readonly pieceCount: () => Promise<number>;
  /** @returns seconds until the piece can be read */
  readonly seek: (piece: number) => Promise<number>;
  readonly stop: () => Promise<void>;
};
type StartPlayer = (host: Host, content: Content, folder: string, seeder: string) => Promise<Player>;

export const seek: RowRunner = {
  plan: async (bench) => {
    const content = await makeContent(bench.lab.folder, 'source', wish);
    const { python, version } = newestLibtorrent();
    const host = bench.lab.addHost('seeder');
    const seeder = await LibtorrentPeer.start(host, libtorrentSettings, null, python);
    await seeder.seed(content.torrentFile, content.folder);
    host.limitRate(lineBytesPerSecond);
    const jumps = bench.quick ? places.slice(0, 3) : places;
    const run = (start: StartPlayer) => () => measure(bench, content, seeder.endpoint, jumps, start);
    return {
      setting: { ...wish, lineBytesPerSecond, seeder: version },
      cases: [
        {
          name: 'one seeder at 20 MB/s',
          open: async () => ({
            contenders: [
              { program: ours, version: ownVersion(), measure: run(startOurs) },
              ...libtorrents().map((one) => ({
                program: one.program,
                version: one.version,
                measure: run((...args) => startLibtorrent(one.python, ...args)),
              })),
              webtorrent(run),
            ],
          }),
        },
      ],
    };
  },
};

async function measure(
  { lab }: Bench,
  content: Content,
  seeder: string,
  jumps: readonly number[],
  start: StartPlayer,
): Promise<Values> {
  const host = lab.addHost('player');
  const folder = join(host.folder, 'got');
  mkdirSync(folder);
  const player = await start(host, content, folder, seeder);
  try {
    const isPlaying = async (): Promise<boolean> => (await player.pieceCount()) >= playedPieceCount;
    await until('it plays', timeoutMs, isPlaying, 10);
    const pieceCount = wish.bytes / wish.pieceBytes;
    const seconds: number[] = [];
    for (const place of jumps) seconds.push(await player.seek(Math.floor(place * pieceCount)));
    const { median, most } = spreadOf(seconds);
    return { seek: median, worst: most };
  } finally {
    await player.stop();
    lab.removeHost(host);
    rmSync(host.folder, { recursive: true, force: true });
  }
}

async function startOurs(
  host: Host,
  { torrentFile }: Content,
  folder: string,
  seeder: string,
): Promise<Player> {
  const peer = await LibraryPeer.start(host);
  await peer.ask('open', { torrentFile, folder, peers: [seeder] });
  return playerOf(peer);
}

async function startLibtorrent(
  python: string,
  host: Host,
  { torrentFile }: Content,
  folder: string,
  seeder: string,
): Promise<Player> {
  const peer = await WorkPeer.start(host, python, libtorrentSettings);
  await peer.ask('open', { torrentFile, folder, peers: [seeder] });
  return playerOf(peer);
}

function webtorrent(run: (start: StartPlayer) => () => Promise<Values>): Contender {
  const found = tryFindWebtorrent();
  const startPlayer: StartPlayer = async (host, { torrentFile }, folder, seeder) => {
    const lines = new JsonLines();
    const script = fileURLToPath(new URL('../programs/webtorrent-peer.mjs', import.meta.url));
    const running = host.run(execPath, [script, found!.entry], { onLine: lines.onLine });
    lines.attach(running);
    await lines.ask('open', { torrentFile, folder, seeder });
    return playerOf({
      ask: (op, request) => lines.ask(op, { ...request, pieceBytes: wish.pieceBytes }),
      stop: async () => void (await running.stop('SIGKILL')),
    });
  };
  return { program: 'WebTorrent', version: found?.version ?? null, measure: run(startPlayer) };
}

type Asked = {
  ask<Reply>(op: string, request?: Record<string, unknown>): Promise<Reply>;
  stop(): Promise<void>;
};

function playerOf(peer: Asked): Player {
  return {
    pieceCount: async () => (await peer.ask<{ readonly havePieceCount: number }>('status')).havePieceCount,
    seek: async (piece) => (await peer.ask<{ readonly seconds: number }>('seek', { piece })).seconds,
    stop: () => peer.stop(),
  };
}
