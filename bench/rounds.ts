/** Runs a row: each case in turn, its programs one at a time, each round beginning with another one. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { stderr } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { canOpenLab, Lab } from '../e2e/lab/lab.ts';
import { keepFreeMemory, touchMemory } from './host-memory.ts';
import { describeMachine, isMemory } from './machine.ts';
import { resultsFile } from './results-file.ts';
import type { Contender, Result, RowRunner, Sample, Values } from './row.ts';

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
  /** After this share of it each case begins no further round; its first is always measured. */
  readonly minutes: number;
};

/** One measurement of one program: who needs longer has failed. */
const measureTimeoutMs = 900_000;
/** For what a measurement that was ended has to put away. */
const graceMs = 30_000;
/** A program that has failed so often in a case is left out of the rest of it. */
const failureCountMax = 2;

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
  const beganMs = performance.now();
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
    const file = options.out || resultsFile(options.quick ? `quick-${name}` : name);
    const resultNow = (unfinished: boolean): Result =>
      joined(earlier, {
        row: name,
        quick: options.quick,
        startedAt,
        ...(unfinished ? { unfinished } : {}),
        rounds: options.rounds,
        machine: { ...describeMachine(options.folder), freeMemoryKept: giveBack !== null },
        setting,
        programs,
        missing: [...missing],
        cases: Object.fromEntries(wanted.map((one) => [one.name, one.size ?? null])),
        ...found,
      });
    for (const [index, { name: caseName, open }] of wanted.entries()) {
      stderr.write(`bench: ${name}: ${caseName}\n`);
      const { contenders, close } = await open();
      const here = contenders.filter(({ program, version }) => {
        if (options.programs.length > 0 && !options.programs.includes(program)) return false;
        if (version !== null) programs[program] = version;
        else missing.add(program);
        return version !== null;
      });
      const until = beganMs + (options.minutes * 60_000 * (index + 1)) / wanted.length;
      const turns = { from: firstRound, count: options.rounds, untilMs: until };
      try {
        await measureInTurn(lab, caseName, here, turns, found, () => write(resultNow(true), file));
      } finally {
        await close?.();
      }
    }
    for (const program of missing) stderr.write(`bench: ${program} is not here and is left out.\n`);
    const result = resultNow(false);
    write(result, file);
    return { result, file };
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

/** @param keep is called after each round, so that nobody's end takes away what was measured */
async function measureInTurn(
  lab: Lab,
  caseName: string,
  contenders: readonly Contender[],
  { from, count, untilMs }: { readonly from: number; readonly count: number; readonly untilMs: number },
  { samples, failures }: Found,
  keep: () => void,
): Promise<void> {
  const failureCounts = new Map<string, number>();
  for (let round = from; round < from + count; round++) {
    if (round > from && performance.now() > untilMs) return;
    for (let i = 0; i < contenders.length; i++) {
      // Nobody always comes after the same one.
      const contender = contenders[(i + round) % contenders.length]!;
      const { program } = contender;
      if ((failureCounts.get(program) ?? 0) >= failureCountMax) continue;
      const head = `bench: round ${round + 1}: ${program}`;
      const startMs = performance.now();
      const took = (): string => `(${((performance.now() - startMs) / 1000).toFixed(0)} s in all)`;
      try {
        const values = await measureInTime(lab, contender, round);
        samples.push({ case: caseName, program, round, values });
        const shown = Object.entries(values).map(([key, value]) => `${key} ${Number(value.toPrecision(4))}`);
        stderr.write(`${head}: ${shown.join(', ')} ${took()}\n`);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        failures.push({ case: caseName, program, round, message: message.slice(0, 500) });
        failureCounts.set(program, (failureCounts.get(program) ?? 0) + 1);
        stderr.write(`${head} failed: ${message.slice(0, 2000)} ${took()}\n`);
      }
    }
    keep();
  }
}

/** A measurement that takes too long is ended by ending the programs that it has started. */
async function measureInTime(lab: Lab, { measure }: Contender, round: number): Promise<Values> {
  const before = new Set(lab.hosts);
  const measured = measure(round);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, measureTimeoutMs, 'late')));
  try {
    const first = await Promise.race([measured, late]);
    if (first !== 'late') return first;
    for (const host of lab.hosts) if (!before.has(host)) lab.removeHost(host);
    await Promise.race([measured.catch(() => {}), sleep(graceMs, null, { ref: false })]);
    throw new Error(`not done after ${measureTimeoutMs / 1000} s`);
  } finally {
    clearTimeout(timer);
  }
}

function write(result: Result, file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
}
