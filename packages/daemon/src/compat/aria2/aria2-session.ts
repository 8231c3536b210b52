import type { ListedTorrent, TorrentId } from '@tequio/api';
import type { CompatCaller, CompatPorts } from '../compat-caller.ts';
import { Aria2Error } from './aria2-error.ts';
import type { Aria2Struct } from './aria2-status.ts';
import { Gids } from './gids.ts';

/** How many removed downloads are still told of. */
const removedCountMax = 1000;

/** What is remembered for one caller from one call to the next. */
export class Aria2Session {
  readonly gids = new Gids();
  /** What was removed from here, as it was then, oldest first, until it is purged. */
  readonly removed = new Map<string, Aria2Struct>();
  readonly #listeners = new Set<(name: string, gid: string) => void>();

  rememberRemoved(gid: string, status: Aria2Struct): void {
    this.removed.delete(gid);
    this.removed.set(gid, {
      ...status,
      status: 'removed',
      downloadSpeed: '0',
      uploadSpeed: '0',
      errorCode: '31',
    });
    const [oldest] = this.removed.keys();
    if (oldest !== undefined && this.removed.size > removedCountMax) this.removed.delete(oldest);
  }

  /** Something has happened that was asked for here, and of which the node itself says nothing. */
  tell(name: string, gid: string): void {
    for (const listener of this.#listeners) listener(name, gid);
  }

  onTold(listener: (name: string, gid: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** One call, its token taken away. */
export type Aria2Call = {
  readonly params: readonly unknown[];
  readonly caller: CompatCaller;
  readonly session: Aria2Session;
  readonly ports: CompatPorts;
};

export type Aria2Method = (call: Aria2Call) => Promise<unknown>;

export async function learnGids({ caller, session }: Aria2Call): Promise<void> {
  session.gids.learn(await caller.management.torrents.changes(session.gids.version));
}

export function textParam({ params }: Aria2Call, index: number): string {
  const value = params[index];
  if (typeof value !== 'string') throw new Aria2Error(`The parameter at ${index} is required but missing.`);
  return value;
}

export function numberParam({ params }: Aria2Call, index: number): number {
  const value = params[index];
  if (!Number.isSafeInteger(value)) throw new Aria2Error(`The parameter at ${index} has wrong type.`);
  return value as number;
}

/** An optional list of names. */
export function namesParam({ params }: Aria2Call, index: number): readonly string[] {
  const value = params[index] ?? [];
  if (!Array.isArray(value)) throw new Aria2Error(`The parameter at ${index} has wrong type.`);
  return value.map(String);
}

/** The download that the first parameter names. @throws Aria2Error */
export async function rowParam(call: Aria2Call): Promise<ListedTorrent> {
  const gid = textParam(call, 0);
  const id = await idOf(call, gid);
  const row = id === null ? null : await call.caller.management.torrents.get(id);
  if (row === null) throw new Aria2Error(`GID ${gid} is not found`);
  return row;
}

export async function idOf(call: Aria2Call, gid: string): Promise<TorrentId | null> {
  await learnGids(call);
  return call.session.gids.idOf(gid);
}

/** All of them; those that wait in the order in which they will start. */
export async function allRows(call: Aria2Call): Promise<readonly ListedTorrent[]> {
  await learnGids(call);
  const { changed } = await call.caller.management.torrents.changes(0);
  return changed.toSorted(
    (a, b) => (a.queuePosition ?? 1e9) - (b.queuePosition ?? 1e9) || a.addedAtMs - b.addedAtMs,
  );
}
