/** Runs a row: each case in turn, its programs one at a time, each round beginning with another one. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { stderr } from 'node:process';
import { canOpenLab, Lab } from '../e2e/lab/lab.ts';
import { keepFreeMemory, touchMemory } from './host-memory.ts';
import { describeMachine, isMemory } from './machine.ts';
import { resultsFile } from './results-file.ts';
import type { Contender, Result, RowRunner, Sample } from './row.ts';

export type RoundsOptions = {
  readonly rounds: number;
  readonly quick: boolean;
  /** Empty: all. */
  readonly programs: readonly string[];
  readonly cases: readonly string[];
  /** Where content and downloads go. */
  readonly folder: string;
  /** Empty: a new file in `results/`. */
  readonly out: string;
  /** An earlier run that these rounds are added to; null: none. */
  readonly earlier: Result | null;
};

type Found = { samples: Sample[]; failures: Result['failures'][number][] };

/** Memory that a row may use for content, downloads and programs. */
const touchedBytes = 8 * 1024 ** 3;

/** @returns what was measured, which is also written to a file; null, with a sentence, where that cannot be */
export async function runRow(
  name: string,
  { plan }: RowRunner,
  options: RoundsOptions,
): Promise<{ readonly result: Result; readonly file: string } | null> {
  if (!canOpenLab()) {
    stderr.write('bench: network namespaces need Linux and root.\n');
    return null;
  }
  if (isMemory(options.folder))
    stderr.write(`bench: ${options.folder} is memory (tmpfs): disks are not part of what is measured.\n`);
  const startedAt = new Date().toISOString();
  const giveBack = keepFreeMemory();
  if (giveBack !== null && !options.quick) touchMemory(touchedBytes);
  const lab = Lab.open(options.folder);
  const found: Found = { samples: [], failures: [] };
  const programs: Record<string, string> = {};
  const missing = new Set<string>();
  try {
    const { setting, cases } = await plan({ lab, quick: options.quick });
    const { earlier } = options;
    if (earlier !== null && JSON.stringify(earlier.setting) !== JSON.stringify(setting))
      throw new Error('rounds can only be added to a run with the same setting');
    const firstRound = earlier?.rounds ?? 0;
    const wanted = cases.filter(({ name: is }) => options.cases.length === 0 || options.cases.includes(is));
    for (const { name: caseName, open } of wanted) {
      stderr.write(`bench: ${name}: ${caseName}\n`);
      const { contenders, close } = await open();
      const here = contenders.filter(({ program, version }) => {
        if (options.programs.length > 0 && !options.programs.includes(program)) return false;
        if (version !== null) programs[program] = version;
        else missing.add(program);
        return version !== null;
      });
      try {
        await measureInTurn(caseName, here, { from: firstRound, count: options.rounds }, found);
      } finally {
        await close?.();
      }
    }
    for (const program of missing) stderr.write(`bench: ${program} is not here and is left out.\n`);
    const result = joined(earlier, {
      row: name,
      quick: options.quick,
      startedAt,
      rounds: options.rounds,
      machine: { ...describeMachine(options.folder), freeMemoryKept: giveBack !== null },
      setting,
      programs,
      missing: [...missing],
      cases: Object.fromEntries(wanted.map((one) => [one.name, one.size ?? null])),
      ...found,
    });
    return { result, file: write(result, options.out) };
  } finally {
    lab.close();
    giveBack?.();
  }
}

/** Both as one run, which began with the earlier one. */
function joined(earlier: Result | null, later: Result): Result {
  if (earlier === null) return later;
  return {
    ...later,
    startedAt: earlier.startedAt,
    rounds: earlier.rounds + later.rounds,
    programs: { ...earlier.programs, ...later.programs },
    missing: [...new Set([...earlier.missing, ...later.missing])],
    cases: { ...earlier.cases, ...later.cases },
    samples: [...earlier.samples, ...later.samples],
    failures: [...earlier.failures, ...later.failures],
  };
}

async function measureInTurn(
  caseName: string,
  contenders: readonly Contender[],
  { from, count }: { readonly from: number; readonly count: number },
  { samples, failures }: Found,
): Promise<void> {
  for (let round = from; round < from + count; round++) {
    for (let i = 0; i < contenders.length; i++) {
      // Nobody always comes after the same one.
      const { program, measure } = contenders[(i + round) % contenders.length]!;
      const head = `bench: round ${round + 1}: ${program}`;
      try {
        const values = await measure(round);
        samples.push({ case: caseName, program, round, values });
        const shown = Object.entries(values).map(([key, value]) => `${key} ${Number(value.toPrecision(4))}`);
        stderr.write(`${head}: ${shown.join(', ')}\n`);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        failures.push({ case: caseName, program, round, message: message.slice(0, 500) });
        stderr.write(`${head} failed: ${message.slice(0, 2000)}\n`);
      }
    }
  }
}

function write(result: Result, out: string): string {
  const file = out || resultsFile(result.quick ? `quick-${result.row}` : result.row);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  return file;
}
