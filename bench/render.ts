/** Results as Markdown. */
import { type Measure, ours, type Result, type RowTable } from './row.ts';
import { showSpread, spreadOf } from './spread.ts';
import { exponentOf, growthOf, judge, ratioOf, valuesOf } from './summary.ts';

/** A table a case, what grows how, and what of the aims is reached. */
export function renderRow(row: RowTable, result: Result): string {
  const parts = Object.keys(result.cases).map((name) => {
    const text = renderCase(row, result, name);
    return Object.keys(result.cases).length === 1 ? text : `**${name}**\n\n${text}`;
  });
  if (row.growth !== undefined) parts.push(renderGrowth(row, result));
  parts.push(renderGoals(row, result));
  const note = result.quick ? '_A quick look: not to be quoted._\n\n' : '';
  return note + parts.filter((part) => part !== '').join('\n');
}

function renderCase(row: RowTable, result: Result, name: string): string {
  const [first] = row.measures as [Measure];
  const programs = Object.keys(result.programs).filter((program) =>
    result.samples.some((sample) => sample.case === name && sample.program === program),
  );
  const lines = programs.map((program) => {
    const ratio = program === ours ? null : ratioOf(result.samples, first, { case: name, program });
    return [
      labelOf(program, result.programs[program] ?? ''),
      ...row.measures.map((measure) => {
        const values = valuesOf(result.samples, { case: name, program, measure: measure.key });
        return values.length === 0 ? '' : showSpread(spreadOf(values), measure.digits);
      }),
      ratio === null ? '' : showSpread(ratio, 2),
    ];
  });
  const failed = [
    ...new Set(result.failures.filter((one) => one.case === name).map(({ program }) => program)),
  ];
  const note = failed.length === 0 ? '' : `\nFailed in some rounds: ${failed.join(', ')}.\n`;
  const heads = ['program', ...row.measures.map(({ title }) => title), `${ours} is so many times as good`];
  return table([heads, ...lines]) + note;
}

/** A program that is called by a part of its version is shown with all of it. */
export function labelOf(program: string, version: string): string {
  const lastWord = program.split(' ').at(-1)!;
  if (version.startsWith(lastWord)) return program.replace(lastWord, version);
  return `${program} ${version}`.trim();
}

function renderGrowth(row: RowTable, result: Result): string {
  const { size, measures } = row.growth!;
  const programs = Object.keys(result.programs);
  const lines = measures.flatMap((key) => {
    const title = row.measures.find((measure) => measure.key === key)!.title;
    return programs.flatMap((program) => {
      const points = growthOf(result, program, key);
      return points.length < 2 ? [] : [[program, `${title} over ${size}`, exponentOf(points).toFixed(2)]];
    });
  });
  return lines.length === 0 ? '' : table([['program', 'cost', 'exponent'], ...lines]);
}

function renderGoals(row: RowTable, result: Result): string {
  const outcomes = judge(row, result);
  if (outcomes.length === 0) return '';
  return table([
    ['aim', 'found', ''],
    ...outcomes.map(({ text, found, reached }) => [text, found, reached ? 'reached' : '**not yet**']),
  ]);
}

function table(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  return [head, head.map(() => '---'), ...rows.slice(1)]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
}
