/** `npm run bench [-- ROW ...] [options]`: measures the rows of the table, all of them when none is named. */

import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { argv, exit, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { adopted, readAdopted } from './adopted.ts';
import { renderRow } from './render.ts';
import { resultsFile } from './results-file.ts';
import { runRow } from './rounds.ts';
import type { Result, RowRunner } from './row.ts';
import { table } from './table.ts';

const help = `npm run bench -- [ROW ...] [options]
  --rounds N      how often each program is measured (5; 1 with --quick)
  --quick         less of everything, to see that it works: results are marked and never shown in the documents
  --only A;B      these programs only
  --cases A;B     these cases only
  --minutes N     begin no round of a row after N minutes; each case is measured once at least
  --folder DIR    where content and downloads go (the system's temporary folder)
  --add FILE      adds these rounds to those of FILE, for a machine that is not free for long
  --out FILE      where the results of one row go (bench/results/ROW-TIME.json)
  --list          say which rows there are
Needs Linux and root (network namespaces). Installs nothing: names what is missing and goes on without it.
`;

/** The rows that measure by `rounds.ts`; the others have commands of their own. Loaded when the program is packed. */
const runners: Readonly<Record<string, () => Promise<RowRunner>>> = {
  download: () => import('./rows/download.ts').then((module) => module.download),
  pieces: () => import('./rows/download.ts').then((module) => module.pieces),
  formats: () => import('./rows/download.ts').then((module) => module.formats),
  'utp-far': () => import('./rows/utp-far.ts').then((module) => module.utpFar),
  swarm: () => import('./rows/swarm.ts').then((module) => module.swarm),
  seed: () => import('./rows/seed.ts').then((module) => module.seed),
  peers: () => import('./rows/peers.ts').then((module) => module.peers),
  torrents: () => import('./rows/torrents.ts').then((module) => module.torrents),
  hashing: () => import('./rows/hashing.ts').then((module) => module.hashing),
  tracker: () => import('./rows/tracker.ts').then((module) => module.tracker),
  'dht-lookup': () => import('./rows/dht-lookup.ts').then((module) => module.dhtLookup),
  magnet: () => import('./rows/magnet.ts').then((module) => module.magnet),
  seek: () => import('./rows/seek.ts').then((module) => module.seek),
  start: () => import('./rows/start.ts').then((module) => module.start),
  'ipfs-add': () => import('./rows/ipfs-add.ts').then((module) => module.ipfsAdd),
  'ipfs-fetch': () => import('./rows/ipfs-fetch.ts').then((module) => module.ipfsFetch),
  'ipfs-gateway': () => import('./rows/ipfs-gateway.ts').then((module) => module.ipfsGateway),
  'ipfs-provide': () => import('./rows/ipfs-provide.ts').then((module) => module.ipfsProvide),
  'ipfs-start': () => import('./rows/ipfs-start.ts').then((module) => module.ipfsStart),
  'ipfs-memory': () => import('./rows/ipfs-memory.ts').then((module) => module.ipfsMemory),
};

const { values, positionals } = parseArgs({
  args: argv.slice(2),
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    cases: { type: 'string', default: '' },
    folder: { type: 'string', default: tmpdir() },
    out: { type: 'string', default: '' },
    add: { type: 'string', default: '' },
    minutes: { type: 'string', default: 'Infinity' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const listOf = (text: string): string[] => text.split(';').filter((one) => one !== '');
const rounds = Number(values.rounds || (values.quick ? 1 : 5));

async function runOne(name: string): Promise<boolean> {
  const row = table.find((one) => one.name === name)!;
  const foreign = adopted[name];
  if (foreign !== undefined) {
    const file = values.out || resultsFile(values.quick ? `quick-${name}` : name);
    const code = await foreign.run(rounds, values.quick, file);
    if (code === 0) stdout.write(`\n${renderRow(row, readAdopted(name, file, values.quick))}\n${file}\n`);
    return code === 0;
  }
  const ran = await runRow(name, await runners[name]!(), {
    rounds,
    quick: values.quick,
    programs: listOf(values.only),
    cases: listOf(values.cases),
    folder: values.folder,
    out: values.out || values.add,
    minutes: Number(values.minutes),
    earlier: values.add === '' ? null : (JSON.parse(readFileSync(values.add, 'utf8')) as Result),
  });
  if (ran === null) return false;
  stdout.write(`\n${renderRow(row, ran.result)}\n${ran.file}\n`);
  return ran.result.failures.length === 0;
}

if (values.help || values.list) {
  stdout.write(values.help ? help : table.map(({ name, title }) => `${name.padEnd(14)}${title}\n`).join(''));
  exit(0);
}
const unknown = positionals.find((name) => !table.some((row) => row.name === name));
if (unknown !== undefined) {
  stderr.write(
    `bench: no row is called "${unknown}"; there are ${table.map(({ name }) => name).join(', ')}\n`,
  );
  exit(2);
}
const { usePackedProgram } = await import('./packed.ts');
await usePackedProgram();
let allWell = true;
const rowSeconds: string[] = [];
for (const name of positionals.length > 0 ? positionals : table.map((row) => row.name)) {
  const startMs = performance.now();
  const isWell = await runOne(name).catch((error: unknown) => {
    stderr.write(`bench: ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  });
  allWell = isWell && allWell;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  rowSeconds.push(`${name.padEnd(14)}${seconds.padStart(6)} s${isWell ? '' : '  not all went well'}\n`);
}
stderr.write(`\n${rowSeconds.join('')}`);
exit(allWell ? 0 : 1);
