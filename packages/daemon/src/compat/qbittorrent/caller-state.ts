import type { ListedTorrent, ShareGoal, TorrentId } from '@tequio/api';
import type { CompatCaller, CompatPorts } from '../compat-caller.ts';
import { compatLimits } from '../compat-limits.ts';
import { contentFiles, rootFolder } from '../content-files.ts';
import { KnownMetainfo } from '../known-metainfo.ts';
import { TorrentNumbers } from '../torrent-numbers.ts';
import { ApiError, notFound } from './api-error.ts';
import type { Form } from './form.ts';
import type { ReadTorrents } from './read-torrents.ts';
import type { TorrentCreations } from './torrent-creations.ts';

/** What a row of the list says besides the row itself. */
export type TorrentExtras = {
  /** The folder that all files lie in; null: there is one file, or none is known yet. */
  readonly root: string | null;
  /** Of the only file; null: there are several. */
  readonly onlyFile: string | null;
  /** Of its trackers, in order. */
  readonly urls: readonly string[];
};

/** What is remembered for one caller from one request to the next. */
export class CallerState {
  readonly numbers = new TorrentNumbers();
  readonly metainfo = new KnownMetainfo();
  readonly #extras = new Map<TorrentId, { readonly of: string; readonly extras: TorrentExtras }>();

  /**
   * Looked up once, and again when the row shows that it may have changed.
   * @param rowCount in the same answer
   */
  async extrasOf({ management }: CompatCaller, row: ListedTorrent, rowCount: number): Promise<TorrentExtras> {
    const { torrents } = management;
    const isLong = rowCount > compatLimits.detailedRowCountMax;
    const of = [isLong, row.name, row.folder, row.trackerHost, row.fileCount, row.pieceCount].join('\n');
    const known = this.#extras.get(row.id);
    // What is known better already is good in a long answer too.
    if (known !== undefined && (known.of === of || (isLong && known.of === of.replace('true', 'false'))))
      return known.extras;
    const [files, trackers] = await Promise.all([
      isLong ? [] : torrents.files(row.id),
      torrents.trackers(row.id),
    ]);
    const content = contentFiles(files, row);
    const name = row.state === 'metadata' ? null : row.name;
    const extras = {
      root: isLong ? (row.fileCount > 1 ? name : null) : rootFolder(content),
      onlyFile: isLong
        ? row.fileCount > 1
          ? null
          : name
        : content.length === 1
          ? content[0]!.file.path
          : null,
      urls: trackers.map(({ url }) => url),
    };
    this.#extras.set(row.id, { of, extras });
    return extras;
  }

  /** After its files or trackers were changed from here, and when it has gone. */
  forgetExtras(ids: readonly TorrentId[]): void {
    for (const id of ids) this.#extras.delete(id);
  }
}

/** What is remembered for all callers. */
export type SharedState = { readonly torrents: ReadTorrents; readonly creations: TorrentCreations };

/** One request: who asks, with which parameters. */
export type ApiCall = {
  readonly form: Form;
  readonly caller: CompatCaller;
  readonly ports: CompatPorts;
  readonly state: CallerState;
  readonly shared: SharedState;
  /** Where a file of a torrent is served, with the permission in the address. */
  readonly contentUrl: (torrent: TorrentId, file: number, name: string) => string;
};

/** For what touches the node's own machine. @param what `look into folders of the node`. @throws ApiError 403 */
export function requireAdmin({ caller }: ApiCall, what: string): void {
  if (caller.identity.scope !== 'admin') throw new ApiError(403, `You may not ${what}.`);
}

export async function learnTorrents({ caller, state, ports }: ApiCall): Promise<void> {
  const delta = await caller.management.torrents.changes(state.numbers.version);
  state.numbers.learn(delta, ports.wallMs());
  state.forgetExtras(delta.removed);
}

/** The torrent that the parameter `hash` names. @throws ApiError 404 */
export async function torrentOf(call: ApiCall, name = 'hash'): Promise<ListedTorrent> {
  await learnTorrents(call);
  const id = call.state.numbers.idOfHash(call.form.required(name));
  const row = id === null ? null : await call.caller.management.torrents.get(id);
  if (row === null) throw notFound();
  return row;
}

/** Those that the parameter names, `|` between them or `all`; what is not there is passed over. */
export async function torrentsOf(call: ApiCall, name = 'hashes'): Promise<readonly TorrentId[]> {
  const text = call.form.required(name);
  await learnTorrents(call);
  const { numbers } = call.state;
  if (text === 'all' || text === '*') return numbers.all();
  return [...new Set(text.split('|').map((hash) => numbers.idOfHash(hash.trim())))].filter(
    (id) => id !== null,
  );
}

const actions: Readonly<Record<string, ShareGoal['action']>> = {
  Stop: 'pause',
  Remove: 'remove',
  RemoveWithContent: 'remove-with-content',
  EnableSuperSeeding: 'super-seed',
};
export const actionWords: Readonly<Record<ShareGoal['action'], string>> = {
  pause: 'Stop',
  remove: 'Remove',
  'remove-with-content': 'RemoveWithContent',
  'super-seed': 'EnableSuperSeeding',
};

/** Limits that are the node's, and that there is none, as numbers. */
export const shareLimits = { node: -2, none: -1 } as const;

/** What `ratioLimit` and its like say; null: all of them leave it to the node. @returns undefined: nothing is said */
export function shareGoalOf(form: Form, node: ShareGoal): ShareGoal | null | undefined {
  const names = ['ratioLimit', 'seedingTimeLimit', 'inactiveSeedingTimeLimit'];
  const limits = names.map((name) => form.number(name));
  const action = actions[form.text('shareLimitAction')] ?? null;
  if (limits.every((limit) => limit === null) && action === null) return undefined;
  if (limits.every((limit) => limit === null || limit <= shareLimits.node) && action === null) return null;
  const measure = (limit: number | null | undefined, own: number | null): number | null =>
    limit == null || limit <= shareLimits.node ? own : limit < 0 ? null : limit;
  const idle = measure(limits[2], node.idleMinutes);
  return {
    ratio: measure(limits[0], node.ratio),
    seedingMinutes: measure(limits[1], node.seedingMinutes),
    idleMinutes: idle === null ? null : Math.max(1, idle),
    action: action ?? node.action,
  };
}
