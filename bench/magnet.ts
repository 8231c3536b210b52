/**
 * From a magnet link, with nothing but the DHT to find peers, to the first piece that was verified: each program in
 * turn, in a small local DHT of libtorrent's nodes with one seeder. What is measured: bench/README.md.
 */
import { randomFillSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import type { Host, Lab } from '../e2e/lab/lab.ts';
import { LibtorrentPeer, LibtorrentTool } from '../e2e/lab/libtorrent.ts';
import { TequioPeer } from '../e2e/lab/tequio.ts';
import { until } from '../e2e/lab/until.ts';
import { spreadOf } from './download-summary.ts';
import { resultsFile } from './results-file.ts';
import { runInLab } from './run-in-lab.ts';

const help = `npm run bench -- magnet [options]
  --rounds N      how many times each program starts anew (5)
  --out FILE      where the results go (bench/results/magnet-TIME.json)
Needs Linux, root (network namespaces) and python3-libtorrent.
`;

const contentBytes = 64 * 1024 * 1024;
const pieceBytes = 256 * 1024;
const crowdCount = 20;
const crowdPort = 7000;
const timeoutMs = 60_000;

type Setting = { readonly lab: Lab; readonly magnet: string; readonly bootstrap: string };

/** Times in milliseconds; `fromStart` is from the start of the program, `fromLink` from when it was given the link. */
type Sample = {
  readonly program: string;
  readonly round: number;
  readonly fromStartMs: number;
  readonly fromLinkMs: number;
};

type Program = {
  readonly name: string;
  readonly measure: (host: Host, setting: Setting) => Promise<Omit<Sample, 'program' | 'round'>>;
};

const programs: readonly Program[] = [
  { name: 'Tequio', measure: measureTequio },
  { name: 'libtorrent', measure: measureLibtorrent },
];

/** @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      out: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    stdout.write(help);
    return 0;
  }
  return runInLab(async (lab) => {
    const setting = await prepare(lab);
    const samples: Sample[] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const { name, measure } of programs) {
        const host = lab.addHost(name.toLowerCase());
        const sample = { program: name, round, ...(await measure(host, setting)) };
        lab.removeHost(host);
        samples.push(sample);
        stderr.write(
          `bench: round ${round + 1}: ${name} ${sample.fromLinkMs.toFixed(0)} ms, ` +
            `${sample.fromStartMs.toFixed(0)} ms from its start\n`,
        );
      }
    }
    const file = values.out || resultsFile('magnet');
    writeFileSync(file, `${JSON.stringify({ contentBytes, pieceBytes, crowdCount, samples }, null, 2)}\n`);
    stdout.write(`\n${renderTable(samples)}\n${file}\n`);
  });
}

/** A DHT of a crowd on one host, and a seeder that has announced itself there. */
async function prepare(lab: Lab): Promise<Setting> {
  const sourceFolder = join(lab.folder, 'source');
  const content = join(sourceFolder, 'content');
  mkdirSync(content, { recursive: true });
  writeFileSync(join(content, 'random.bin'), randomFillSync(new Uint8Array(contentBytes)));
  const torrentFile = join(lab.folder, 'content.torrent');
  const tool = new LibtorrentTool();
  await tool.create({ path: content, out: torrentFile, version: 'v1', pieceBytes });
  const { infoHashV1 } = await tool.read(torrentFile);
  await tool.stop();
  const crowd = await LibtorrentPeer.start(lab.addHost('crowd'), {}, []);
  await crowd.startCrowd(crowdCount, crowdPort, [crowd.endpoint]);
  const seeder = await LibtorrentPeer.start(lab.addHost('seeder'), {}, [crowd.endpoint]);
  await seeder.seed(torrentFile, sourceFolder);
  const setting = { lab, magnet: `magnet:?xt=urn:btih:${infoHashV1}`, bootstrap: crowd.endpoint };
  // The seeder's announcement takes its time: a first download, not measured, waits for it.
  await measureLibtorrent(lab.addHost('first'), setting);
  return setting;
}

async function measureTequio(host: Host, setting: Setting): Promise<Omit<Sample, 'program' | 'round'>> {
  const peer = new TequioPeer(host);
  const startMs = performance.now();
  const folder = join(host.folder, 'got');
  peer.start(['get', setting.magnet, '--to', folder, '--dht-bootstrap', setting.bootstrap]);
  const added = peer.timeOf('bittorrent.torrent.added', timeoutMs);
  const firstMs = await peer.timeOf('bittorrent.piece.verified', timeoutMs);
  const sample = { fromStartMs: firstMs - startMs, fromLinkMs: firstMs - (await added) };
  await peer.stop();
  return sample;
}

async function measureLibtorrent(host: Host, setting: Setting): Promise<Omit<Sample, 'program' | 'round'>> {
  const startMs = performance.now();
  const peer = await LibtorrentPeer.start(host, {}, [setting.bootstrap]);
  const linkMs = performance.now();
  await peer.download(setting.magnet, join(host.folder, 'got'), {});
  const hasPiece = async (): Promise<boolean> => (await peer.status()).havePieceCount > 0;
  await until('libtorrent has a piece', timeoutMs, hasPiece, 2);
  const firstMs = performance.now();
  await peer.stop();
  return { fromStartMs: firstMs - startMs, fromLinkMs: firstMs - linkMs };
}

function renderTable(samples: readonly Sample[]): string {
  const show = (program: string, key: 'fromLinkMs' | 'fromStartMs'): string => {
    const { median, least, most } = spreadOf(
      samples.filter((sample) => sample.program === program).map((sample) => sample[key] / 1000),
    );
    return `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
  };
  return [
    '| program | s from the link to the first piece | s from its start |',
    '| --- | --- | --- |',
    ...programs.map(({ name }) => `| ${name} | ${show(name, 'fromLinkMs')} | ${show(name, 'fromStartMs')} |`),
  ].join('\n');
}
