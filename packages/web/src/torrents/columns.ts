/** The columns of the list: which there are, which the user has chosen, and which find room. */

import { effect, signal } from '@preact/signals';
import type { ListedTorrent } from '@tequio/api';
import type { WordKey } from '../words/en.ts';
import { formatBytes, formatRate, formatRatio, formatSpan, formatTime } from '../words/format.ts';
import { fittingColumns } from './fitting-columns.ts';
import type { SortKey } from './list-query.ts';

export type Column = {
  readonly key: SortKey;
  readonly word: WordKey;
  /** Pixels. */
  readonly width: number;
  readonly isText?: boolean;
  readonly text: (torrent: ListedTorrent) => string;
};

export const columns: readonly Column[] = [
  column('totalBytes', 84, (row) => (row.pieceCount === 0 ? '' : formatBytes(row.totalBytes))),
  column('downRate', 96, (row) => (row.downRate > 0 ? formatRate(row.downRate) : '')),
  column('upRate', 96, (row) => (row.upRate > 0 ? formatRate(row.upRate) : '')),
  column('secondsLeft', 84, (row) => (row.state === 'downloading' ? formatSpan(row.secondsLeft) : '')),
  column('peerCount', 60, (row) => (row.peerCount > 0 ? String(row.peerCount) : '')),
  column('ratio', 84, (row) => formatRatio(row.ratio)),
  column('addedAtMs', 134, (row) => formatTime(row.addedAtMs)),
  column('seedCount', 88, (row) => (row.peerCount > 0 ? String(row.seedCount) : '')),
  column('availability', 72, (row) => (row.peerCount > 0 ? formatRatio(row.availability) : '')),
  column('downloadedBytes', 100, (row) => formatBytes(row.downloadedBytes)),
  column('uploadedBytes', 88, (row) => formatBytes(row.uploadedBytes)),
  column('finishedAtMs', 134, (row) => (row.finishedAtMs === null ? '' : formatTime(row.finishedAtMs))),
  column('activeAtMs', 134, (row) => (row.activeAtMs === null ? '' : formatTime(row.activeAtMs))),
  column('queuePosition', 60, (row) => (row.queuePosition === null ? '' : String(row.queuePosition + 1))),
  { ...column('category', 120, (row) => row.category ?? ''), isText: true },
  { ...column('trackerHost', 150, (row) => row.trackerHost ?? ''), isText: true },
];

const usual: readonly string[] = columns.slice(0, 7).map(({ key }) => key);
const storageKey = 'tequio.columns';

export const chosenColumns = signal<ReadonlySet<string>>(
  new Set(localStorage.getItem(storageKey)?.split(',') ?? usual),
);

effect(() => localStorage.setItem(storageKey, [...chosenColumns.value].join(',')));

/** @param width of the whole list, in pixels */
export function shownColumns(width: number): readonly Column[] {
  return fittingColumns(
    columns.filter(({ key }) => chosenColumns.value.has(key)),
    width,
  );
}

function column<Key extends SortKey>(
  key: `col.${Key}` extends WordKey ? Key : never,
  width: number,
  text: Column['text'],
): Column {
  return { key, word: `col.${key}` as WordKey, width, text };
}
