import type { TorrentId, TorrentRow, TorrentState } from '@tequio/bittorrent/contract';
import type { TorrentNotes } from './torrent-notes.ts';

/** A line of the list: what the engine and what the node know of a torrent. Scalars and tags only. */
export type ListedTorrent = TorrentRow &
  TorrentNotes & {
    /** Uploaded bytes over the bytes of the wanted content; 0 while those are not known. */
    readonly ratio: number;
    /** 0 to 1 of the wanted bytes; 1 when nothing is wanted. */
    readonly progress: number;
  };

/** The engine's states, and groups that people look for. */
export type TorrentGroup =
  | TorrentState
  /** Content goes in or out now. */
  | 'active'
  /** Downloads or seeds, and nothing goes in or out. */
  | 'stalled'
  /** The queue holds it back. */
  | 'queued'
  /** All wanted content is there, whatever the state. */
  | 'finished';

/** All that are given must hold; of several values in one list, one. */
export type TorrentFilter = {
  readonly groups?: readonly TorrentGroup[];
  /** Null: those without one. */
  readonly category?: string | null;
  /** Null: those without any. */
  readonly tag?: string | null;
  /** Host of the tracker; null: those without one. */
  readonly tracker?: string | null;
  /** Null: those of the node's owner. */
  readonly owner?: string | null;
  /** Words, all of which are in the name, without regard to case. */
  readonly text?: string;
  readonly ids?: readonly TorrentId[];
};

export type TorrentListQuery = {
  readonly filter?: TorrentFilter;
  /** By default `addedAtMs`; equal ones by id. Null sorts last, also when descending. */
  readonly sort?: Exclude<keyof ListedTorrent, 'tags' | 'shareGoal'>;
  readonly descending?: boolean;
  /** By default 0. */
  readonly offset?: number;
  /** By default 100, at most 5000. */
  readonly limit?: number;
  /** Whether `counts` are wanted. */
  readonly counts?: boolean;
};

/** How many of all torrents that the caller may see, whatever the filter: what a side bar shows. */
export type TorrentCounts = {
  readonly groups: Readonly<Record<TorrentGroup, number>>;
  /** The key '' stands for none. */
  readonly categories: Readonly<Record<string, number>>;
  readonly tags: Readonly<Record<string, number>>;
  readonly trackers: Readonly<Record<string, number>>;
};

export type TorrentList = {
  /** For `changes`. */
  readonly version: number;
  /** That the filter lets through, on all pages. */
  readonly totalCount: number;
  readonly rows: readonly ListedTorrent[];
  /** Null: not asked for. */
  readonly counts: TorrentCounts | null;
};

/** What has changed since a version that was given out before. */
export type TorrentDelta = {
  /** To be asked with next time. */
  readonly version: number;
  /** True: `changed` is everything there is (the version was 0, unknown, or too long ago). */
  readonly full: boolean;
  readonly changed: readonly ListedTorrent[];
  readonly removed: readonly TorrentId[];
};
