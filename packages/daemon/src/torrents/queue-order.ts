import type { TorrentId } from '@tequio/api';
import type { BookEntry } from './torrent-book.ts';

/** The new ranks; those that move keep their order among themselves. */
export function rankChanges(
  queue: readonly BookEntry[],
  moved: ReadonlySet<TorrentId>,
  to: 'top' | 'up' | 'down' | 'bottom',
  freshRank: () => number,
): readonly (readonly [TorrentId, number])[] {
  const ids = queue.map(({ id }) => id);
  if (to === 'top' || to === 'bottom') {
    const chosen = ids.filter((id) => moved.has(id));
    if (to === 'top') chosen.reverse();
    return chosen.map((id) => [id, freshRank()] as const);
  }
  const order = to === 'down' ? [...ids].reverse() : ids;
  for (let at = 1; at < order.length; at++) {
    const [before, one] = [order[at - 1]!, order[at]!];
    if (moved.has(one) && !moved.has(before)) [order[at - 1], order[at]] = [one, before];
  }
  if (to === 'down') order.reverse();
  return order.flatMap((id, at) => (queue[at]!.id === id ? [] : [[id, queue[at]!.note.rank] as const]));
}
