import type { LogApi, LogLevel, LogLine, LogQuery } from '@tequio/api';
import type { Log, LogFields } from '@tequio/kernel';

const lineCountMax = 5000;
/** What comes with every peer would drive the rest out: it is kept apart. */
const debugCountMax = 2000;
const fieldChars = 1000;
const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** The log: the latest lines are kept, and passed on to whoever listens. */
export class LogRing implements LogApi, Log {
  readonly #wallMs: () => number;
  #lines: LogLine[] = [];
  #debugLines: LogLine[] = [];
  readonly #listeners = new Set<(line: LogLine) => void>();
  #seq = 0;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  debug(name: string, fields: LogFields = {}): void {
    this.#debugLines = this.#keep(this.#debugLines, debugCountMax, 'debug', name, fields);
  }

  info(name: string, fields: LogFields = {}): void {
    this.#lines = this.#keep(this.#lines, lineCountMax, 'info', name, fields);
  }

  warn(name: string, fields: LogFields = {}): void {
    this.#lines = this.#keep(this.#lines, lineCountMax, 'warn', name, fields);
  }

  error(name: string, fields: LogFields = {}): void {
    this.#lines = this.#keep(this.#lines, lineCountMax, 'error', name, fields);
  }

  async lines({ since = 0, level = 'info', limit = 1000 }: LogQuery = {}): Promise<readonly LogLine[]> {
    const least = levels.indexOf(level);
    const all = least > 0 ? this.#lines : [...this.#lines, ...this.#debugLines].sort((a, b) => a.seq - b.seq);
    const found = all.filter((line) => line.seq > since && levels.indexOf(line.level) >= least);
    return limit > 0 ? found.slice(-limit) : [];
  }

  subscribe(listener: (line: LogLine) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Twice as many as are promised, then half of them go at once. */
  #keep(lines: LogLine[], most: number, level: LogLevel, name: string, fields: LogFields): LogLine[] {
    const line = { seq: ++this.#seq, atMs: this.#wallMs(), level, name, fields: cut(fields) };
    lines.push(line);
    for (const listener of this.#listeners) listener(line);
    return lines.length >= most * 2 ? lines.slice(-most) : lines;
  }
}

function cut(fields: LogFields): LogFields {
  const isLong = Object.values(fields).some(
    (value) => typeof value === 'string' && value.length > fieldChars,
  );
  if (!isLong) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      typeof value === 'string' ? value.slice(0, fieldChars) : value,
    ]),
  );
}
