/**
 * uTP alone, Tequio's and libtorrent's, with themselves and with each other: over a pair of virtual links, and over
 * loopback. What is measured: bench/README.md.
 */
import { randomFillSync } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { assertSameTree } from '../e2e/lab/content.ts';
import { Host, type Lab } from '../e2e/lab/lab.ts';
import { LibtorrentPeer, LibtorrentTool } from '../e2e/lab/libtorrent.ts';
import { versionOf } from '../e2e/lab/programs.ts';
import { TequioPeer } from '../e2e/lab/tequio.ts';
import { until } from '../e2e/lab/until.ts';
import { utpOnlySettings } from './libtorrents.ts';
import { usageOf } from './processes.ts';
import { resultsFile } from './results-file.ts';
import { runInLab } from './run-in-lab.ts';
import { spreadOf } from './spread.ts';

const help = `npm run bench -- utp [options]
  --rounds N      how many times each pair transfers (3)
  --mib N         size of the content in MiB (192)
  --only A;B      these pairs only, e.g. "links, Tequio to libtorrent"; several with semicolons
  --out FILE      where the results go (bench/results/utp-TIME.json)
Needs Linux, root (network namespaces) and python3-libtorrent.
`;

const pieceBytes = 1024 * 1024;
const timeoutMs = 120_000;

type Program = 'Tequio' | 'libtorrent';
type Line = 'links' | 'loopback';
type Pair = { readonly line: Line; readonly from: Program; readonly to: Program };

type Sample = Pair & {
  readonly round: number;
  /** From the connection, or the first look that found one, until all is verified. */
  readonly seconds: number;
  readonly senderCpuSeconds: number;
  readonly receiverCpuSeconds: number;
};

type Content = { readonly torrentFile: string; readonly folder: string; readonly bytes: number };

const pairs: readonly Pair[] = (['links', 'loopback'] as const).flatMap((line) =>
  (['Tequio', 'libtorrent'] as const).flatMap((from) =>
    (['Tequio', 'libtorrent'] as const).map((to) => ({ line, from, to })),
  ),
);

/** @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '3' },
      mib: { type: 'string', default: '192' },
      only: { type: 'string', default: '' },
      out: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    stdout.write(help);
    return 0;
  }
  return runInLab(async (lab) => {
    const content = await prepare(lab, Number(values.mib));
    const samples: Sample[] = [];
    const wanted = pairs.filter(
      (pair) => values.only === '' || values.only.split(';').includes(titleOf(pair)),
    );
    for (let round = 0; round < Number(values.rounds); round++) {
      for (let i = 0; i < wanted.length; i++) {
        const pair = wanted[(i + round) % wanted.length]!;
        const sample = { ...pair, round, ...(await measure(lab, pair, content)) };
        samples.push(sample);
        stderr.write(
          `bench: round ${round + 1}: ${titleOf(pair)} ${rateOf(sample, content).toFixed(0)} MB/s\n`,
        );
      }
    }
    const file = values.out || resultsFile('utp');
    const programs = { libtorrent: versionOf('libtorrent') };
    writeFileSync(
      file,
      `${JSON.stringify({ bytes: content.bytes, pieceBytes, programs, samples }, null, 2)}\n`,
    );
    stdout.write(`\n${renderTable(wanted, samples, content)}\n${file}\n`);
  });
}

async function prepare(lab: Lab, mib: number): Promise<Content> {
  const folder = join(lab.folder, 'source');
  mkdirSync(join(folder, 'content'), { recursive: true });
  const bytes = mib * 1024 * 1024;
  writeFileSync(join(folder, 'content', 'random.bin'), randomFillSync(new Uint8Array(bytes)));
  const torrentFile = join(lab.folder, 'content.torrent');
  const tool = new LibtorrentTool();
  await tool.create({ path: join(folder, 'content'), out: torrentFile, version: 'v1', pieceBytes });
  await tool.stop();
  return { torrentFile, folder, bytes };
}

async function measure(lab: Lab, pair: Pair, content: Content): Promise<Omit<Sample, keyof Pair | 'round'>> {
  const hosts = await hostsFor(lab, pair.line);
  const [sender, receiver] = [await start(pair.from, hosts[0]), await start(pair.to, hosts[1])];
  try {
    await sender.seed(content.torrentFile, content.folder);
    const before = cpuSecondsOf(sender.host);
    const got = join(lab.folder, 'got');
    await receiver.download(content.torrentFile, got, { peers: [sender.endpoint] });
    await untilConnected(receiver);
    const startMs = performance.now();
    if (receiver instanceof TequioPeer) await receiver.waitLine('bittorrent.torrent.finished', timeoutMs);
    else await receiver.waitComplete(timeoutMs, 10);
    const seconds = (performance.now() - startMs) / 1000;
    // On loopback both are on one host, and only their sum is known.
    const after = cpuSecondsOf(sender.host);
    const receiverCpuSeconds = pair.line === 'loopback' ? 0 : cpuSecondsOf(receiver.host);
    assertSameTree(join(got, 'content'), join(content.folder, 'content'));
    rmSync(got, { recursive: true });
    return { seconds, senderCpuSeconds: after - before, receiverCpuSeconds };
  } finally {
    await Promise.all([sender.stop(), receiver.stop()]);
    for (const host of new Set(hosts.map(({ namespace }) => namespace))) {
      lab.removeHost(hosts.find(({ namespace }) => namespace === host)!);
    }
  }
}

/** Two hosts with a link each, or two addresses of one host's loopback. */
async function hostsFor(lab: Lab, line: Line): Promise<readonly [Host, Host]> {
  const host = lab.addHost('sender');
  if (line === 'links') return [host, lab.addHost('receiver')];
  await host.run('ip', ['address', 'add', '127.0.0.2/8', 'dev', 'lo']).wait(timeoutMs);
  const at = (address: string): Host =>
    new Host(host.namespace, address, host.gateway, join(host.folder, address));
  return [at('127.0.0.1'), at('127.0.0.2')];
}

async function start(program: Program, host: Host): Promise<LibtorrentPeer | TequioPeer> {
  if (program === 'libtorrent') return LibtorrentPeer.start(host, utpOnlySettings);
  return new TequioPeer(host, ['--transport', 'utp', '--bind', host.address]);
}

async function untilConnected(receiver: LibtorrentPeer | TequioPeer): Promise<void> {
  if (receiver instanceof TequioPeer) await receiver.waitLine('bittorrent.peer.connected', timeoutMs);
  else
    await until('libtorrent is connected', timeoutMs, async () => (await receiver.status()).peerCount > 0, 5);
}

function cpuSecondsOf(host: Host): number {
  return usageOf(host.processIds()).cpuSeconds;
}

function rateOf(sample: Sample, content: Content): number {
  return content.bytes / 1e6 / sample.seconds;
}

function titleOf(pair: Pair): string {
  return `${pair.line}, ${pair.from} to ${pair.to}`;
}

function renderTable(wanted: readonly Pair[], samples: readonly Sample[], content: Content): string {
  return [
    '| line | from | to | MB/s |',
    '| --- | --- | --- | --- |',
    ...wanted.map((pair) => {
      const of = samples.filter((sample) => titleOf(sample) === titleOf(pair));
      const { median, least, most } = spreadOf(of.map((sample) => rateOf(sample, content)));
      const spread = `${median.toFixed(0)} (${least.toFixed(0)}–${most.toFixed(0)})`;
      return `| ${pair.line} | ${pair.from} | ${pair.to} | ${spread} |`;
    }),
  ].join('\n');
}
