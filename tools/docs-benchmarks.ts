/** docs/benchmarks.md and its pictures, from the newest full run of each row. */
import { drawBars, drawGrowth } from '../bench/plot.ts';
import { renderRow } from '../bench/render.ts';
import { newestResult } from '../bench/results.ts';
import type { Result, RowTable } from '../bench/row.ts';
import { table } from '../bench/table.ts';

const imageFolder = 'images/bench';

/** The part of the page between its markers. */
export function benchmarksPart(): string {
  const measured = table.flatMap((row) => {
    const result = newestResult(row.name);
    return result === null ? [] : [renderSection(row, result)];
  });
  const missing = table.filter((row) => newestResult(row.name) === null).map(({ title }) => title);
  const note = missing.length === 0 ? '' : `Not measured in full yet: ${missing.join('; ')}.\n`;
  return `\n${[...measured, note].filter((part) => part !== '').join('\n')}\n`;
}

/** Path below docs/ to content. */
export function benchmarkImages(): ReadonlyMap<string, string> {
  const images = new Map<string, string>();
  for (const row of table) {
    const result = newestResult(row.name);
    if (result === null) continue;
    images.set(`${imageFolder}/${row.name}.svg`, drawBars(row, result));
    const growth = drawGrowth(row, result);
    if (growth !== null) images.set(`${imageFolder}/${row.name}-growth.svg`, growth);
  }
  return images;
}

function renderSection(row: RowTable, result: Result): string {
  const picture = (name: string, words: string): string => `![${words}](${imageFolder}/${name}.svg)\n`;
  const growth =
    drawGrowth(row, result) === null ? '' : `\n${picture(`${row.name}-growth`, 'Cost against size')}`;
  const when = result.startedAt === '' ? '' : ` on ${result.startedAt.slice(0, 10)}`;
  const seeder = result.setting['seeder'];
  const by = typeof seeder === 'string' ? `, served by libtorrent ${seeder}` : '';
  const early = result.unfinished === true ? ' The run was ended early: not all rounds are here.' : '';
  return [
    `## ${row.title}\n`,
    `${row.about} ${roundsOf(result)} rounds${when}${by}: \`npm run bench -- ${row.name}\`.${early}\n`,
    `${picture(row.name, row.title)}${growth}`,
    renderRow(row, result),
  ].join('\n');
}

/** Those that were made, which may be fewer than were asked for where the time was bounded. */
function roundsOf({ samples }: Result): string {
  const byCase = Map.groupBy(samples, (sample) => sample.case);
  const counts = [...byCase.values()].map((of) => new Set(of.map(({ round }) => round)).size);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${least}` : `${least} to ${most}`;
}
