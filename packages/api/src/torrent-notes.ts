/**
 * How long and how much a torrent is shared once it is complete. A measure that is null is left out; the first one that
 * is reached ends it. All null: shared for ever.
 */
export type ShareGoal = {
  /** Uploaded bytes over the bytes of the wanted content. */
  readonly ratio: number | null;
  readonly seedingMinutes: number | null;
  /** Complete, and nobody has taken a byte for so long. */
  readonly idleMinutes: number | null;
  readonly action: 'pause' | 'remove' | 'remove-with-content' | 'super-seed';
};

/** What the node's owner says of a torrent, and what the node keeps of its history, besides what the engine knows. */
export type TorrentNotes = {
  readonly category: string | null;
  /** In the order in which they were given, each once. */
  readonly tags: readonly string[];
  /** Name of a user; null: the node's owner. */
  readonly owner: string | null;
  readonly addedAtMs: number;
  /** When all wanted content was there for the first time; null: not yet. */
  readonly finishedAtMs: number | null;
  /** Time spent, over all runs. */
  readonly downloadingMs: number;
  readonly seedingMs: number;
  /** 0 is the first of those that are not complete; null: not in the queue. */
  readonly queuePosition: number | null;
  /** The queue holds it back: the engine says `paused`, and the user did not pause it. */
  readonly queued: boolean;
  /** Runs whatever the queue and share goals say. */
  readonly forced: boolean;
  /** Its own; null: that of its category, of its tracker, or of the node, in this order. */
  readonly shareGoal: ShareGoal | null;
  readonly edgesFirst: boolean;
  /** Absolute folder that the content moves to when it is complete; null: it stays. */
  readonly finishedFolder: string | null;
  readonly comment: string | null;
};
