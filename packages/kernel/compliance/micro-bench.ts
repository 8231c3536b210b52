/**
 * Two pieces of work in turn, and the ratio of their costs: what a micro-benchmark says that is the same on every
 * machine. Processor time, not the clock's, and the median of many short pairs: other programs hardly show in it.
 */
import { cpuUsage, stdout } from 'node:process';

/** A piece of work, done `times` times. What it returns is looked at, so that no compiler leaves the work out. */
export type Work = (times: number) => number;

export type MicroBench = {
  /** As `bench/guards.ts` names it. */
  readonly name: string;
  readonly work: Work;
  /** What the work is compared with: something simple over the same bytes. */
  readonly baseline: Work;
};

const pairCount = 41;
const warmUpMs = 150;
/** Of one side of a pair: long enough for the clock, short enough that both sides meet the same machine. */
const sideUs = 1500;

/** Measures each, and says what `bench/guards.ts` reads. */
export function runMicroBenches(benches: readonly MicroBench[]): void {
  for (const { name, work, baseline } of benches) {
    const [workTimes, baselineTimes] = [timesFor(work), timesFor(baseline)];
    const ratios: number[] = [];
    const costs: number[] = [];
    for (let i = 0; i < pairCount; i++) {
      const cost = costUs(work, workTimes) / workTimes;
      const baselineCost = costUs(baseline, baselineTimes) / baselineTimes;
      if (baselineCost === 0) continue;
      costs.push(cost * 1000);
      ratios.push(cost / baselineCost);
    }
    sayRatio(name, median(ratios), `${median(costs).toFixed(0)} ns`);
  }
}

/** One line for people, that a program reads too. */
export function sayRatio(name: string, ratio: number, detail = ''): void {
  stdout.write(`ratio of ${name}: ${ratio.toFixed(3)}${detail === '' ? '' : ` (${detail})`}\n`);
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** A byte after the other, as plainly as can be: the baseline of what reads or writes bytes. */
export function passOver(bytes: Uint8Array): Work {
  return (times) => {
    let sum = 0;
    for (let i = 0; i < times; i++)
      for (let at = 0; at < bytes.length; at++) sum = (sum * 31 + bytes[at]!) | 0;
    return sum;
  };
}

/** Runs it until it is compiled. @returns how often it goes into one side of a pair */
function timesFor(work: Work): number {
  const untilMs = performance.now() + warmUpMs;
  let times = 1;
  let us = 0;
  while (performance.now() < untilMs || us < sideUs / 2) {
    us = costUs(work, times);
    if (us < sideUs / 2) times *= 2;
  }
  return times;
}

function costUs(work: Work, times: number): number {
  const before = cpuUsage();
  const sum = work(times);
  const { user, system } = cpuUsage(before);
  if (Number.isNaN(sum)) throw new Error('the work came to nothing');
  return user + system;
}
