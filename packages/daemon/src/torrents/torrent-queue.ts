/**
 * Which torrents run and which wait: a decision, without clock and I/O. Those that are not complete go by their place;
 * those that are complete by how long they have been waiting. One that is slow runs without taking a place, so that a
 * dead torrent does not keep others waiting.
 *
 *   wanted ── a place is free, or forced ──> running ── none is left for it ──> waiting ──> …
 */
import type { TorrentId } from '@tequio/api';

export type QueueLimits = {
  /** How many at once; null: all. */
  readonly activeDownloads: number | null;
  readonly activeSeeds: number | null;
  readonly activeTotal: number | null;
  /** Nothing runs, not even what is forced. */
  readonly isPaused: boolean;
};

/** A torrent that the user lets run. */
export type QueueItem = {
  readonly id: TorrentId;
  readonly complete: boolean;
  /** Smaller ones first, among those that are not complete. */
  readonly rank: number;
  /** When it began to wait, or to be complete; smaller ones first, among those that are complete. */
  readonly sinceMs: number;
  /** Runs, whatever the limits say. */
  readonly forced: boolean;
  readonly running: boolean;
  /** Runs, and has done next to nothing for a while. */
  readonly slow: boolean;
};

export type QueueVerdict = { readonly run: readonly TorrentId[]; readonly wait: readonly TorrentId[] };

/** What must change so that the queue holds: which of those that wait shall run, and which that run shall wait. */
export function decideQueue(items: readonly QueueItem[], limits: QueueLimits): QueueVerdict {
  const run: TorrentId[] = [];
  const wait: TorrentId[] = [];
  let [downloads, seeds] = [0, 0];
  const count = (item: QueueItem): void => {
    if (item.complete) seeds++;
    else downloads++;
  };
  const hasPlace = (item: QueueItem): boolean => {
    const most = (item.complete ? limits.activeSeeds : limits.activeDownloads) ?? Number.POSITIVE_INFINITY;
    const total = limits.activeTotal ?? Number.POSITIVE_INFINITY;
    return (item.complete ? seeds : downloads) < most && downloads + seeds < total;
  };
  if (!limits.isPaused) for (const item of items) if (takesPlaceAlways(item)) count(item);
  for (const item of inOrder(items)) {
    const free = !limits.isPaused && (item.forced || isIdle(item) || hasPlace(item));
    if (free && !item.forced && !isIdle(item)) count(item);
    if (free && !item.running) run.push(item.id);
    if (!free && item.running) wait.push(item.id);
  }
  return { run, wait };
}

/** Forced ones have their place before all others. */
function takesPlaceAlways(item: QueueItem): boolean {
  return item.forced && !isIdle(item);
}

/** It runs, and takes no place. */
function isIdle(item: QueueItem): boolean {
  return item.running && item.slow;
}

function inOrder(items: readonly QueueItem[]): readonly QueueItem[] {
  const downloads = items.filter((item) => !item.complete).sort((a, b) => a.rank - b.rank);
  // One that has a place keeps it: taking turns would cost every peer its connection.
  const seeds = items
    .filter((item) => item.complete)
    .sort((a, b) => Number(b.running) - Number(a.running) || a.sinceMs - b.sinceMs);
  return [...downloads, ...seeds];
}
