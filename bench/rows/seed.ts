/** One program seeds to several downloaders at once. What is measured: bench/README.md. */
import { rmSync } from 'node:fs';
import type { Host } from '../../e2e/lab/lab.ts';
import { LibtorrentPeer } from '../../e2e/lab/libtorrent.ts';
import { TequioPeer } from '../../e2e/lab/tequio.ts';
import { type Content, gibibyte, makeContent, mebibyte } from '../content.ts';
import { addCrowdHost, Crowd } from '../crowd.ts';
import { ownVersion, tequioOptions } from '../downloaders.ts';
import { libtorrentSettings, libtorrents } from '../libtorrents.ts';
import { settleDisk } from '../machine.ts';
import { buildNative } from '../native.ts';
import { usageOf } from '../processes.ts';
import { type Bench, type Contender, ours, type RowRunner, type Values } from '../row.ts';

const pieceBytes = mebibyte;
const checkTimeoutMs = 120_000;

type Seeder = { readonly endpoint: string; readonly stop: () => Promise<void> };
type StartSeeder = (host: Host, content: Content) => Promise<Seeder>;

export const seed: RowRunner = {
  plan: async (bench) => {
    const bytes = bench.quick ? 128 * mebibyte : gibibyte;
    const leeches = buildNative('leeches', bench.lab.folder);
    const content = await makeContent(bench.lab.folder, 'source', { bytes, pieceBytes });
    return {
      setting: { bytes, pieceBytes },
      cases: [1, 8, 50].map((count) => ({
        name: count === 1 ? '1 downloader' : `${count} downloaders`,
        size: count,
        open: async () => ({
          contenders: contenders((start) => measure(bench, leeches, content, count, start)),
        }),
      })),
    };
  },
};

function contenders(run: (start: StartSeeder) => Promise<Values>): readonly Contender[] {
  return [
    { program: ours, version: ownVersion(), measure: () => run(startTequio) },
    ...libtorrents().map(({ program, version, python }) => ({
      program,
      version,
      measure: () => run((host, content) => startLibtorrent(host, content, python)),
    })),
  ];
}

async function startTequio(host: Host, { torrentFile, folder }: Content): Promise<Seeder> {
  const peer = new TequioPeer(host, tequioOptions);
  await peer.seed(torrentFile, folder);
  return peer;
}

async function startLibtorrent(
  host: Host,
  { torrentFile, folder }: Content,
  python: string,
): Promise<Seeder> {
  const peer = await LibtorrentPeer.start(host, libtorrentSettings, null, python);
  await peer.seed(torrentFile, folder, [], checkTimeoutMs);
  return peer;
}

async function measure(
  { lab }: Bench,
  leeches: string,
  content: Content,
  count: number,
  start: StartSeeder,
): Promise<Values> {
  settleDisk();
  const host = lab.addHost('seeder');
  const crowdHost = addCrowdHost(lab, host, count);
  const seeder = await start(host, content);
  const wish = { content, pieceBytes, connections: count, active: count, bytes: content.bytes };
  const crowd = new Crowd(leeches, crowdHost, seeder.endpoint, wish);
  try {
    await crowd.connected();
    const before = usageOf(host.processIds()).cpuSeconds;
    const { seconds, firstSeconds, bytes } = await crowd.download();
    const { cpuSeconds, peakBytes } = usageOf(host.processIds());
    return {
      seconds,
      rate: bytes / seconds / 1e6,
      cpuPerGib: ((cpuSeconds - before) * gibibyte) / bytes,
      peak: peakBytes / 1e6,
      spread: seconds / firstSeconds,
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
