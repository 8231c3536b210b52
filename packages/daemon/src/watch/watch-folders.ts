/** Folders in which torrent files appear: each is added, once it is whole, and then put aside. */
import { join } from 'node:path';
import type { AddTorrent, ManagementEvent, Settings, TorrentSource } from '@tequio/api';
import { type Clock, type Log, NodeError, tryDecodeUtf8 } from '@tequio/kernel';
import type { FolderEntry } from '@tequio/runtime';
import { pause } from '../supervise/supervisor.ts';

export const watchLimits = {
  lookMs: 2000,
  /** A file that has not changed for so long is whole. */
  settledMs: 1000,
  fileCountMax: 10_000,
  torrentBytesMax: 64 << 20,
  magnetBytesMax: 100_000,
} as const;

type WatchSettings = Settings['watch'][number];

export type WatchDeps = {
  readonly clock: Clock;
  readonly log: Log;
  settings(): readonly WatchSettings[];
  list(folder: string): Promise<readonly FolderEntry[]>;
  read(path: string, bytesMax: number): Promise<Uint8Array>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  add(torrent: AddTorrent): Promise<{ readonly id: string }>;
  emit(event: ManagementEvent): void;
};

/** A file as it was when it was dealt with: only another one under this name is looked at again. */
type Known = { readonly bytes: number; readonly modifiedMs: number };

export class WatchFolders {
  readonly #deps: WatchDeps;
  readonly #known = new Map<string, Known>();

  constructor(deps: WatchDeps) {
    this.#deps = deps;
  }

  /** @throws NodeError of a folder that cannot be read: it is tried again later */
  async run(signal: AbortSignal): Promise<void> {
    do {
      for (const watch of this.#deps.settings()) await this.#look(watch);
    } while (await pause(watchLimits.lookMs, this.#deps.clock, signal));
  }

  async #look(watch: WatchSettings): Promise<void> {
    for (const entry of await this.#deps.list(watch.path)) {
      const path = join(watch.path, entry.name);
      if (!/\.(?:torrent|magnet)$/i.test(entry.name) || this.#isKnown(path, entry)) continue;
      const ageMs = this.#deps.clock.wallMs() - entry.modifiedMs;
      // A time in the future is a clock that is wrong, not a file that is being written.
      if (ageMs >= 0 && ageMs < watchLimits.settledMs) continue;
      this.#known.set(path, entry);
      await this.#take(path, watch);
    }
  }

  #isKnown(path: string, { bytes, modifiedMs }: FolderEntry): boolean {
    const known = this.#known.get(path);
    return known !== undefined && known.bytes === bytes && known.modifiedMs === modifiedMs;
  }

  async #take(path: string, { folder, category, tags, paused, action }: WatchSettings): Promise<void> {
    const { log } = this.#deps;
    try {
      const source = await this.#read(path);
      const { id } = await this.#deps.add({
        source,
        tags,
        paused,
        ...(folder === null ? {} : { folder }),
        ...(category === null ? {} : { category }),
      });
      this.#deps.emit({ type: 'node.watch.added', torrent: id, path });
      if (action === 'rename') await this.#deps.rename(path, `${path}.added`);
      if (action === 'delete') await this.#deps.remove(path);
    } catch (error) {
      log.warn('watch.refused', { path, message: error instanceof Error ? error.message : String(error) });
    }
  }

  async #read(path: string): Promise<TorrentSource> {
    if (/\.torrent$/i.test(path))
      return { torrent: await this.#deps.read(path, watchLimits.torrentBytesMax) };
    const text = tryDecodeUtf8(await this.#deps.read(path, watchLimits.magnetBytesMax))?.trim() ?? '';
    if (!/^magnet:\?\S+$/i.test(text)) throw new NodeError('WATCH_MAGNET', `${path} holds no magnet link.`);
    return { magnet: text };
  }
}
