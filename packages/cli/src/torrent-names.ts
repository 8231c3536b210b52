import type { ListedTorrent } from '@tequio/api';
import type { NodeClient } from '@tequio/client';
import { NodeError } from '@tequio/kernel';
import { UsageError } from './errors.ts';
import type { Session } from './session.ts';

const pageRows = 5000;

/** The ids of what a user calls torrents. @throws NodeError `TORRENT_MISSING`, `CLI_USAGE` for what fits several */
export async function findTorrents(
  texts: readonly string[],
  node: NodeClient,
  session: Session,
): Promise<readonly string[]> {
  // A whole id needs no list of all others.
  if (texts.every((text) => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text)))
    return texts.map((text) => text.toLowerCase());
  const all: Pick<ListedTorrent, 'id' | 'name'>[] = [];
  for (let totalCount = 1; all.length < totalCount; ) {
    const page = await node.torrents.list({ offset: all.length, limit: pageRows });
    all.push(...page.rows);
    if (page.rows.length === 0) break;
    ({ totalCount } = page);
  }
  if (texts.length === 1 && texts[0] === 'all') return all.map(({ id }) => id);
  return [...new Set(texts.map((text) => findOne(text, all, session)))];
}

function findOne(
  text: string,
  all: readonly Pick<ListedTorrent, 'id' | 'name'>[],
  { messages }: Session,
): string {
  const lower = text.toLowerCase();
  const byName = all.filter(({ name }) => name === text);
  const byId = /^[0-9a-f]{4,64}$/.test(lower) ? all.filter(({ id }) => id.startsWith(lower)) : [];
  const byPart = all.filter(({ name }) => name.toLowerCase().includes(lower));
  const found = [byName, byId, byPart].find(({ length }) => length > 0) ?? [];
  if (found.length === 0) throw new NodeError('TORRENT_MISSING', messages.daemon.noTorrent(text));
  if (found.length > 1) throw new UsageError(messages.daemon.several(text, found.length));
  return found[0]!.id;
}
