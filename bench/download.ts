/**
 * Several programs download the same content from the same seeder, one after the other, in turn over several rounds.
 * What is measured, and how the programs are set: bench/README.md.
 */
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { arch, cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { version as nodeVersion, stderr, stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { treeOf } from '../e2e/lab/content.ts';
import { canOpenLab, Lab } from '../e2e/lab/lab.ts';
import { LibtorrentPeer, LibtorrentTool } from '../e2e/lab/libtorrent.ts';
import type { LabPeer } from '../e2e/lab/peer.ts';
import { Running } from '../e2e/lab/running.ts';
import { until } from '../e2e/lab/until.ts';
import { renderTable, type Sample, summarise } from './download-summary.ts';
import { allDownloaders, type Downloader, libtorrentSettings } from './downloaders.ts';
import { keepFreeMemory, touchMemory } from './host-memory.ts';
import { usageOf } from './processes.ts';
import { resultsFile } from './results-file.ts';

const help = `npm run bench -- download [options]
  --rounds N      how many times each program downloads (5)
  --mib N         size of the content in MiB (1024)
  --piece-kib N   size of a piece in KiB (1024)
  --only A,B      these programs only
  --folder DIR    where content and downloads go (the system's temporary folder)
  --out FILE      where the results go (bench/results/download-TIME.json)
Needs Linux, root (network namespaces) and python3-libtorrent; names what else is missing and goes on without it.
`;

/** The transfer has begun when this much has left the seeder: more than handshakes, less than a piece. */
const begunBytes = 64 * 1024;
/** Content, a download of it, and what one program holds in memory; twice, for the system chooses pages freely. */
const touchedContents = 8;
const tmpfsType = 0x01021994;

type Setting = {
  readonly lab: Lab;
  readonly seeder: LabPeer;
  readonly torrentFile: string;
  readonly sourceFolder: string;
  /** Path to bytes and hash: what every download must come to. */
  readonly expected: ReadonlyMap<string, string>;
};

/** @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '5' },
      mib: { type: 'string', default: '1024' },
      'piece-kib': { type: 'string', default: '1024' },
      only: { type: 'string', default: '' },
      folder: { type: 'string', default: tmpdir() },
      out: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    stdout.write(help);
    return 0;
  }
  if (!canOpenLab()) {
    stderr.write('bench: network namespaces need Linux and root.\n');
    return 69;
  }
  const [rounds, mib, pieceKib] = [Number(values.rounds), Number(values.mib), Number(values['piece-kib'])];
  const known = allDownloaders();
  const wanted =
    values.only === '' ? known : known.filter(({ name }) => values.only.split(',').includes(name));
  for (const { name, version } of wanted)
    if (version === null) stderr.write(`bench: ${name} is not here and is left out.\n`);
  const programs = wanted.filter(({ version }) => version !== null);
  if (statfsSync(values.folder).type === tmpfsType)
    stderr.write(`bench: ${values.folder} is memory (tmpfs): disks are not part of what is measured.\n`);

  const giveBack = keepFreeMemory();
  if (giveBack !== null) touchMemory(touchedContents * mib * 1024 * 1024);
  const lab = Lab.open(values.folder);
  try {
    const setting = await prepare(lab, mib, pieceKib);
    const samples = await measureAll(setting, programs, rounds);
    const bytes = mib * 1024 * 1024;
    const summary = summarise(samples, bytes);
    const machine = { ...describeMachine(values.folder), freeMemoryKept: giveBack !== null };
    const programsHere = Object.fromEntries(programs.map(({ name, version }) => [name, version]));
    const missing = wanted.filter(({ version }) => version === null).map(({ name }) => name);
    const took = { bytes, pieceBytes: pieceKib * 1024, rounds, machine, programs: programsHere, missing };
    const file = values.out || resultsFile('download');
    writeFileSync(file, `${JSON.stringify({ ...took, summary, samples }, null, 2)}\n`);
    stdout.write(`\n${renderTable(summary)}\n${file}\n`);
    return 0;
  } finally {
    lab.close();
    giveBack?.();
  }
}

/** Content, its torrent, and a seeder that has checked it: the cache is warm for everybody. */
async function prepare(lab: Lab, mib: number, pieceKib: number): Promise<Setting> {
  const sourceFolder = join(lab.folder, 'source');
  const content = join(sourceFolder, 'content');
  mkdirSync(content, { recursive: true });
  stderr.write(`bench: making ${mib} MiB of random content\n`);
  const file = openSync(join(content, 'random.bin'), 'w');
  const chunk = new Uint8Array(1024 * 1024);
  for (let i = 0; i < mib; i++) writeSync(file, randomFillSync(chunk));
  closeSync(file);
  const torrentFile = join(lab.folder, 'content.torrent');
  const tool = new LibtorrentTool();
  await tool.create({ path: content, out: torrentFile, version: 'v1', pieceBytes: pieceKib * 1024 });
  await tool.stop();
  const seeder = await LibtorrentPeer.start(lab.addHost('seeder'), libtorrentSettings);
  await seeder.seed(torrentFile, sourceFolder);
  return { lab, seeder, torrentFile, sourceFolder, expected: treeOf(sourceFolder) };
}

/** Round by round, each beginning with another program, so that nobody always comes after the same one. */
async function measureAll(
  setting: Setting,
  programs: readonly Downloader[],
  rounds: number,
): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < programs.length; i++) {
      const program = programs[(i + round) % programs.length]!;
      const sample = await measure(setting, program, round).catch((error: unknown) => {
        stderr.write(`bench: round ${round + 1}: ${program.name} failed: ${String(error).slice(0, 2000)}\n`);
        return null;
      });
      if (sample === null) continue;
      samples.push(sample);
      stderr.write(
        `bench: round ${round + 1}: ${program.name} ${sample.transferSeconds.toFixed(2)} s, ` +
          `${sample.cpuSeconds.toFixed(2)} CPU s, ${(sample.peakBytes / 1e6).toFixed(0)} MB\n`,
      );
    }
  }
  return samples;
}

async function measure(setting: Setting, program: Downloader, round: number): Promise<Sample> {
  // What earlier downloads have left to be written must not slow this one.
  await new Running('sync', []).wait(120_000);
  const host = setting.lab.addHost(program.name.toLowerCase());
  const folder = join(host.folder, 'got');
  mkdirSync(folder);
  const { seeder } = setting;
  const sentBefore = seeder.host.sentBytes();
  const startMs = performance.now();
  const download = await program.start(host, setting.torrentFile, folder, seeder.endpoint);
  try {
    let beginMs = 0;
    const hasBegun = (): boolean => seeder.host.sentBytes() - sentBefore >= begunBytes;
    const watch = until('the transfer begins', 60_000, hasBegun, 2).then(() => {
      beginMs = performance.now();
    });
    await Promise.all([watch, download.complete]);
    const endMs = performance.now();
    const usage = usageOf(host.processIds());
    // Programs may still be writing what they hold in memory.
    await sleep(500);
    const got = treeOf(folder);
    for (const [path, content] of setting.expected)
      if (got.get(path) !== content) throw new Error(`${path} is not what was seeded`);
    return {
      program: program.name,
      round,
      transferSeconds: (endMs - beginMs) / 1000,
      totalSeconds: (endMs - startMs) / 1000,
      ...usage,
    };
  } finally {
    await download.stop();
    setting.lab.removeHost(host);
    rmSync(host.folder, { recursive: true, force: true });
  }
}

function describeMachine(folder: string): Readonly<Record<string, string | number>> {
  const processors = cpus();
  return {
    processor: processors[0]?.model ?? '',
    cores: processors.length,
    memoryBytes: totalmem(),
    system: `Linux ${release()} ${arch()}`,
    node: nodeVersion,
    fileSystemType: `0x${statfsSync(folder).type.toString(16)}`,
  };
}
