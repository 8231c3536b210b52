import type { ListedTorrent, TorrentId, TorrentsApi } from '@tequio/api';
import type { CompatCaller, CompatPorts } from '../compat-caller.ts';
import { KnownMetainfo } from '../known-metainfo.ts';
import { TorrentNumbers } from '../torrent-numbers.ts';
import type { Arguments } from './arguments.ts';
import { invalidParams } from './rpc-error.ts';

/** What one caller's torrents are called, kept from one request to the next. */
export class TransmissionSession {
  readonly numbers = new TorrentNumbers();
  readonly metainfo = new KnownMetainfo();
}

/** One call of a method. */
export type RpcCall = {
  readonly args: Arguments;
  readonly caller: CompatCaller;
  readonly session: TransmissionSession;
  readonly ports: CompatPorts;
  readonly isOlder: boolean;
  /** `X-Transmission-Session-Id`. */
  readonly sessionId: string;
};

export type RpcMethod = (call: RpcCall) => Promise<Readonly<Record<string, unknown>>>;

export function torrentsOf({ caller }: RpcCall): TorrentsApi {
  return caller.management.torrents;
}

export type ChosenTorrents = {
  readonly ids: readonly TorrentId[];
  /** Numbers of those that have gone lately; null: not asked for. */
  readonly removed: readonly number[] | null;
};

/** The torrents that `ids` means (docs/rpc-spec.md, section 3.1); those that are not there are passed over. */
export async function chooseTorrents(call: RpcCall, wanted: unknown): Promise<ChosenTorrents> {
  const { numbers } = call.session;
  numbers.learn(await torrentsOf(call).changes(numbers.version), call.ports.wallMs());
  if (wanted == null) return { ids: numbers.all(), removed: null };
  if (wanted === 'recently_active' || wanted === 'recently-active') return numbers.recent();
  const items: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
  const ids = new Set<TorrentId>();
  for (const item of items) {
    const id =
      typeof item === 'number'
        ? numbers.idOf(item)
        : typeof item === 'string'
          ? numbers.idOfHash(item)
          : null;
    if (typeof item !== 'number' && typeof item !== 'string')
      throw invalidParams('ids holds neither numbers nor hashes');
    if (id !== null) ids.add(id);
  }
  return { ids: [...ids], removed: null };
}

/** The rows of these torrents. Of very many it is cheaper to ask for all at once. */
export async function rowsOf(call: RpcCall, ids: readonly TorrentId[]): Promise<readonly ListedTorrent[]> {
  const torrents = torrentsOf(call);
  if (ids.length <= 50)
    return (await Promise.all(ids.map((id) => torrents.get(id)))).filter((row) => row !== null);
  const wanted = new Set(ids);
  return (await torrents.changes(0)).changed.filter(({ id }) => wanted.has(id));
}
