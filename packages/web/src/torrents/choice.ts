/** Which torrents are chosen, and how keys and clicks choose. */

import { computed, signal } from '@preact/signals';
import type { TorrentListQuery } from '@tequio/api';
import { node } from '../node.ts';
import { attempt } from '../notice.ts';
import { listQuery } from './list-query.ts';

export const chosen = signal<ReadonlySet<string>>(new Set());
export const chosenIds = computed(() => [...chosen.value]);

/** Most that are asked for at once. */
const pageRows = 5000;

export function toggle(id: string): void {
  const next = new Set(chosen.value);
  if (!next.delete(id)) next.add(id);
  chosen.value = next;
}

export function chooseOnly(ids: readonly string[]): void {
  chosen.value = new Set(ids);
}

/** All that the filter lets through, seen or not. */
export function chooseAll(): Promise<boolean> {
  return attempt(async () => {
    chosen.value = new Set(await idsBetween(0, Number.POSITIVE_INFINITY));
  });
}

/** From one line of the list to another, both included. */
export async function chooseBetween(first: number, last: number): Promise<void> {
  const [from, to] = first < last ? [first, last] : [last, first];
  await attempt(async () => {
    chosen.value = new Set([...chosen.value, ...(await idsBetween(from, to + 1))]);
  });
}

async function idsBetween(from: number, to: number): Promise<string[]> {
  const ids: string[] = [];
  for (let offset = from; offset < to; ) {
    const query: TorrentListQuery = { ...listQuery.value, offset, limit: Math.min(pageRows, to - offset) };
    const { rows, totalCount } = await node.torrents.list(query);
    ids.push(...rows.map(({ id }) => id));
    offset += rows.length;
    if (rows.length === 0 || offset >= totalCount) break;
  }
  return ids;
}
