import type { TorrentId } from '@tequio/bittorrent/contract';

/** Seconds of 5 minutes, minutes of a day, hours of 30 days. */
export type SpeedStep = 'second' | 'minute' | 'hour';

/** Speeds of the past, oldest first, one number a step: the mean over the step, in bytes a second. */
export type SpeedHistory = {
  readonly stepMs: number;
  /** End of the last step. */
  readonly endMs: number;
  readonly down: readonly number[];
  readonly up: readonly number[];
};

export interface HistoryApi {
  /**
   * Of the node; or of a torrent, for which only seconds and minutes are kept, and only while it is active: others are
   * empty.
   */
  speeds(step: SpeedStep, torrent?: TorrentId): Promise<SpeedHistory>;
}
