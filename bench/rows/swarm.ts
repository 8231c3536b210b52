/** A whole swarm of one program: 30 downloaders, and one seed that comes last. What is measured: bench/README.md. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertSameTree } from '../../e2e/lab/content.ts';
import { HintTracker } from '../../e2e/lab/hint-tracker.ts';
import type { Host } from '../../e2e/lab/lab.ts';
import { LibtorrentPeer } from '../../e2e/lab/libtorrent.ts';
import { TequioPeer } from '../../e2e/lab/tequio.ts';
import { until } from '../../e2e/lab/until.ts';
import { type Content, makeContent, mebibyte } from '../content.ts';
import { ownVersion, tequioOptions } from '../downloaders.ts';
import { libtorrentSettings, libtorrents } from '../libtorrents.ts';
import { settleDisk } from '../machine.ts';
import { usageOf } from '../processes.ts';
import { type Bench, ours, type RowRunner, type Values } from '../row.ts';

const pieceBytes = 256 * 1024;
const timeoutMs = 300_000;
/** Of a program that only answers when asked; 30 of them are asked. */
const everyMs = 100;
/** Until all downloaders have met each other. */
const meetMs = 5000;
const begunBytes = 64 * 1024;

/** One of a swarm. */
type Member = {
  /** Resolves when it has all. */
  readonly complete: () => Promise<number>;
  readonly stop: () => Promise<void>;
};

/** Starts a downloader, or with `seeds` the seed. Whom it may call the torrent's tracker says. */
type StartMember = (host: Host, content: Content, folder: string, seeds: boolean) => Promise<Member>;

export const swarm: RowRunner = {
  plan: async (bench) => {
    const bytes = (bench.quick ? 16 : 64) * mebibyte;
    const count = bench.quick ? 10 : 30;
    return {
      setting: { bytes, pieceBytes },
      cases: [
        {
          name: `${count} downloaders`,
          open: async () => {
            const others = libtorrents().map(({ program, version, python }) => ({
              program,
              version,
              measure: (round: number) =>
                measure(bench, bytes, count, round, (host, content, folder, seeds) =>
                  startLibtorrent(host, content, folder, seeds, python),
                ),
            }));
            const own = (round: number): Promise<Values> => measure(bench, bytes, count, round, startTequio);
            return { contenders: [{ program: ours, version: ownVersion(), measure: own }, ...others] };
          },
        },
      ],
    };
  },
};

async function startTequio(host: Host, content: Content, folder: string, seeds: boolean): Promise<Member> {
  const peer = new TequioPeer(host, tequioOptions);
  if (seeds) await peer.seed(content.torrentFile, content.folder);
  else peer.start(['get', content.torrentFile, '--to', folder, '--port', '6881', '--seed', ...tequioOptions]);
  return { complete: () => peer.timeOf('done', timeoutMs), stop: () => peer.kill() };
}

async function startLibtorrent(
  host: Host,
  content: Content,
  folder: string,
  seeds: boolean,
  python: string,
): Promise<Member> {
  const peer = await LibtorrentPeer.start(host, libtorrentSettings, null, python);
  if (seeds) await peer.seed(content.torrentFile, content.folder);
  else await peer.download(content.torrentFile, folder, {});
  const complete = (): Promise<number> => peer.waitComplete(timeoutMs, everyMs).then(() => performance.now());
  return { complete, stop: () => peer.stop() };
}

async function measure(
  bench: Bench,
  bytes: number,
  count: number,
  round: number,
  start: StartMember,
): Promise<Values> {
  const { lab } = bench;
  const hosts = Array.from({ length: count + 1 }, (_, i) => lab.addHost(`member-${i}`));
  const tracker = await HintTracker.listen(
    lab.address,
    hosts.map(({ address }) => `${address}:6881`),
  );
  // A new torrent each time: nobody must be taken for one of an earlier swarm.
  const wish = { bytes, pieceBytes, trackers: [tracker.url] };
  const content = await makeContent(lab.folder, `swarm-${round}-${hosts[0]!.namespace}`, wish);
  const members: Member[] = [];
  try {
    for (const host of hosts.slice(1)) {
      const folder = join(host.folder, 'got');
      mkdirSync(folder);
      members.push(await start(host, content, folder, false));
    }
    await sleep(meetMs);
    settleDisk();
    return await measureSwarm(hosts, members, content, start);
  } finally {
    await Promise.all(members.map((member) => member.stop()));
    tracker.close();
    for (const host of hosts) {
      lab.removeHost(host);
      rmSync(host.folder, { recursive: true, force: true });
    }
    rmSync(content.folder, { recursive: true, force: true });
  }
}

/** @param members downloaders that run; the seed comes now, and is added to them */
async function measureSwarm(
  hosts: readonly Host[],
  members: Member[],
  content: Content,
  start: StartMember,
): Promise<Values> {
  const [seedHost, ...others] = hosts as [Host, ...Host[]];
  const sentBefore = hosts.map((host) => host.sentBytes());
  const cpu = (): number => usageOf(hosts.flatMap((host) => host.processIds())).cpuSeconds;
  const cpuBefore = cpu();
  const downloads = members.map((member) => member.complete());
  const hasBegun = (): boolean => seedHost.sentBytes() - sentBefore[0]! >= begunBytes;
  const begun = until('the seed sends', timeoutMs, hasBegun, 5).then(() => performance.now());
  members.push(await start(seedHost, content, content.folder, true));
  const [beginMs, ...endsMs] = await Promise.all([begun, ...downloads]);
  const cpuSeconds = cpu() - cpuBefore;
  const sent = hosts.map((host, i) => host.sentBytes() - sentBefore[i]!);
  for (const host of others) assertSameTree(join(host.folder, 'got'), join(content.folder));
  return {
    seconds: (Math.max(...endsMs) - beginMs) / 1000,
    first: (Math.min(...endsMs) - beginMs) / 1000,
    copies: sent[0]! / content.bytes,
    fairness: jainIndexOf(sent.slice(1)),
    cpu: cpuSeconds,
  };
}

/** 1 when all are equal, 1/n when one has done all (Jain, Chiu and Hawe, 1984). */
function jainIndexOf(values: readonly number[]): number {
  const sum = values.reduce((a, b) => a + b, 0);
  return sum ** 2 / (values.length * values.reduce((a, b) => a + b * b, 0));
}
