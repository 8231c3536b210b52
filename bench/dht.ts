/**
 * How many questions of others a DHT node answers with a second of processor time: each program as one node of a small
 * DHT, asked as fast as it answers from another network namespace. What is measured: bench/README.md.
 */
import { writeFileSync } from 'node:fs';
import { execPath, stderr, stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Host, Lab } from '../e2e/lab/lab.ts';
import { LibtorrentPeer } from '../e2e/lab/libtorrent.ts';
import { TequioPeer } from '../e2e/lab/tequio.ts';
import { usageOf } from './processes.ts';
import { resultsFile } from './results-file.ts';
import { runInLab } from './run-in-lab.ts';
import { spreadOf } from './spread.ts';

const help = `npm run bench -- dht [options]
  --rounds N      how many times each program is asked (5)
  --seconds N     for how long each time, after 3 s that do not count (5)
  --out FILE      where the results go (bench/results/dht-TIME.json)
Needs Linux, root (network namespaces) and python3-libtorrent.
`;

const crowdCount = 30;
const crowdPort = 7000;
/** Asked, but not measured, before each measurement. */
const warmS = 3;
/** Until a node has met its neighbours. */
const settleMs = 6000;
/** Far above what is reached: the ceiling on answers is not what is measured. */
const unlimited = 1_000_000_000;
const loader = fileURLToPath(new URL('./dht-load.ts', import.meta.url));

type Sample = {
  readonly program: string;
  readonly round: number;
  readonly answersPerSecond: number;
  readonly answersPerCpuSecond: number;
  readonly answeredShare: number;
};

/** A node that runs, on its host. */
type Node = { readonly name: string; readonly host: Host; readonly stop: () => Promise<void> };

/** @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      out: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    stdout.write(help);
    return 0;
  }
  return runInLab(async (lab) => {
    const nodes = await startNodes(lab);
    const asker = lab.addHost('asker');
    const samples: Sample[] = [];
    for (let round = 0; round < Number(values.rounds); round++) {
      for (let i = 0; i < nodes.length; i++) {
        const node = nodes[(i + round) % nodes.length]!;
        const sample = await measure(node, asker, round, Number(values.seconds));
        samples.push(sample);
        stderr.write(
          `bench: round ${round + 1}: ${node.name} ${sample.answersPerSecond.toFixed(0)} answers/s, ` +
            `${sample.answersPerCpuSecond.toFixed(0)} per CPU second\n`,
        );
      }
    }
    for (const node of nodes) await node.stop();
    const file = values.out || resultsFile('dht');
    writeFileSync(file, `${JSON.stringify({ crowdCount, samples }, null, 2)}\n`);
    stdout.write(`\n${renderTable(samples)}\n${file}\n`);
  });
}

async function startNodes(lab: Lab): Promise<readonly Node[]> {
  const crowd = await LibtorrentPeer.start(lab.addHost('crowd'), {}, []);
  await crowd.startCrowd(crowdCount, crowdPort, [crowd.endpoint]);
  const tequioHost = lab.addHost('tequio');
  const tequio = new TequioPeer(tequioHost);
  const limit = ['--limit-up', String(unlimited)];
  tequio.start(['dht', 'serve', '--port', '6881', '--dht-bootstrap', crowd.endpoint, ...limit]);
  await tequio.waitLine('serving', 10_000);
  const libtorrentHost = lab.addHost('libtorrent');
  const settings = { dht_upload_rate_limit: unlimited, dht_block_ratelimit: unlimited };
  const libtorrent = await LibtorrentPeer.start(libtorrentHost, settings, [crowd.endpoint]);
  await sleep(settleMs);
  return [
    { name: 'Tequio', host: tequioHost, stop: () => tequio.stop() },
    { name: 'libtorrent', host: libtorrentHost, stop: () => libtorrent.stop() },
  ];
}

/**
 * Both programs are asked for `warmS` first and measured after that, while the questions go on: compilers that work
 * while the program runs, caches and processor clocks have settled by then.
 */
async function measure(node: Node, asker: Host, round: number, seconds: number): Promise<Sample> {
  const ids = node.host.processIds();
  const looks: { atMs: number; cpuSeconds: number; asked: number; answered: number }[] = [];
  const args = [loader, node.host.address, '6881', String(warmS + seconds)];
  const running = asker.run(execPath, args, {
    onLine: (line) => {
      const counts = JSON.parse(line) as { readonly asked: number; readonly answered: number };
      looks.push({ ...counts, atMs: performance.now(), cpuSeconds: usageOf(ids).cpuSeconds });
    },
  });
  await running.wait((warmS + seconds + 10) * 1000);
  const [first, last] = [looks[warmS - 1], looks.at(-1)];
  if (first === undefined || last === undefined || last === first)
    throw new Error(`${node.name}: the asker has said too little: ${running.describe()}`);
  const answered = last.answered - first.answered;
  return {
    program: node.name,
    round,
    answersPerSecond: (answered * 1000) / (last.atMs - first.atMs),
    answersPerCpuSecond: answered / (last.cpuSeconds - first.cpuSeconds),
    answeredShare: answered / (last.asked - first.asked),
  };
}

function renderTable(samples: readonly Sample[]): string {
  const show = (program: string, key: 'answersPerSecond' | 'answersPerCpuSecond'): string => {
    const own = samples.filter((sample) => sample.program === program);
    const { median, least, most } = spreadOf(own.map((sample) => sample[key]));
    return `${median.toFixed(0)} (${least.toFixed(0)}–${most.toFixed(0)})`;
  };
  const names = [...new Set(samples.map(({ program }) => program))];
  return [
    '| program | answers a second | answers a CPU second |',
    '| --- | --- | --- |',
    ...names.map(
      (name) => `| ${name} | ${show(name, 'answersPerSecond')} | ${show(name, 'answersPerCpuSecond')} |`,
    ),
  ].join('\n');
}
