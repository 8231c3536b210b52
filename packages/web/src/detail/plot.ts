import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatRate } from '../words/format.ts';
import { locale } from '../words/words.ts';

/** Two lines over time, in the colours of the theme. */
export function makePlot(
  place: HTMLElement,
  size: { readonly width: number; readonly height: number },
): UPlot {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--ink-soft'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  const time = new Intl.DateTimeFormat(locale.value, { hour: 'numeric', minute: '2-digit' });
  const day = new Intl.DateTimeFormat(locale.value, { day: 'numeric', month: 'short' });
  const labels = (_: UPlot, splits: number[]): string[] => {
    const span = (splits.at(-1) ?? 0) - (splits[0] ?? 0);
    return splits.map((seconds) => (span > 172_800 ? day : time).format(seconds * 1000));
  };
  return new UPlot(
    {
      ...size,
      legend: { show: false },
      cursor: { y: false },
      scales: { y: { range: (_, __, max) => [0, Math.max(1000, max * 1.1)] } },
      axes: [
        { ...axis, space: 90, values: labels },
        { ...axis, size: 84, values: (_, splits) => splits.map((value) => formatRate(value)) },
      ],
      series: [
        {},
        { stroke: colour('--down'), width: 2, points: { show: false } },
        { stroke: colour('--up'), width: 2, points: { show: false } },
      ],
    },
    [[], [], []],
    place,
  );
}
