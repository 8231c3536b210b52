/** What a benchmark is: a row of the table, run by `rounds.ts`, kept by `results.ts`, shown by `tools/docs-benchmarks.ts`. */
import type { Lab } from '../e2e/lab/lab.ts';

/** The program that all this is about. */
export const ours = 'Tequio';

/** By the key of a measure. */
export type Values = Readonly<Record<string, number>>;

export type Sample = {
  readonly case: string;
  readonly program: string;
  readonly round: number;
  readonly values: Values;
};

export type Measure = {
  readonly key: string;
  /** Head of its column, with the unit. */
  readonly title: string;
  readonly digits: number;
  readonly better: 'more' | 'less';
};

/**
 * What is to be reached. Ratios are "times as good": above 1 ours is better, whichever way the measure counts. Without
 * `case` it must hold in every case.
 */
export type Goal = { readonly measure: string; readonly case?: string } & (
  | { readonly kind: 'than-best'; readonly atLeast: number; readonly besides?: readonly string[] }
  | { readonly kind: 'than'; readonly program: string; readonly atLeast: number }
  | { readonly kind: 'at-most'; readonly atMost: number }
  | { readonly kind: 'at-least'; readonly atLeast: number }
  /** Ours in one case by ours in another. */
  | { readonly kind: 'flat'; readonly from: string; readonly to: string; readonly atMost: number }
  /** The exponent of growth over the sizes of the cases. */
  | { readonly kind: 'growth'; readonly atMost: number }
);

/** A row of the table as it is shown: what it is called, counted in and aimed at. */
export type RowTable = {
  readonly name: string;
  readonly title: string;
  /** A sentence or two: what is done. */
  readonly about: string;
  /** The first is the one whose ratios are shown. */
  readonly measures: readonly Measure[];
  readonly goals: readonly Goal[];
  /** Cost against the size of the cases, both on logarithmic scales. */
  readonly growth?: { readonly size: string; readonly measures: readonly string[] };
};

/** Who takes part in a case. */
export type Contender = {
  readonly program: string;
  /** Null: it is not here and is left out. */
  readonly version: string | null;
  /** One measurement, alone on the machine. */
  readonly measure: (round: number) => Promise<Values>;
};

export type OpenCase = { readonly contenders: readonly Contender[]; readonly close?: () => Promise<void> };

export type Case = {
  readonly name: string;
  /** For rows with growth. */
  readonly size?: number;
  /** Makes what all contenders work on. */
  readonly open: () => Promise<OpenCase>;
};

/** What a row gets to work with. */
export type Bench = {
  readonly lab: Lab;
  /** Less of everything: to see that it works, not to be quoted. */
  readonly quick: boolean;
};

export type Plan = {
  /** What figures depend on, for the results. */
  readonly setting: Readonly<Record<string, unknown>>;
  readonly cases: readonly Case[];
};

/** The part of a row that measures; loaded only when it runs. */
export type RowRunner = { readonly plan: (bench: Bench) => Promise<Plan> };

/** What one run of a row has left, as it is kept in `results/`. */
export type Result = {
  readonly row: string;
  readonly quick: boolean;
  readonly startedAt: string;
  /** It was ended before its last round. */
  readonly unfinished?: boolean;
  readonly rounds: number;
  readonly machine: Readonly<Record<string, unknown>>;
  readonly setting: Readonly<Record<string, unknown>>;
  /** Program to version, of those that took part. */
  readonly programs: Readonly<Record<string, string>>;
  readonly missing: readonly string[];
  /** Case to size, in order; null: it has none. */
  readonly cases: Readonly<Record<string, number | null>>;
  readonly samples: readonly Sample[];
  readonly failures: readonly {
    readonly case: string;
    readonly program: string;
    readonly round: number;
    readonly message: string;
  }[];
};
