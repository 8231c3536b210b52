import { computed, signal } from '@preact/signals';
import type { TorrentFilter, TorrentListQuery } from '@tequio/api';

export type SortKey = NonNullable<TorrentListQuery['sort']>;

export const filter = signal<TorrentFilter>({});
export const sort = signal<{ readonly key: SortKey; readonly descending: boolean }>({
  key: 'addedAtMs',
  descending: true,
});

/** What the list shows: whatever the page asks of it has the same order. */
export const listQuery = computed<TorrentListQuery>(() => ({
  filter: filter.value,
  sort: sort.value.key,
  descending: sort.value.descending,
}));

export const isFiltered = computed(() => Object.keys(filter.value).length > 0);

/** A second time on the same column turns it round. Numbers begin with the largest. */
export function sortBy(key: SortKey): void {
  const { value } = sort;
  sort.value = { key, descending: value.key === key ? !value.descending : key !== 'name' };
}

/** `undefined` takes a part away. */
export function changeFilter(
  part: { readonly [Key in keyof TorrentFilter]: TorrentFilter[Key] | undefined },
): void {
  const next = { ...filter.value, ...part };
  for (const key of Object.keys(next) as (keyof TorrentFilter)[])
    if (next[key] === undefined) delete (next as Record<string, unknown>)[key];
  filter.value = next as TorrentFilter;
}
