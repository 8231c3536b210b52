/** Thousands of torrents that are complete and have no peers. What is measured: bench/README.md. */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../e2e/lab/lab.ts';
import { ownVersion } from '../downloaders.ts';
import { LibraryPeer } from '../library-peer.ts';
import { libtorrentSettings, libtorrents } from '../libtorrents.ts';
import { residentBytesOf, usageOf } from '../processes.ts';
import { type Bench, ours, type RowRunner, type Values } from '../row.ts';
import { WorkPeer } from '../work-peer.ts';

const fileBytes = 1000;
/** Until what was begun at the start is over, and for how long nothing is then done. */
const settleMs = 3000;
const idleMs = 10_000;

type Many = { readonly folder: string; readonly torrentFiles: readonly string[] };

/** A program with nothing in it yet. */
type Running = {
  /** Adds all, and answers when all seed: with the seconds that took. */
  readonly seed: (many: Many) => Promise<number>;
  readonly settle: () => Promise<void>;
  /** Ends it, with all remembered. */
  readonly stop: () => Promise<void>;
};
/** @param isFirst nothing is known yet from an earlier run */
type StartProgram = (host: Host, isFirst: boolean) => Promise<Running>;

export const torrents: RowRunner = {
  plan: async (bench) => {
    const counts = bench.quick ? [100, 2000] : [100, 1000, 10_000, 100_000];
    const most = makeMany(join(bench.lab.folder, 'many'), Math.max(...counts));
    return {
      setting: { fileBytes },
      cases: counts.map((count) => ({
        name: `${count.toLocaleString('en')} torrents`,
        size: count,
        open: async () => {
          const many = { folder: most.folder, torrentFiles: most.torrentFiles.slice(0, count) };
          const others = libtorrents().map(({ program, version, python }) => ({
            program,
            version,
            measure: () => measure(bench, many, (host) => startLibtorrent(host, python)),
          }));
          const own = (): Promise<Values> => measure(bench, many, startOurs);
          return { contenders: [{ program: ours, version: ownVersion(), measure: own }, ...others] };
        },
      })),
    };
  },
};

/** One small file each, a thousand a folder for the torrents; the content is in one folder. */
function makeMany(folder: string, count: number): Many {
  const torrentFiles: string[] = [];
  mkdirSync(join(folder, 'content'), { recursive: true });
  for (let i = 0; i < count; i++) {
    const part = join(folder, `torrents-${Math.floor(i / 1000)}`);
    if (i % 1000 === 0) mkdirSync(part);
    const name = `file-${i}.bin`;
    const bytes = Buffer.alloc(fileBytes, `${i} `);
    writeFileSync(join(folder, 'content', name), bytes);
    const info = Buffer.concat([
      Buffer.from(`d6:lengthi${fileBytes}e4:name${name.length}:${name}12:piece lengthi16384e6:pieces20:`),
      createHash('sha1').update(bytes).digest(),
      Buffer.from('e'),
    ]);
    const torrentFile = join(part, `${i}.torrent`);
    writeFileSync(torrentFile, Buffer.concat([Buffer.from('d4:info'), info, Buffer.from('e')]));
    torrentFiles.push(torrentFile);
  }
  return { folder: join(folder, 'content'), torrentFiles };
}

async function startOurs(host: Host, isFirst: boolean): Promise<Running> {
  const peer = await LibraryPeer.start(host);
  return {
    seed: async (many) => {
      const count = many.torrentFiles.length;
      const asked = isFirst ? peer.ask('seed', many) : peer.ask('restore', { count });
      return Number((await asked)['seconds']);
    },
    settle: async () => void (await peer.ask('settle')),
    stop: () => peer.stop(),
  };
}

async function startLibtorrent(host: Host, python: string): Promise<Running> {
  const peer = await WorkPeer.start(host, python, libtorrentSettings);
  const file = join(host.folder, 'records');
  await peer.ask('recall', { file }).catch(() => {});
  return {
    seed: async (many) => (await peer.ask<{ readonly seconds: number }>('seed', many)).seconds,
    settle: async () => void (await peer.ask('settle')),
    stop: async () => {
      await peer.ask('remember', { file });
      await peer.stop();
    },
  };
}

async function measure({ lab }: Bench, many: Many, start: StartProgram): Promise<Values> {
  const host = lab.addHost('seeder');
  try {
    // An earlier run, which checks all of it, and whose knowledge the measured one has.
    const first = await start(host, true);
    await first.seed(many);
    await first.stop();
    const running = await start(host, false);
    await running.settle();
    const bytesAlone = residentBytesOf(host.processIds());
    const seconds = await running.seed(many);
    await sleep(settleMs);
    await running.settle();
    const bytesEach = (residentBytesOf(host.processIds()) - bytesAlone) / many.torrentFiles.length;
    const before = usageOf(host.processIds()).cpuSeconds;
    await sleep(idleMs);
    const idleCpu = ((usageOf(host.processIds()).cpuSeconds - before) / idleMs) * 1000 * 100;
    await running.stop();
    return { seconds, kilobytesEach: bytesEach / 1000, idleCpu };
  } finally {
    lab.removeHost(host);
    rmSync(host.folder, { recursive: true, force: true });
  }
}
