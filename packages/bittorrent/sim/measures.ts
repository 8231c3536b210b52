/** Figures about many peers. */

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** 0: all have the same; towards 1: one has everything. */
export function gini(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const weighted = sum(sorted.map((value, index) => (index + 1) * value));
  return (2 * weighted) / (sorted.length * sum(sorted)) - (sorted.length + 1) / sorted.length;
}

/** 1: all have the same; 1/n: one has everything (Jain, Chiu and Hawe 1984). */
export function jain(values: readonly number[]): number {
  return sum(values) ** 2 / (values.length * sum(values.map((value) => value * value)));
}

/**
 * The shortest time in which all of `leecherCount` can have `bytes`: the seed must send each byte once, and all upload
 * together must carry every copy (Kumar and Ross 2006). Rates in bytes a second; leechers' lines are alike.
 */
export function boundSeconds(line: {
  readonly bytes: number;
  readonly seedUpRate: number;
  readonly leecherCount: number;
  readonly upRate: number;
  readonly downRate: number;
}): number {
  const { bytes, seedUpRate, leecherCount, upRate, downRate } = line;
  return Math.max(
    bytes / seedUpRate,
    bytes / downRate,
    (leecherCount * bytes) / (seedUpRate + leecherCount * upRate),
  );
}

export function rounded(value: number, digits = 2): string {
  return value.toFixed(digits);
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value below which this share of the values lies; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
