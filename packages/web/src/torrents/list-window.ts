/**
 * The part of the list that is near what can be seen: the node keeps just this part up to date, however long the list
 * is.
 *
 *   offset 0 ........ [offset .. offset + windowRows) ........ totalCount
 *                       └─ first visible line, somewhere inside
 */

import { effect, signal } from '@preact/signals';
import type { ListedTorrent, TorrentCounts } from '@tequio/api';
import { isSeen, node } from '../node.ts';
import { listQuery } from './list-query.ts';

const windowRows = 150;
/** The window moves in steps, so that a little scrolling asks for nothing. */
const stepRows = 50;

export const listed = signal<{
  /** Of the first of `rows`. */
  readonly offset: number;
  readonly rows: readonly ListedTorrent[];
  readonly totalCount: number;
  readonly counts: TorrentCounts | null;
  readonly isKnown: boolean;
}>({ offset: 0, rows: [], totalCount: 0, counts: null, isKnown: false });

const wantedOffset = signal(0);
let settling: ReturnType<typeof setTimeout> | undefined;

/** @param firstLine that can be seen. Asked for when scrolling has come to rest for a moment. */
export function showLinesFrom(firstLine: number): void {
  const offset = Math.max(0, Math.floor((firstLine - stepRows) / stepRows) * stepRows);
  clearTimeout(settling);
  if (offset === wantedOffset.value) return;
  settling = setTimeout(() => {
    wantedOffset.value = offset;
  }, 60);
}

/** Keeps the window up to date until the returned function is called. */
export function followList(): () => void {
  return effect(() => {
    if (!isSeen.value) return;
    const offset = wantedOffset.value;
    const query = { ...listQuery.value, offset, limit: windowRows, counts: true };
    return node.watchTorrents(query, ({ rows, totalCount, counts }) => {
      listed.value = { offset, rows, totalCount, counts, isKnown: true };
      if (offset > 0 && offset >= totalCount) showLinesFrom(totalCount - 1);
    });
  });
}
