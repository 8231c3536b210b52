/** A seeder with hundreds of peers, few of which ask for anything. What is measured: bench/README.md. */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../e2e/lab/lab.ts';
import { LibtorrentPeer } from '../../e2e/lab/libtorrent.ts';
import { type Content, gibibyte, makeContent, mebibyte } from '../content.ts';
import { addCrowdHost, Crowd } from '../crowd.ts';
import { ownVersion } from '../downloaders.ts';
import { LibraryPeer } from '../library-peer.ts';
import { libtorrentSettings, libtorrents } from '../libtorrents.ts';
import { buildNative } from '../native.ts';
import { residentBytesOf, usageOf } from '../processes.ts';
import { type Bench, ours, type RowRunner, type Values } from '../row.ts';

const pieceBytes = mebibyte;
const checkTimeoutMs = 120_000;
/** More than the crowd. */
const connectionCountMax = 1100;
/** Until the last handshakes are digested, and for how long nothing is then done. */
const settleMs = 2000;
const idleMs = 4000;

type Seeder = {
  readonly endpoint: string;
  /** Before memory is read. */
  readonly settle: () => Promise<void>;
  readonly stop: () => Promise<void>;
};
type StartSeeder = (host: Host, content: Content) => Promise<Seeder>;

export const peers: RowRunner = {
  plan: async (bench) => {
    const bytes = bench.quick ? 256 * mebibyte : gibibyte;
    const leeches = buildNative('leeches', bench.lab.folder);
    const content = await makeContent(bench.lab.folder, 'source', { bytes, pieceBytes });
    const counts: readonly [number, number][] = bench.quick
      ? [[2, 2], [500, 20]] // biome-ignore format: pairs
      : [[2, 2], [20, 20], [100, 20], [500, 20], [1000, 20]]; // biome-ignore format: pairs
    return {
      setting: { bytes, pieceBytes, downloadedBytes: 2 * bytes },
      cases: counts.map(([count, active]) => ({
        name: `${count} peers, ${active} active`,
        size: count,
        open: async () => {
          const run = (start: StartSeeder) => measure(bench, leeches, content, { count, active }, start);
          const others = libtorrents().map(({ program, version, python }) => ({
            program,
            version,
            measure: () => run((host, what) => startLibtorrent(host, what, python)),
          }));
          return {
            contenders: [{ program: ours, version: ownVersion(), measure: () => run(startOurs) }, ...others],
          };
        },
      })),
    };
  },
};

async function startOurs(host: Host, { torrentFile, folder }: Content): Promise<Seeder> {
  const limits = { connectionCountMax, totalConnectionCountMax: connectionCountMax };
  const peer = await LibraryPeer.start(host, limits);
  await peer.ask('seed', { torrentFiles: [torrentFile], folder });
  return {
    endpoint: peer.endpoint,
    settle: async () => void (await peer.ask('settle')),
    stop: () => peer.stop(),
  };
}

async function startLibtorrent(
  host: Host,
  { torrentFile, folder }: Content,
  python: string,
): Promise<Seeder> {
  const settings = { ...libtorrentSettings, connections_limit: connectionCountMax };
  const peer = await LibtorrentPeer.start(host, settings, null, python);
  await peer.seed(torrentFile, folder, [], checkTimeoutMs);
  return { endpoint: peer.endpoint, settle: async () => {}, stop: () => peer.stop() };
}

async function measure(
  { lab }: Bench,
  leeches: string,
  content: Content,
  { count, active }: { readonly count: number; readonly active: number },
  start: StartSeeder,
): Promise<Values> {
  const host = lab.addHost('seeder');
  const crowdHost = addCrowdHost(lab, host, count);
  const seeder = await start(host, content);
  const cpuSeconds = (): number => usageOf(host.processIds()).cpuSeconds;
  await seeder.settle();
  const bytesAlone = residentBytesOf(host.processIds());
  const each = (2 * content.bytes) / active;
  const wish = { content, pieceBytes, connections: count, active, bytes: each };
  const crowd = new Crowd(leeches, crowdHost, seeder.endpoint, wish);
  try {
    await crowd.connected();
    await sleep(settleMs);
    await seeder.settle();
    const bytesConnected = residentBytesOf(host.processIds());
    const idleFrom = cpuSeconds();
    await sleep(idleMs);
    const activeFrom = cpuSeconds();
    const { bytes } = await crowd.download();
    const cpu = cpuSeconds() - activeFrom;
    return {
      cpu,
      cpuPerGib: (cpu * gibibyte) / bytes,
      // With a few peers the seeder's own ups and downs are all there is to see.
      ...(count >= 100 ? { kilobytesEach: (bytesConnected - bytesAlone) / 1000 / count } : {}),
      idleCpu: ((activeFrom - idleFrom) / idleMs) * 1000 * 100,
    };
  } finally {
    await crowd.stop();
    await seeder.stop();
    for (const one of [host, crowdHost]) {
      lab.removeHost(one);
      rmSync(one.folder, { recursive: true, force: true });
    }
  }
}
