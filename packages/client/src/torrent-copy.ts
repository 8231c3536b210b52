import type { ListedTorrent, TorrentCounts } from '@tequio/api';

/** A view of the node's list as it is here now. Rows that have not changed are the same objects as before. */
export type TorrentCopy = {
  readonly rows: readonly ListedTorrent[];
  readonly totalCount: number;
  /** Null: not asked for. */
  readonly counts: TorrentCounts | null;
};

/** One message of the node, as `torrent-view.ts` of the daemon makes them. */
export type TorrentStep = {
  readonly reset?: true;
  readonly totalCount?: number;
  readonly order?: readonly (string | number)[];
  readonly changed?: readonly Partial<ListedTorrent>[];
  readonly counts?: TorrentCounts;
};

export const emptyCopy: TorrentCopy = { rows: [], totalCount: 0, counts: null };

/** The copy after a step. Fields that were not asked for are absent from rows. */
export function applyStep(copy: TorrentCopy, step: TorrentStep): TorrentCopy {
  const before = step.reset === true ? [] : copy.rows;
  const rows = new Map(before.map((row) => [row.id, row]));
  for (const change of step.changed ?? [])
    rows.set(change.id!, { ...rows.get(change.id!), ...change } as ListedTorrent);
  const order =
    step.order?.map((item) => (typeof item === 'number' ? before[item]!.id : item)) ??
    before.map(({ id }) => id);
  return {
    rows: order.flatMap((id) => rows.get(id) ?? []),
    totalCount: step.totalCount ?? copy.totalCount,
    counts: step.counts ?? copy.counts,
  };
}
