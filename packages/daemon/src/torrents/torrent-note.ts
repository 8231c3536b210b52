import type { ShareGoal } from '@tequio/api';

/** What the node remembers of a torrent, besides the engine's own record. Times of day as ms since 1970. */
export type TorrentNote = {
  readonly category: string | null;
  readonly tags: readonly string[];
  readonly owner: string | null;
  readonly addedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly downloadingMs: number;
  readonly seedingMs: number;
  /** Place among those that are not complete: a smaller one goes first. Any number, each once. */
  readonly rank: number;
  /** The user wants it to stand still. */
  readonly paused: boolean;
  /** The user lets it run, and the queue holds it back. */
  readonly queued: boolean;
  readonly forced: boolean;
  readonly shareGoal: ShareGoal | null;
  /** Its share goal was reached, and what was to happen has happened; it is not asked again. */
  readonly shared: boolean;
  /** It is complete, and what is to happen then (move, program) has not all happened yet. */
  readonly finishing: boolean;
  readonly edgesFirst: boolean;
  readonly finishedFolder: string | null;
  readonly comment: string | null;
};

export const emptyNote: TorrentNote = {
  category: null,
  tags: [],
  owner: null,
  addedAtMs: 0,
  finishedAtMs: null,
  downloadingMs: 0,
  seedingMs: 0,
  rank: 0,
  paused: false,
  queued: false,
  forced: false,
  shareGoal: null,
  shared: false,
  finishing: false,
  edgesFirst: false,
  finishedFolder: null,
  comment: null,
};

/** Fields as they are in {@link emptyNote} are left out. */
export function encodeNote(note: TorrentNote): string {
  const text: Record<string, unknown> = {};
  for (const key of noteKeys) {
    const value = note[key];
    if (value !== emptyNote[key] && !(Array.isArray(value) && value.length === 0)) text[key] = value;
  }
  return JSON.stringify(text);
}

/** Fields that are missing, or of another type than they should be, are those of {@link emptyNote}. */
export function decodeNote(text: string): TorrentNote {
  let read: Partial<Record<keyof TorrentNote, unknown>>;
  try {
    read = JSON.parse(text) as typeof read;
  } catch {
    return emptyNote;
  }
  if (typeof read !== 'object' || read === null) return emptyNote;
  const note: Record<string, unknown> = { ...emptyNote };
  for (const key of noteKeys) {
    if (read[key] !== undefined && isOfType(key, read[key])) note[key] = read[key];
  }
  return note as TorrentNote;
}

const noteKeys = Object.keys(emptyNote) as (keyof TorrentNote)[];
const textKeys: readonly (keyof TorrentNote)[] = ['category', 'owner', 'finishedFolder', 'comment'];

function isOfType(key: keyof TorrentNote, value: unknown): boolean {
  if (key === 'tags') return Array.isArray(value) && value.every((tag) => typeof tag === 'string');
  if (key === 'shareGoal') return typeof value === 'object';
  if (textKeys.includes(key)) return typeof value === 'string';
  if (key === 'finishedAtMs') return typeof value === 'number';
  return typeof value === typeof emptyNote[key];
}
