import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawBars, drawGrowth } from './plot.ts';
import { renderRow } from './render.ts';
import type { Result, RowTable, Sample } from './row.ts';
import { spreadOf } from './spread.ts';
import { exponentOf, judge, ratioOf } from './summary.ts';
import { table } from './table.ts';

const row: RowTable = {
  name: 'row',
  title: 'A row',
  about: 'Nothing.',
  measures: [
    { key: 'rate', title: 'MB/s', digits: 0, better: 'more' },
    { key: 'cpu', title: 'CPU s', digits: 1, better: 'less' },
  ],
  goals: [
    { kind: 'than-best', measure: 'rate', case: 'small', atLeast: 1.5, besides: ['the limit'] },
    { kind: 'than', measure: 'rate', case: 'small', program: 'the limit', atLeast: 0.75 },
    { kind: 'at-most', measure: 'cpu', case: 'small', atMost: 3 },
    { kind: 'flat', measure: 'cpu', from: 'small', to: 'large', atMost: 1.1 },
    { kind: 'growth', measure: 'cpu', atMost: 1.05 },
  ],
  growth: { size: 'things', measures: ['cpu'] },
};

function resultOf(samples: readonly Sample[]): Result {
  const programs = Object.fromEntries(samples.map(({ program }) => [program, '1.0']));
  const common = { machine: {}, setting: {}, missing: [], failures: [], quick: false, rounds: 2 };
  return { row: 'row', startedAt: '', programs, cases: { small: 10, large: 1000 }, samples, ...common };
}

function sample(what: string, program: string, round: number, rate: number, cpu: number): Sample {
  return { case: what, program, round, values: { rate, cpu } };
}

const result = resultOf([
  sample('small', 'Tequio', 0, 300, 2),
  sample('small', 'Tequio', 1, 150, 3),
  sample('small', 'slow', 0, 100, 1),
  sample('small', 'slow', 1, 50, 9),
  sample('small', 'fast', 0, 200, 1),
  sample('small', 'the limit', 0, 600, 1),
  sample('large', 'Tequio', 0, 100, 250),
]);

test('spreads: of an even count the middle is between the two in the middle', () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, least: 1, most: 3 });
  assert.deepEqual(spreadOf([4, 1, 2, 3]), { median: 2.5, least: 1, most: 4 });
});

test('ratios go pair by pair: a slow round of the machine is slow for both', () => {
  const [rate, cpu] = row.measures as [RowTable['measures'][0], RowTable['measures'][0]];
  const pair = { case: 'small', program: 'slow' };
  assert.deepEqual(ratioOf(result.samples, rate, pair), { median: 3, least: 3, most: 3 });
  // Less is better: above 1 ours is better all the same.
  assert.deepEqual(ratioOf(result.samples, cpu, pair), { median: 1.75, least: 0.5, most: 3 });
  assert.equal(ratioOf(result.samples, rate, { case: 'large', program: 'slow' }), null);
});

test('exponents: linear is 1, square is 2, flat is 0', () => {
  for (const exponent of [0, 1, 2]) {
    const points = [1, 10, 100].map((size): [number, number] => [size, 7 * size ** exponent]);
    assert.ok(Math.abs(exponentOf(points) - exponent) < 1e-9);
  }
});

test('aims are judged by the best rival, the limit apart, and by our worst', () => {
  const outcomes = judge(row, result).map(({ found, reached }) => [found, reached]);
  assert.deepEqual(outcomes, [
    ['1.50', true],
    ['0.50', false],
    ['2.5', true],
    ['100.00', false],
    ['1.00', true],
  ]);
});

test('what is shown says what was quick, what failed, and which aims are not reached', () => {
  const failures = [{ case: 'large', program: 'slow', round: 0, message: 'no' }];
  const text = renderRow(row, { ...result, quick: true, failures });
  assert.match(text, /^_A quick look: not to be quoted\._/);
  assert.match(text, /\| slow 1\.0 \| 75 \(50–100\) \| 5\.0 \(1\.0–9\.0\) \| 3\.00 \|/);
  assert.match(text, /Failed in some rounds: slow\./);
  assert.match(text, /\| 0\.50 \| \*\*not yet\*\* \|/);
});

test('pictures hold every program, and a line only for those with two sizes', () => {
  const bars = drawBars(row, result);
  for (const name of ['Tequio 1.0', 'slow 1.0', 'the limit 1.0']) assert.ok(bars.includes(`>${name}<`));
  const growth = drawGrowth(row, result)!;
  assert.ok(growth.includes('Tequio: exponent 1.00'));
  assert.ok(!growth.includes('slow'));
  assert.doesNotMatch(bars + growth, /NaN|undefined|Infinity/);
});

test('the aims of every row are about measures that it has', () => {
  for (const { name, measures, goals, growth } of table) {
    const keys = measures.map(({ key }) => key);
    for (const { measure } of goals) assert.ok(keys.includes(measure), `${name}: ${measure}`);
    for (const measure of growth?.measures ?? []) assert.ok(keys.includes(measure), `${name}: ${measure}`);
  }
});
