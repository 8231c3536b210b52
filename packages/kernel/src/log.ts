/**
 * The log port: `log.debug('piece.verified', { torrent, piece })`. Names are stable, fields flat. Nothing that a peer
 * wrote, or can repeat at will, goes at `info` or above.
 */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

export interface Log {
  debug(name: string, fields?: LogFields): void;
  info(name: string, fields?: LogFields): void;
  warn(name: string, fields?: LogFields): void;
  error(name: string, fields?: LogFields): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
