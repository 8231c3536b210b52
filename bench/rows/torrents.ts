/** Thousands of torrents that are complete and have no peers. What is measured: bench/README.md. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host, Lab } from '../../e2e/lab/lab.ts';
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

/** Torrents that the unmeasured first run is given at once. */
const portionCount = 5000;

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
          // What an earlier run knew is made once a program, by its first measurement, and is the same for all of them.
          const known = join(bench.lab.folder, `known-${count}`);
          const many = { folder: most.folder, torrentFiles: most.torrentFiles.slice(0, count) };
          const others = libtorrents().map(({ program, version, python }) => ({
            program,
            version,
            measure: () =>
              measure(bench, many, join(known, version), (host) => startLibtorrent(host, python)),
          }));
          const own = (): Promise<Values> => measure(bench, many, join(known, ours), startOurs);
          return {
            contenders: [{ program: ours, version: ownVersion(), measure: own }, ...others],
            close: async () => rmSync(known, { recursive: true, force: true }),
          };
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
  // Of the first run only what it leaves behind counts: those that are complete rest at once.
  const peer = await LibraryPeer.start(host, isFirst ? { restAfterMs: 1000 } : {});
  return {
    seed: async ({ folder, torrentFiles }) => {
      const count = torrentFiles.length;
      if (!isFirst) return Number((await peer.ask('restore', { count }))['seconds']);
      for (let at = 0; at < count; at += portionCount)
        await peer.ask('seed', { folder, torrentFiles: torrentFiles.slice(at, at + portionCount) });
      return Number.NaN;
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

/** @param known a folder, where what an earlier run knew is kept; not there yet: it is made */
async function measure({ lab }: Bench, many: Many, known: string, start: StartProgram): Promise<Values> {
  if (!existsSync(known)) await remember(lab, many, known, start);
  const host = lab.addHost('seeder');
  try {
    cpSync(known, host.folder, { recursive: true });
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
    return { seconds, kilobytesEach: bytesEach / 1000, idleCpu };
  } finally {
    lab.removeHost(host);
    rmSync(host.folder, { recursive: true, force: true });
  }
}

/** An earlier run, which checks all of it. What it leaves in its folder is kept in `known`. */
async function remember(lab: Lab, many: Many, known: string, start: StartProgram): Promise<void> {
  const host = lab.addHost('earlier');
  try {
    const first = await start(host, true);
    await first.seed(many);
    await first.stop();
    cpSync(host.folder, known, { recursive: true });
  } finally {
    lab.removeHost(host);
    rmSync(host.folder, { recursive: true, force: true });
  }
}
