import { locale, say } from './words.ts';

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Bytes in powers of 1000, as disks and lines are sold. */
export function formatBytes(bytes: number): string {
  return formatIn(bytes, '');
}

/** Bytes a second. */
export function formatRate(bytesPerSecond: number): string {
  return formatIn(bytesPerSecond, '/s');
}

function formatIn(bytes: number, suffix: string): string {
  let step = 0;
  let value = bytes;
  while (value >= 999.5 && step < units.length - 1) {
    value /= 1000;
    step++;
  }
  const digits = step === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const number = numberFormat(`digits ${digits}`, { maximumFractionDigits: digits }).format(value);
  return `${number}\u00a0${units[step]}${suffix}`;
}

/** 0 to 1; never 100 % before it is all. */
export function formatShare(share: number): string {
  const percent = Math.floor(share * 1000) / 1000;
  return numberFormat('share', { style: 'percent', maximumFractionDigits: 1 }).format(percent);
}

export function formatRatio(ratio: number): string {
  return numberFormat('ratio', { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(ratio);
}

/** The two largest parts of a time span: 3 h 20 min. */
export function formatSpan(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return '∞';
  const parts: [number, string][] = [
    [Math.floor(seconds / 86400), 'day'],
    [Math.floor(seconds / 3600) % 24, 'hour'],
    [Math.floor(seconds / 60) % 60, 'minute'],
    [Math.floor(seconds) % 60, 'second'],
  ];
  const from = Math.min(parts.findIndex(([count]) => count > 0) >>> 0, 3);
  return parts
    .slice(from, from + 2)
    .filter(([count], index) => count > 0 || index === 0)
    .map(([count, unit]) => numberFormat(unit, { style: 'unit', unit, unitDisplay: 'narrow' }).format(count))
    .join(' ');
}

export function formatTime(ms: number | null): string {
  if (ms === null) return say('time.never');
  const isToday = new Date(ms).toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(
    locale.value,
    isToday ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' },
  ).format(ms);
}

const formats = new Map<string, Intl.NumberFormat>();

/** Kept: to make one takes longer than to use it a thousand times. */
function numberFormat(name: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale.value} ${name}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.NumberFormat(locale.value, options);
  formats.set(key, made);
  return made;
}
