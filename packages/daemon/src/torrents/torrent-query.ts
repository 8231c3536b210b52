/** Which torrents a list shows, in which order: filter, sort and page without sorting what is not shown. */
import type { TorrentCounts, TorrentFilter, TorrentGroup, TorrentListQuery } from '@tequio/api';
import { NodeError } from '@tequio/kernel';
import { bookLimits } from './limits.ts';
import {
  type BookEntry,
  downloadingMsOf,
  isComplete,
  nameKeyOf,
  progressOf,
  ratioOf,
  seedingMsOf,
} from './torrent-book.ts';

export const torrentGroups: readonly TorrentGroup[] = [
  'metadata',
  'checking',
  'downloading',
  'seeding',
  'paused',
  'error',
  'active',
  'stalled',
  'queued',
  'finished',
];

/** @returns whether a torrent is shown */
export function matcherOf(filter: TorrentFilter): (entry: BookEntry) => boolean {
  const { groups, category, tag, tracker, owner, ids } = filter;
  const words = nameKeyOf(filter.text ?? '')
    .split(/\s+/)
    .filter((word) => word !== '')
    .slice(0, bookLimits.searchWordCountMax);
  const named = ids === undefined ? null : new Set(ids);
  return (entry) => {
    const { note, row } = entry;
    if (groups !== undefined && !groups.some((group) => isInGroup(entry, group))) return false;
    if (category !== undefined && note.category !== category && !isBelow(note.category, category))
      return false;
    if (tag !== undefined && (tag === null ? note.tags.length > 0 : !note.tags.includes(tag))) return false;
    if (tracker !== undefined && row.trackerHost !== tracker) return false;
    if (owner !== undefined && note.owner !== owner) return false;
    if (named !== null && !named.has(entry.id)) return false;
    return words.every((word) => entry.nameKey.includes(word));
  };
}

/** `film/old` is in `film`. */
function isBelow(category: string | null, above: string | null): boolean {
  return category !== null && above !== null && category.startsWith(`${above}/`);
}

export function isInGroup({ row, note }: BookEntry, group: TorrentGroup): boolean {
  switch (group) {
    case 'active':
      return row.downRate > 0 || row.upRate > 0;
    case 'stalled':
      return (
        (row.state === 'downloading' || row.state === 'seeding') && row.downRate === 0 && row.upRate === 0
      );
    case 'queued':
      return note.queued;
    case 'finished':
      return isComplete(row);
    default:
      return row.state === group;
  }
}

/** How many there are of each kind: one pass. */
export function countTorrents(entries: Iterable<BookEntry>): TorrentCounts {
  const groups = Object.fromEntries(torrentGroups.map((group) => [group, 0])) as Record<TorrentGroup, number>;
  const categories = new Map<string, number>();
  const tags = new Map<string, number>();
  const trackers = new Map<string, number>();
  for (const entry of entries) {
    const { note, row } = entry;
    groups[row.state]++;
    for (const group of ['active', 'stalled', 'queued', 'finished'] as const) {
      if (isInGroup(entry, group)) groups[group]++;
    }
    countOne(categories, note.category ?? '');
    countOne(trackers, row.trackerHost ?? '');
    if (note.tags.length === 0) countOne(tags, '');
    for (const tag of note.tags) countOne(tags, tag);
  }
  return {
    groups,
    categories: Object.fromEntries(categories),
    tags: Object.fromEntries(tags),
    trackers: Object.fromEntries(trackers),
  };
}

function countOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

type SortKey = NonNullable<TorrentListQuery['sort']>;
type SortValue = string | number | boolean | null;

/** Values that are not simply a field of row or note. */
const derived: Partial<Record<SortKey, (entry: BookEntry, nowMs: number) => SortValue>> = {
  name: (entry) => entry.nameKey,
  queuePosition: (entry) => entry.position,
  category: (entry) => entry.note.category,
  ratio: (entry) => ratioOf(entry.row),
  progress: (entry) => progressOf(entry.row),
  downloadingMs: downloadingMsOf,
  seedingMs: seedingMsOf,
};

function sortValueOf(key: SortKey): (entry: BookEntry, nowMs: number) => SortValue {
  const special = derived[key];
  if (special !== undefined) return special;
  return (entry) => {
    const row = entry.row as Readonly<Record<string, unknown>>;
    const note = entry.note as Readonly<Record<string, unknown>>;
    return ((key in row ? row[key] : note[key]) ?? null) as SortValue;
  };
}

/**
 * The torrents at these places of the sorted list. Equal ones are sorted by id; null comes last, in both directions.
 * Takes time in proportion to all of them, besides sorting the page.
 */
export function pageOf(entries: BookEntry[], query: TorrentListQuery, nowMs: number): readonly BookEntry[] {
  const { sort = 'addedAtMs', descending = false, offset = 0 } = query;
  const limit = query.limit ?? bookLimits.pageCount;
  const sortValue = sortValueOf(sort);
  const keyed: Keyed[] = entries.map((entry) => {
    const value = sortValue(entry, nowMs);
    return { entry, value: typeof value === 'boolean' ? Number(value) : value };
  });
  const compare = descending ? compareDescending : compareAscending;
  const from = Math.min(offset, keyed.length);
  const to = Math.min(from + limit, keyed.length);
  if (from > 0) placeNth(keyed, from, 0, keyed.length - 1, compare);
  if (to < keyed.length) placeNth(keyed, to, from, keyed.length - 1, compare);
  return keyed
    .slice(from, to)
    .sort(compare)
    .map(({ entry }) => entry);
}

type Keyed = { readonly entry: BookEntry; readonly value: string | number | null };
type Compare = (a: Keyed, b: Keyed) => number;

function compareAscending(a: Keyed, b: Keyed): number {
  if (a.value === b.value) return a.entry.id < b.entry.id ? -1 : Number(a.entry.id > b.entry.id);
  if (a.value === null) return 1;
  if (b.value === null) return -1;
  return a.value < b.value ? -1 : 1;
}

function compareDescending(a: Keyed, b: Keyed): number {
  return a.value === null || b.value === null || a.value === b.value
    ? compareAscending(a, b)
    : compareAscending(b, a);
}

/** Hoare's selection: afterwards all before `nth` are not larger than it, and all after it not smaller. */
function placeNth(items: Keyed[], nth: number, first: number, last: number, compare: Compare): void {
  let [low, high] = [first, last];
  while (low < high) {
    const pivot = medianOf(items[low]!, items[(low + high) >> 1]!, items[high]!, compare);
    let [left, right] = [low, high];
    while (left <= right) {
      while (compare(items[left]!, pivot) < 0) left++;
      while (compare(items[right]!, pivot) > 0) right--;
      if (left > right) break;
      [items[left], items[right]] = [items[right]!, items[left]!];
      left++;
      right--;
    }
    if (nth <= right) high = right;
    else if (nth >= left) low = left;
    else return;
  }
}

function medianOf(a: Keyed, b: Keyed, c: Keyed, compare: Compare): Keyed {
  if (compare(a, b) > 0) [a, b] = [b, a];
  if (compare(b, c) <= 0) return b;
  return compare(a, c) > 0 ? a : c;
}

const sortKeys: ReadonlySet<string> = new Set<SortKey>([
  'id',
  'infoHashV1',
  'infoHashV2',
  'name',
  'folder',
  'state',
  'error',
  'errorCode',
  'private',
  'pieceCount',
  'pieceBytes',
  'havePieceCount',
  'fileCount',
  'totalBytes',
  'wantedBytes',
  'doneBytes',
  'downloadedBytes',
  'uploadedBytes',
  'wastedBytes',
  'downRate',
  'upRate',
  'peerCount',
  'seedCount',
  'candidateCount',
  'swarmSeedCount',
  'swarmLeechCount',
  'secondsLeft',
  'checked',
  'availability',
  'category',
  'limitDown',
  'limitUp',
  'sequential',
  'superSeed',
  'trackerHost',
  'activeAtMs',
  'owner',
  'addedAtMs',
  'finishedAtMs',
  'downloadingMs',
  'seedingMs',
  'queuePosition',
  'queued',
  'forced',
  'edgesFirst',
  'finishedFolder',
  'comment',
  'ratio',
  'progress',
]);

/** @throws NodeError `LIST_QUERY` with what is wrong */
export function checkQuery(query: TorrentListQuery): void {
  const { sort, offset = 0, limit = 0, filter } = query;
  if (sort !== undefined && !sortKeys.has(sort)) throw wrongQuery(`there is no field "${sort}" to sort by`);
  if (!Number.isInteger(offset) || offset < 0) throw wrongQuery('the offset must be 0 or more');
  if (!Number.isInteger(limit) || limit < 0 || limit > bookLimits.pageCountMax)
    throw wrongQuery(`the limit must be 0 to ${bookLimits.pageCountMax}`);
  for (const group of filter?.groups ?? []) {
    if (!torrentGroups.includes(group)) throw wrongQuery(`there is no group "${group}"`);
  }
}

function wrongQuery(reason: string): NodeError {
  return new NodeError('LIST_QUERY', `The list cannot be shown: ${reason}.`, { op: 'list' });
}
