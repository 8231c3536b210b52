/** Pictures of results, as SVG: bars of medians with their spread, and cost against size on logarithmic scales. */
import { labelOf } from './render.ts';
import { type Measure, ours, type Result, type RowTable } from './row.ts';
import { spreadOf } from './spread.ts';
import { exponentOf, growthOf, valuesOf } from './summary.ts';

const width = 760;
const labelWidth = 190;
const valueWidth = 90;
const barHeight = 20;
const headHeight = 34;
const ourColor = '#c2410c';
const otherColors = ['#475569', '#0e7490', '#7c3aed', '#4d7c0f', '#b45309', '#be185d', '#1d4ed8', '#52525b'];
const inkColor = '#1f2937';
const gridColor = '#d1d5db';

/** One panel a case, of the row's first measure. */
export function drawBars(row: RowTable, result: Result): string {
  const [measure] = row.measures as [Measure];
  const parts: string[] = [];
  let y = 0;
  for (const name of Object.keys(result.cases)) {
    const bars = Object.keys(result.programs).flatMap((program) => {
      const values = valuesOf(result.samples, { case: name, program, measure: measure.key });
      return values.length === 0 ? [] : [{ program, ...spreadOf(values) }];
    });
    if (bars.length === 0) continue;
    const most = Math.max(...bars.map((bar) => bar.most));
    const scale = (value: number): number => (value / most) * (width - labelWidth - valueWidth);
    parts.push(text(0, y + 22, `${name}: ${measure.title} (${measure.better} is better)`, 'bold'));
    y += headHeight;
    for (const { program, median, least, most: top } of bars) {
      const middle = y + barHeight / 2;
      const color = program === ours ? ourColor : otherColors[0]!;
      parts.push(text(labelWidth - 8, middle + 4, labelOf(program, result.programs[program] ?? ''), 'end'));
      parts.push(rectangle(labelWidth, y + 3, scale(median), barHeight - 6, color));
      // From the least to the most.
      parts.push(line(labelWidth + scale(least), middle, labelWidth + scale(top), middle, inkColor));
      parts.push(text(labelWidth + scale(top) + 6, middle + 4, median.toFixed(measure.digits)));
      y += barHeight;
    }
    y += 8;
  }
  return picture(row.title, y + 4, parts);
}

/** Null: too few sizes have been measured. */
export function drawGrowth(row: RowTable, result: Result): string | null {
  const key = row.growth?.measures[0];
  if (key === undefined) return null;
  const lines = Object.keys(result.programs).flatMap((program) => {
    const points = growthOf(result, program, key).filter(([, cost]) => cost > 0);
    return points.length < 2 ? [] : [{ program, points }];
  });
  if (lines.length === 0) return null;
  const all = lines.flatMap(({ points }) => points);
  const box = { left: 70, top: 44, right: 520, bottom: 330 };
  const x = logScale(
    all.map(([size]) => size),
    box.left,
    box.right,
  );
  const y = logScale(
    all.map(([, cost]) => cost),
    box.bottom,
    box.top,
  );
  const title = row.measures.find((measure) => measure.key === key)!.title;
  const parts = [text(0, 22, `${title} against ${row.growth!.size}`, 'bold')];
  for (const tick of x.ticks) {
    parts.push(line(x.at(tick), box.top, x.at(tick), box.bottom, gridColor));
    parts.push(text(x.at(tick), box.bottom + 18, short(tick), 'middle'));
  }
  for (const tick of y.ticks) {
    parts.push(line(box.left, y.at(tick), box.right, y.at(tick), gridColor));
    parts.push(text(box.left - 8, y.at(tick) + 4, short(tick), 'end'));
  }
  lines.forEach(({ program, points }, i) => {
    const color = program === ours ? ourColor : otherColors[i % otherColors.length]!;
    const path = points.map(([size, cost]) => `${round(x.at(size))},${round(y.at(cost))}`).join(' ');
    parts.push(`<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`);
    for (const [size, cost] of points)
      parts.push(`<circle cx="${round(x.at(size))}" cy="${round(y.at(cost))}" r="3.5" fill="${color}"/>`);
    const label = `${program}: exponent ${exponentOf(points).toFixed(2)}`;
    parts.push(rectangle(box.right + 10, box.top + i * 22 - 9, 10, 10, color));
    parts.push(text(box.right + 26, box.top + i * 22, label));
  });
  return picture(`${row.title}: cost against size`, box.bottom + 30, parts);
}

type Scale = { readonly at: (value: number) => number; readonly ticks: readonly number[] };

/** Powers of ten, and 2 and 5 times those where there are few. */
function logScale(values: readonly number[], from: number, to: number): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const [low, high] = [Math.log10(least / 1.3), Math.log10(most * 1.3)];
  const decades = Array.from(
    { length: Math.ceil(high) - Math.floor(low) + 1 },
    (_, i) => 10 ** (Math.floor(low) + i),
  );
  const candidates = high - low > 2 ? decades : decades.flatMap((ten) => [ten, 2 * ten, 5 * ten]);
  const isInside = (tick: number): boolean => Math.log10(tick) >= low && Math.log10(tick) <= high;
  return {
    at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
    ticks: candidates.filter(isInside),
  };
}

function picture(title: string, height: number, parts: readonly string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 0 ${width + 20} ${height}" font-family="sans-serif"`;
  const open = `${head} font-size="13">\n<title>${escaped(title)}</title>`;
  return `${open}\n${rectangle(-10, 0, width + 20, height, '#ffffff')}\n${parts.join('\n')}\n</svg>\n`;
}

function text(
  x: number,
  y: number,
  words: string,
  how: 'start' | 'middle' | 'end' | 'bold' = 'start',
): string {
  const anchor = how === 'bold' ? 'font-weight="bold"' : `text-anchor="${how}"`;
  return `<text x="${round(x)}" y="${round(y)}" fill="${inkColor}" ${anchor}>${escaped(words)}</text>`;
}

function rectangle(x: number, y: number, w: number, h: number, color: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" fill="${color}"/>`;
}

function line(x1: number, y1: number, x2: number, y2: number, color: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${color}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** 1200000 is 1.2M. */
function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
