/** How many announces trackers answer. What is measured: bench/README.md. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../e2e/lab/lab.ts';
import { Opentracker } from '../../e2e/lab/opentracker.ts';
import { versionOf } from '../../e2e/lab/programs.ts';
import { TequioTracker } from '../../e2e/lab/tequio.ts';
import { until } from '../../e2e/lab/until.ts';
import { addCrowdHost, addressOf } from '../crowd.ts';
import { ownVersion } from '../downloaders.ts';
import { buildNative } from '../native.ts';
import { usageOf } from '../processes.ts';
import { type Bench, type Contender, ours, type RowRunner, type Values } from '../row.ts';

const port = 6969;
const swarmCount = 1000;
const sourceCount = 200;

type Protocol = 'udp' | 'http';
type Running = { readonly stop: () => Promise<void> };

type Program = {
  readonly program: string;
  readonly version: string | null;
  readonly protocols: readonly Protocol[];
  readonly start: (host: Host) => Promise<Running>;
};

type Announces = {
  readonly answered: number;
  readonly refused: number;
  readonly peers: number;
  readonly seconds: number;
};

const programs: readonly Program[] = [
  {
    program: ours,
    version: ownVersion(),
    protocols: ['udp', 'http'],
    start: (host) => TequioTracker.start(host),
  },
  {
    program: 'opentracker',
    version: versionOf('opentracker'),
    protocols: ['udp', 'http'],
    start: (host) => Opentracker.start(host, infoHashes()),
  },
  { program: 'aquatic', version: aquaticVersion(), protocols: ['udp'], start: startAquatic },
];

export const tracker: RowRunner = {
  plan: async (bench) => {
    const announces = buildNative('announces', bench.lab.folder);
    const seconds = bench.quick ? 2 : 5;
    return {
      setting: { swarmCount, sourceCount, seconds },
      cases: (['udp', 'http'] as const).map((protocol) => ({
        name: protocol.toUpperCase(),
        open: async () => ({
          contenders: programs
            .filter(({ protocols }) => protocols.includes(protocol))
            .map(
              (one): Contender => ({
                program: one.program,
                version: one.version,
                measure: () => measure(bench, announces, one, protocol, seconds),
              }),
            ),
        }),
      })),
    };
  },
};

async function measure(
  { lab }: Bench,
  announces: string,
  program: Program,
  protocol: Protocol,
  seconds: number,
): Promise<Values> {
  const host = lab.addHost(program.program.toLowerCase());
  const crowd = addCrowdHost(lab, host, sourceCount);
  const running = await program.start(host);
  const ask = async (forSeconds: number): Promise<Announces> => {
    let line = '';
    const numbers = [port, forSeconds, swarmCount].map(String);
    const asking = crowd.run(
      announces,
      [protocol, host.address, ...numbers, addressOf(0), String(sourceCount)],
      { onLine: (text) => (line = text) },
    );
    const { code } = await asking.wait((forSeconds + 20) * 1000);
    if (code !== 0) throw new Error(asking.describe());
    return JSON.parse(line) as Announces;
  };
  try {
    // Swarms fill up, and what compiles while it runs has compiled.
    await ask(seconds / 2);
    const before = usageOf(host.processIds()).cpuSeconds;
    const { answered, refused, peers, seconds: took } = await ask(seconds);
    if (answered === 0 || refused > answered / 1000)
      throw new Error(`${refused} refused, ${answered} answered`);
    if (peers === 0 && protocol === 'udp') throw new Error('it tells of no peers');
    const { cpuSeconds, peakBytes } = usageOf(host.processIds());
    return {
      answers: answered / took,
      answersPerCpu: answered / (cpuSeconds - before),
      peak: peakBytes / 1e6,
    };
  } finally {
    await running.stop();
    lab.removeHost(host);
    lab.removeHost(crowd);
  }
}

/** As native/announces.c makes them. */
function infoHashes(): string[] {
  return Array.from({ length: swarmCount }, (_, i) =>
    Buffer.from(`tequio-announce-${String(i).padStart(4, '0')}`).toString('hex'),
  );
}

/** Null: aquatic_udp is not on the PATH, nor where AQUATIC_UDP says. */
function aquaticVersion(): string | null {
  const asked = spawnSync(aquaticProgram(), ['--version'], { encoding: 'utf8' });
  if (asked.error !== undefined) return null;
  return /\d+\.\d+\.\d+/.exec(asked.stdout + asked.stderr)?.[0] ?? '';
}

function aquaticProgram(): string {
  return process.env['AQUATIC_UDP'] ?? 'aquatic_udp';
}

/** Its own defaults, but for where it listens and that it takes both cores. */
async function startAquatic(host: Host): Promise<Running> {
  const config = join(host.folder, 'aquatic.toml');
  const network = `address = "${host.address}:${port}"\n`;
  writeFileSync(config, `socket_workers = 2\nlog_level = "error"\n\n[network]\n${network}`);
  const running = host.run(aquaticProgram(), ['-c', config]);
  await until('aquatic listens', 10_000, () => {
    running.assertRunning();
    const listed = spawnSync('ip', ['netns', 'exec', host.namespace, 'ss', '-Hlun', `sport = :${port}`], {
      encoding: 'utf8',
    });
    return listed.stdout.includes(String(port));
  });
  return { stop: async () => void (await running.stop('SIGKILL')) };
}
