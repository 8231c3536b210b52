export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogLine = {
  /** Grows by one with every line; starts at 1 in every run. */
  readonly seq: number;
  readonly atMs: number;
  readonly level: LogLevel;
  /** Stable name, as `http.refused`. */
  readonly name: string;
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
};

export type LogQuery = {
  /** Lines after this number; by default all that are kept. */
  readonly since?: number;
  /** This level and those above it; by default `info`. */
  readonly level?: LogLevel;
  /** The latest so many; by default 1000. */
  readonly limit?: number;
};

export interface LogApi {
  /** Oldest first. */
  lines(query?: LogQuery): Promise<readonly LogLine[]>;
  subscribe(listener: (line: LogLine) => void): () => void;
}
