/**
 * `node tools/docs.ts [arrows|interop|benchmarks|all] [--check]`: writes the parts of documents that are made from
 * something else, between their markers, and the pictures that are. With `--check` nothing is written, and the exit
 * code says whether all is up to date.
 */
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { argv, exit, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { guardsTable } from '../bench/guard-table.ts';
import { apiCodesTable, apiRoutesTable, apiStreamTable } from './docs-api.ts';
import { arrowsTable } from './docs-arrows.ts';
import { benchmarkImages, benchmarksPart } from './docs-benchmarks.ts';
import { type CompatAnswers, type CompatCalls, compatAnswersTable, compatCallsTable } from './docs-compat.ts';
import { type InteropResults, interopTables } from './docs-interop.ts';
import { type NatMappers, type NatPairs, natMappersTable, natPairsTable } from './docs-nat.ts';
import { settingsTable } from './docs-settings.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

type Part = {
  readonly name: string;
  readonly path: string;
  /** The file is made from nothing else, and has no markers. */
  readonly isWhole?: boolean;
  readonly render: () => string | null;
};

const parts: readonly Part[] = [
  { name: 'api-routes', path: 'docs/api.md', render: apiRoutesTable },
  { name: 'api-stream', path: 'docs/api.md', render: apiStreamTable },
  { name: 'api-codes', path: 'docs/api.md', render: apiCodesTable },
  { name: 'settings', path: 'docs/settings.md', render: settingsTable },
  { name: 'arrows', path: 'docs/arrows.md', render: arrowsTable },
  { name: 'interop', path: 'README.md', render: () => interopTables(readResults(), 'en') },
  { name: 'interop', path: 'README.es.md', render: () => interopTables(readResults(), 'es') },
  { name: 'nat-pairs', path: 'docs/nat.md', render: () => natPairsTable(readNat<NatPairs>('pairs')) },
  { name: 'nat-mappers', path: 'docs/nat.md', render: () => natMappersTable(readNat<NatMappers>('mappers')) },
  { name: 'benchmarks', path: 'docs/benchmarks.md', render: benchmarksPart },
  { name: 'guards', path: 'docs/performance.md', render: guardsTable },
  ...[...benchmarkImages()].map(([path, content]) => ({
    name: 'benchmarks',
    path: `docs/${path}`,
    isWhole: true,
    render: () => content,
  })),
  {
    name: 'compat-calls',
    path: 'docs/compat.md',
    render: () => compatCallsTable(readCompat<CompatCalls>('calls')),
  },
  {
    name: 'compat-answers',
    path: 'docs/compat.md',
    render: () => compatAnswersTable(readCompat<CompatAnswers>('answers')),
  },
];

/** The text with what stands between `<!-- name:begin -->` and its end replaced, or null without such markers. */
export function replacePart(text: string, name: string, content: string): string | null {
  const [begin, end] = [`<!-- ${name}:begin -->\n`, `<!-- ${name}:end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) return null;
  return `${text.slice(0, from + begin.length)}${content}${text.slice(to)}`;
}

function readResults(): InteropResults[] {
  return globSync('e2e/results/*.json', { cwd: root })
    .sort()
    .map((path) => JSON.parse(readFileSync(root + path, 'utf8')) as InteropResults);
}

function readNat<Results>(name: string): Results {
  return JSON.parse(readFileSync(`${root}e2e/results/nat/${name}.json`, 'utf8')) as Results;
}

function readCompat<Results>(kind: 'calls' | 'answers'): Results[] {
  return globSync(`e2e/results/compat/${kind}-*.json`, { cwd: root })
    .sort()
    .map((path) => JSON.parse(readFileSync(root + path, 'utf8')) as Results);
}

/** What is wrong, or null. */
function update({ name, path, isWhole = false, render }: Part, check: boolean): string | null {
  if (!existsSync(root + path) && !isWhole) return `${path} does not exist`;
  const content = render();
  if (content === null) return `${path}: nothing to make its part "${name}" from`;
  const text = existsSync(root + path) ? readFileSync(root + path, 'utf8') : null;
  const updated = isWhole ? content : replacePart(text ?? '', name, content);
  if (updated === null) return `${path} has no <!-- ${name}:begin --> … <!-- ${name}:end -->`;
  if (updated === text) return null;
  if (check) return `${path}: its part "${name}" is out of date: run node tools/docs.ts ${name}`;
  mkdirSync(dirname(root + path), { recursive: true });
  writeFileSync(root + path, updated);
  stdout.write(`${path}: ${name} written\n`);
  return null;
}

if (argv[1] === import.meta.filename) {
  const check = argv.includes('--check');
  const [wanted = 'all'] = argv.slice(2).filter((arg) => !arg.startsWith('--'));
  const chosen = parts.filter(({ name }) => wanted === 'all' || wanted === name);
  if (chosen.length === 0) {
    stderr.write(`docs: no part is called "${wanted}"\n`);
    exit(2);
  }
  const problems = chosen.map((part) => update(part, check)).filter((problem) => problem !== null);
  for (const problem of problems) stderr.write(`docs: ${problem}\n`);
  exit(problems.length === 0 ? 0 : 1);
}
