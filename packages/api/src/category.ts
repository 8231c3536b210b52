import type { RateLimitPair } from '@tequio/bittorrent/contract';
import type { ShareGoal } from './torrent-notes.ts';

/** A name of the user's for torrents that have a place, limits and a share goal in common. */
export type Category = {
  /** 1 to 100 characters; `/` makes a category inside another one. */
  readonly name: string;
  /** Absolute folder for content that is added without one; null: that of the category around it, or the node's. */
  readonly folder: string | null;
  /** As `TorrentNotes.finishedFolder`. */
  readonly finishedFolder: string | null;
  /** Of all its torrents together. */
  readonly limits: RateLimitPair;
  readonly shareGoal: ShareGoal | null;
};

/** What holds for all torrents of a tracker. */
export type TrackerRule = {
  /** Host of the tracker's address, in lower case. */
  readonly host: string;
  /** Of all its torrents together. */
  readonly limits: RateLimitPair;
  readonly shareGoal: ShareGoal | null;
};
