/**
 * Sizes, rates and times as people write and read them. `K`, `M`, `G`, `T`, alone or as `KiB` ..., are powers of
 * 1024, as piece sizes are; `kB`, `MB`, `GB`, `TB` are powers of 1000, as disks are sold. We write binary units.
 */

const unitNames = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const unitLetters = 'kmgt';

/**
 * Bytes of `500K`, `1.5MiB`, `16384`, `2 MB`, or null when the text is no size. A trailing `/s` is allowed, for rates.
 * Fractions of a byte are cut off; more than 2^53 is no size.
 */
export function tryParseBytes(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*(?:([kmgt])(ib|b)?|b)?(?:\/s)?$/i.exec(text.trim());
  if (match === null) return null;
  const [, number, letter, suffix] = match;
  const power = letter === undefined ? 0 : unitLetters.indexOf(letter.toLowerCase()) + 1;
  const bytes = Math.floor(Number(number) * (suffix?.toLowerCase() === 'b' ? 1000 : 1024) ** power);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** Bytes a second of `1M`; `0`, `none` and `off` are null: no limit. Undefined when the text is no rate. */
export function tryParseRate(text: string): number | null | undefined {
  if (/^(?:none|off)$/i.test(text)) return null;
  const bytes = tryParseBytes(text);
  return bytes === null ? undefined : bytes === 0 ? null : bytes;
}

/** `0 B`, `999 B`, `1.50 KiB`, `12.3 MiB`, `456 GiB`: three digits, more only below 1024 of a unit. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = Math.max(0, bytes);
  while (value >= 1023.5 && unit < unitNames.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${unitNames[unit]}`;
}

/** `12.3 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** `0:07`, `12:34`, `1:02:03`, `3d 04h`: how long something takes or took. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  const two = (value: number): string => String(value).padStart(2, '0');
  if (days > 0) return `${days}d ${two(hours)}h`;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Whole percent, rounded down: 100 only when it is all there. Of nothing, all is there. */
export function percentOf(done: number, total: number): number {
  return total <= 0 ? 100 : Math.floor((Math.min(done, total) / total) * 100);
}
