/** One download by one program. */
export type Sample = {
  readonly program: string;
  readonly round: number;
  /** From the beginning of the transfer until the program says that all is verified. */
  readonly transferSeconds: number;
  /** From the start of the program until then. */
  readonly totalSeconds: number;
  /** Of the program from its start until then. */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
};

/** What a program's samples come to. Rates are of content, in millions of bytes a second. */
export type Summary = {
  readonly program: string;
  readonly count: number;
  readonly rate: Spread;
  /** Of the rates of the same round; null without libtorrent. */
  readonly ratioToLibtorrent: Spread | null;
  readonly cpuSecondsPerGib: Spread;
  readonly peakMegabytes: Spread;
  /** From the start of the program to the beginning of the transfer. */
  readonly startSeconds: Spread;
};

/** Of values of several rounds. */
export type Spread = { readonly median: number; readonly least: number; readonly most: number };

const gib = 1024 ** 3;

/** One entry a program, in the order in which they first appear. */
export function summarise(samples: readonly Sample[], bytes: number): readonly Summary[] {
  const rateOf = ({ transferSeconds }: Sample): number => bytes / transferSeconds / 1e6;
  const names = [...new Set(samples.map(({ program }) => program))];
  return names.map((program) => {
    const own = samples.filter((sample) => sample.program === program);
    const ratios = own.flatMap((sample) => {
      const other = samples.find(
        ({ program: name, round }) => name === 'libtorrent' && round === sample.round,
      );
      return other === undefined ? [] : [rateOf(sample) / rateOf(other)];
    });
    return {
      program,
      count: own.length,
      rate: spreadOf(own.map(rateOf)),
      ratioToLibtorrent: ratios.length === 0 ? null : spreadOf(ratios),
      cpuSecondsPerGib: spreadOf(own.map(({ cpuSeconds }) => (cpuSeconds * gib) / bytes)),
      peakMegabytes: spreadOf(own.map(({ peakBytes }) => peakBytes / 1e6)),
      startSeconds: spreadOf(own.map(({ totalSeconds, transferSeconds }) => totalSeconds - transferSeconds)),
    };
  });
}

/** As a Markdown table. */
export function renderTable(summaries: readonly Summary[]): string {
  const show = ({ median, least, most }: Spread, digits: number): string =>
    `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
  const lines = [
    '| program | MB/s | to libtorrent | CPU s per GiB | peak MB | s to begin |',
    '| --- | --- | --- | --- | --- | --- |',
    ...summaries.map((summary) => {
      const { program, rate, ratioToLibtorrent, cpuSecondsPerGib, peakMegabytes, startSeconds } = summary;
      const ratio = ratioToLibtorrent === null ? '' : show(ratioToLibtorrent, 2);
      const rest = [show(cpuSecondsPerGib, 2), show(peakMegabytes, 0), show(startSeconds, 1)];
      return `| ${[program, show(rate, 0), ratio, ...rest].join(' | ')} |`;
    }),
  ];
  return `${lines.join('\n')}\nMedian of ${summaries[0]?.count ?? 0} rounds (least–most).\n`;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, least: sorted[0]!, most: sorted.at(-1)! };
}
