/** What samples come to: spreads, ratios pair by pair, exponents of growth, and which aims are reached. */
import { type Goal, type Measure, ours, type Result, type RowTable, type Sample } from './row.ts';
import { type Spread, spreadOf } from './spread.ts';

/** Of one measure, in the order of the rounds. */
export function valuesOf(
  samples: readonly Sample[],
  of: { readonly case: string; readonly program: string; readonly measure: string },
): readonly number[] {
  return samples
    .filter((sample) => sample.case === of.case && sample.program === of.program)
    .flatMap(({ values }) => (values[of.measure] === undefined ? [] : [values[of.measure]!]));
}

/**
 * How many times as good ours was as theirs, in the rounds that both have: above 1 ours is better.
 * Null: there is no such round.
 */
export function ratioOf(
  samples: readonly Sample[],
  measure: Measure,
  of: { readonly case: string; readonly program: string },
): Spread | null {
  const own = samples.filter((sample) => sample.case === of.case && sample.program === ours);
  const ratios = own.flatMap((sample) => {
    const other = samples.find(
      ({ case: name, program, round }) =>
        name === of.case && program === of.program && round === sample.round,
    );
    const [a, b] = [sample.values[measure.key], other?.values[measure.key]];
    if (a === undefined || b === undefined) return [];
    return [measure.better === 'more' ? a / b : b / a];
  });
  return ratios.length === 0 ? null : spreadOf(ratios);
}

/** The exponent of `y = c * x^k` through points, by least squares on logarithms. At least two different sizes. */
export function exponentOf(points: readonly (readonly [size: number, cost: number])[]): number {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)] as const);
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [mx, my] = [mean(logs.map(([x]) => x)), mean(logs.map(([, y]) => y))];
  const above = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return above / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

/** Medians of one program's measure against the sizes of the cases, smallest first. */
export function growthOf(result: Result, program: string, measure: string): readonly [number, number][] {
  return Object.entries(result.cases)
    .flatMap(([name, size]): [number, number][] => {
      const values = valuesOf(result.samples, { case: name, program, measure });
      return size === null || values.length === 0 ? [] : [[size, spreadOf(values).median]];
    })
    .sort(([a], [b]) => a - b);
}

export type GoalOutcome = { readonly text: string; readonly found: string; readonly reached: boolean };

/** One entry a goal that the samples can say something about. */
export function judge(row: RowTable, result: Result): readonly GoalOutcome[] {
  return row.goals.flatMap((goal) => {
    const measure = row.measures.find(({ key }) => key === goal.measure);
    if (measure === undefined) throw new Error(`${row.name} has no measure ${goal.measure}`);
    const outcome = judgeOne(goal, measure, result);
    return outcome === null ? [] : [outcome];
  });
}

function judgeOne(goal: Goal, measure: Measure, result: Result): GoalOutcome | null {
  const where = goal.case === undefined ? '' : ` (${goal.case})`;
  const cases = goal.case === undefined ? Object.keys(result.cases) : [goal.case];
  switch (goal.kind) {
    case 'than':
    case 'than-best': {
      const besides = goal.kind === 'than-best' ? (goal.besides ?? []) : [];
      const rivals =
        goal.kind === 'than'
          ? [goal.program]
          : Object.keys(result.programs).filter((name) => name !== ours && !besides.includes(name));
      const found = leastRatio(result, measure, cases, rivals);
      if (found === null) return null;
      const whom = goal.kind === 'than' ? goal.program : 'the best other program';
      return {
        text: `${measure.title}: ${goal.atLeast} times ${whom}${where}`,
        found: found.toFixed(2),
        reached: found >= goal.atLeast,
      };
    }
    case 'at-most': {
      const found = mostOf(result, measure, cases);
      if (found === null) return null;
      const text = `${measure.title}: at most ${goal.atMost}${where}`;
      return { text, found: found.toFixed(measure.digits), reached: found <= goal.atMost };
    }
    case 'at-least': {
      const found = leastOf(result, measure, cases);
      if (found === null) return null;
      const text = `${measure.title}: at least ${goal.atLeast}${where}`;
      return { text, found: found.toFixed(measure.digits), reached: found >= goal.atLeast };
    }
    case 'flat': {
      const [from, to] = [goal.from, goal.to].map((name) => mostOf(result, measure, [name]));
      if (from == null || to == null) return null;
      const text = `${measure.title}: "${goal.to}" by "${goal.from}" at most ${goal.atMost}`;
      return { text, found: (to / from).toFixed(2), reached: to / from <= goal.atMost };
    }
    case 'growth': {
      const points = growthOf(result, ours, measure.key);
      if (points.length < 2) return null;
      const exponent = exponentOf(points);
      const text = `${measure.title}: grows with an exponent of at most ${goal.atMost}`;
      return { text, found: exponent.toFixed(2), reached: exponent <= goal.atMost };
    }
  }
}

function leastRatio(
  result: Result,
  measure: Measure,
  cases: readonly string[],
  rivals: readonly string[],
): number | null {
  const ratios = cases.flatMap((name) =>
    rivals.flatMap((program) => ratioOf(result.samples, measure, { case: name, program })?.median ?? []),
  );
  return ratios.length === 0 ? null : Math.min(...ratios);
}

/** The largest of our medians. */
function mostOf(result: Result, measure: Measure, cases: readonly string[]): number | null {
  const medians = mediansOf(result, measure, cases);
  return medians.length === 0 ? null : Math.max(...medians);
}

function leastOf(result: Result, measure: Measure, cases: readonly string[]): number | null {
  const medians = mediansOf(result, measure, cases);
  return medians.length === 0 ? null : Math.min(...medians);
}

/** Ours, of each case that was measured. */
function mediansOf(result: Result, measure: Measure, cases: readonly string[]): readonly number[] {
  return cases.flatMap((name) => {
    const values = valuesOf(result.samples, { case: name, program: ours, measure: measure.key });
    return values.length === 0 ? [] : [spreadOf(values).median];
  });
}
