/** Rows whose commands came first and keep results in forms of their own, told as the others are. */
import { readFileSync } from 'node:fs';
import type { Result, Sample } from './row.ts';

type OwnSample = Readonly<Record<string, unknown>> & { readonly round: number };
type OwnResult = {
  readonly samples: readonly OwnSample[];
  readonly bytes?: number;
  readonly programs?: Readonly<Record<string, string | null>>;
  readonly machine?: Readonly<Record<string, unknown>>;
};

type Adopted = {
  /** @returns the exit code */
  readonly run: (rounds: number, quick: boolean, file: string) => Promise<number>;
  readonly sampleOf: (sample: OwnSample, result: OwnResult) => Sample;
};

export const adopted: Readonly<Record<string, Adopted>> = {
  dht: {
    run: async (rounds, quick, file) => {
      const { run } = await import('./dht.ts');
      return run(['--rounds', String(rounds), '--out', file, ...(quick ? ['--seconds', '2'] : [])]);
    },
    sampleOf: (sample) => ({
      case: 'questions',
      program: String(sample['program']),
      round: sample.round,
      values: numbersOf(sample),
    }),
  },
  utp: {
    run: async (rounds, quick, file) => {
      const { run } = await import('./utp.ts');
      return run(['--rounds', String(rounds), '--out', file, ...(quick ? ['--mib', '48'] : [])]);
    },
    // The receiver is who is compared; who sends, and over what, is the case.
    sampleOf: (sample, { bytes = 0 }) => ({
      case: `${sample['line']}, from ${sample['from']}`,
      program: String(sample['to']),
      round: sample.round,
      values: { ...numbersOf(sample), rate: bytes / 1e6 / Number(sample['seconds']) },
    }),
  },
};

/** A results file of such a row, in the form of all. */
export function readAdopted(row: string, file: string, quick: boolean): Result {
  const own = JSON.parse(readFileSync(file, 'utf8')) as OwnResult;
  const samples = own.samples.map((sample) => adopted[row]!.sampleOf(sample, own));
  const versions = Object.entries(own.programs ?? {}).filter(([, version]) => version !== null);
  return {
    row,
    quick,
    startedAt: '',
    rounds: 1 + Math.max(...samples.map(({ round }) => round)),
    machine: own.machine ?? {},
    setting: {},
    programs: Object.fromEntries([...samples.map(({ program }) => [program, '']), ...versions]),
    missing: [],
    cases: Object.fromEntries(samples.map((sample) => [sample.case, null])),
    samples,
    failures: [],
  };
}

function numbersOf(sample: OwnSample): Record<string, number> {
  return Object.fromEntries(
    Object.entries(sample).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}
