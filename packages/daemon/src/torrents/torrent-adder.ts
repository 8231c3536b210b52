/** How a torrent comes into the node: where its content goes, whose it is, whether it runs at once. */
import { isAbsolute, join, resolve, sep } from 'node:path';
import type {
  AddedTorrent,
  AddOptions,
  AddTorrent,
  BittorrentApi,
  Identity,
  Settings,
  ShownTorrent,
  TorrentId,
  TorrentSource,
} from '@tequio/api';
import { type Clock, NodeError } from '@tequio/kernel';
import { ownerName } from '../users/rights.ts';
import type { Caretaker } from './caretaker.ts';
import { bookLimits } from './limits.ts';
import { LookedInside } from './looked-inside.ts';
import { checkTags, missingCategory, type Places } from './places.ts';
import type { TorrentBook } from './torrent-book.ts';
import { emptyNote, type TorrentNote } from './torrent-note.ts';

/** What somebody may have. */
export type Allowance = {
  /** Content goes in here only; null: anywhere. */
  readonly folder: string | null;
  readonly quotaBytes: number | null;
  readonly torrentCountMax: number | null;
};

export type AdderDeps = {
  readonly engine: BittorrentApi;
  readonly book: TorrentBook;
  readonly places: Places;
  readonly caretaker: Caretaker;
  readonly clock: Clock;
  settings(): Pick<Settings, 'folders' | 'bittorrent'>;
  /** Absolute; where content goes that nobody has chosen a folder for. */
  downloadFolder(): string;
  allowanceOf(who: Identity): Allowance;
};

export class TorrentAdder {
  readonly #deps: AdderDeps;
  /** Magnets whose metadata is being fetched to be looked at. */
  readonly #previews = new Map<TorrentId, { readonly shown: Promise<ShownTorrent>; end(): void }>();

  readonly #looked = new LookedInside();

  constructor(deps: AdderDeps) {
    this.#deps = deps;
  }

  /** @throws NodeError as `TorrentsApi.add` says */
  async add(torrent: AddTorrent, who: Identity): Promise<AddedTorrent> {
    const { engine, book, places, caretaker } = this.#deps;
    const shown = engine.show(torrent.source);
    const id = (shown.infoHashV1 ?? shown.infoHashV2)!;
    const note = this.#noteOf(torrent, who);
    await this.#endPreview(id);
    const known = book.entry(id);
    if (known !== null && known.note.owner !== note.owner && who.scope !== 'admin')
      throw new NodeError('TORRENT_OWNED', 'This torrent is already there, and is somebody else’s.', {
        op: 'add',
      });
    const folders = this.#foldersOf(torrent, who);
    if (known === null) {
      this.#checkQuota(shown, who);
      if (note.tags.length > 0) places.putTags(note.tags);
      const runs = !note.paused && caretaker.hasPlace(note);
      const finishedFolder = note.finishedFolder ?? folders.finished;
      // Kept before the torrent is there: whatever happens between the two, it is never without its owner.
      book.change([id], () => ({ ...note, finishedFolder, queued: !runs && !note.paused }));
      await this.#addToEngine(torrent, folders.content, !runs, note);
      book.pull();
    } else await this.#addToEngine(torrent, known.row.folder, known.row.state === 'paused', known.note);
    return { id, known: known !== null };
  }

  /** What is in it; a magnet's metadata is fetched by a torrent that nobody sees, and that is gone afterwards. */
  async preview(source: TorrentSource, timeoutMs: number): Promise<ShownTorrent> {
    const { engine } = this.#deps;
    const shown = engine.show(source);
    if (!('magnet' in source)) return shown;
    const id: TorrentId = (shown.infoHashV1 ?? shown.infoHashV2)!;
    const present = engine.row(id) === null ? null : engine.exportTorrent(id);
    if (present !== null) return engine.show({ torrent: present });
    return this.#fetchInfo(source, id, timeoutMs);
  }

  /** The .torrent of a magnet that was looked at a while ago; null: it was not. */
  previewed(id: TorrentId): Uint8Array | null {
    return this.#looked.get(id, this.#deps.clock.nowMs());
  }

  /** @throws NodeError `FOLDER_PATH`, `USER_FOLDER` */
  checkFolder(folder: string, who: Identity): void {
    if (!isAbsolute(folder) || folder.includes('\0'))
      throw new NodeError('FOLDER_PATH', `"${folder}" is not an absolute path.`, { op: 'add' });
    const allowed = this.#deps.allowanceOf(who).folder;
    if (allowed === null || isInside(folder, allowed)) return;
    throw new NodeError('USER_FOLDER', `Content of ${who.user} must be in ${allowed}.`, { op: 'add' });
  }

  #fetchInfo(source: TorrentSource, id: TorrentId, timeoutMs: number): Promise<ShownTorrent> {
    const known = this.#previews.get(id);
    if (known !== undefined) return known.shown;
    const end = new AbortController();
    const shown = this.#fetchHidden(source, id, timeoutMs, end.signal).finally(() =>
      this.#previews.delete(id),
    );
    this.#previews.set(id, { shown, end: () => end.abort() });
    return shown;
  }

  async #fetchHidden(
    source: TorrentSource,
    id: TorrentId,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<ShownTorrent> {
    const { engine, book } = this.#deps;
    const isThere = book.entry(id) !== null;
    const metadata = this.#waitForMetadata(id, timeoutMs, signal);
    if (isThere) return metadata;
    book.hide(id);
    try {
      // Nothing of it is wanted, so that nothing is written.
      await engine.add(source, { folder: this.#deps.downloadFolder(), select: [nothing] });
      return await metadata;
    } finally {
      metadata.catch(() => undefined);
      await engine.remove(id);
      book.unhide(id);
    }
  }

  #waitForMetadata(id: TorrentId, timeoutMs: number, signal: AbortSignal): Promise<ShownTorrent> {
    const { engine, clock } = this.#deps;
    return new Promise((settle, fail) => {
      const giveUp = (): void => {
        end();
        const message = 'Nobody has told what is in this torrent yet.';
        fail(new NodeError('PREVIEW_TIMEOUT', message, { op: 'preview', retry: true }));
      };
      const timer = clock.setTimer(Math.min(timeoutMs, bookLimits.previewMs), giveUp);
      const stop = engine.subscribe((event) => {
        const torrent =
          event.type === 'bittorrent.torrent.metadata' && event.torrent === id
            ? engine.exportTorrent(id)
            : null;
        if (torrent === null) return;
        end();
        this.#looked.keep(id, torrent, clock.nowMs());
        settle(engine.show({ torrent }));
      });
      const end = (): void => {
        timer.cancel();
        stop();
        signal.removeEventListener('abort', giveUp);
      };
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Whoever adds a torrent goes before those who look at it. */
  async #endPreview(id: TorrentId): Promise<void> {
    const preview = this.#previews.get(id);
    preview?.end();
    await preview?.shown.catch(() => undefined);
  }

  #noteOf(torrent: AddTorrent, who: Identity): TorrentNote {
    const { places, book, clock } = this.#deps;
    const category = torrent.category ?? null;
    if (category !== null && !places.hasCategory(category)) throw missingCategory(category);
    return {
      ...emptyNote,
      category,
      tags: checkTags(torrent.tags ?? []),
      owner: ownerName(who),
      addedAtMs: clock.wallMs(),
      rank: book.rankAt(torrent.toTopOfQueue === true ? 'top' : 'bottom'),
      paused: torrent.paused ?? false,
      forced: torrent.forced ?? false,
      shareGoal: torrent.shareGoal ?? null,
      edgesFirst: torrent.edgesFirst ?? false,
      finishedFolder: torrent.finishedFolder ?? null,
      comment: torrent.comment ?? null,
    };
  }

  #foldersOf(
    torrent: AddTorrent,
    who: Identity,
  ): { readonly content: string; readonly finished: string | null } {
    const { places, downloadFolder } = this.#deps;
    const { incomplete, finished } = this.#deps.settings().folders;
    const category = torrent.category ?? null;
    const own = this.#deps.allowanceOf(who).folder;
    const final = torrent.folder ?? places.folderOf(category, 'folder') ?? own ?? downloadFolder();
    this.checkFolder(final, who);
    const after = places.folderOf(category, 'finishedFolder') ?? (own === null ? finished : null);
    // Content that is said to be there already is where it is.
    if (torrent.seed === true || incomplete === null || own !== null)
      return { content: final, finished: after };
    return { content: incomplete, finished: after ?? final };
  }

  #checkQuota(shown: ShownTorrent, who: Identity): void {
    const { quotaBytes, torrentCountMax } = this.#deps.allowanceOf(who);
    if (quotaBytes === null && torrentCountMax === null) return;
    let [bytes, count] = [shown.totalBytes, 1];
    for (const { note, row } of this.#deps.book.entries()) {
      if (note.owner !== who.user) continue;
      bytes += row.wantedBytes;
      count++;
    }
    if (quotaBytes !== null && bytes > quotaBytes)
      throw new NodeError('USER_QUOTA', `${who.user} may have ${quotaBytes} bytes, and would have ${bytes}.`);
    if (torrentCountMax !== null && count > torrentCountMax)
      throw new NodeError('USER_QUOTA', `${who.user} may have ${torrentCountMax} torrents, and has them.`);
  }

  /** Of a magnet that was looked at the metadata is here, with the trackers and web seeds that it names. */
  #knownSource({ source, peers = [] }: AddTorrent): Pick<AddTorrent, 'source' | 'peers'> {
    if (!('magnet' in source)) return { source, peers };
    const { engine, clock } = this.#deps;
    const { infoHashV1, infoHashV2 } = engine.show(source);
    const torrent = this.#looked.take((infoHashV1 ?? infoHashV2)!, clock.nowMs());
    return torrent === null
      ? { source, peers }
      : { source: { torrent }, peers: [...peers, ...peersOf(source.magnet)] };
  }

  async #addToEngine(torrent: AddTorrent, folder: string, paused: boolean, note: TorrentNote): Promise<void> {
    const { engine } = this.#deps;
    const { select, sequential, seed, limitDown, limitUp, superSeed, preallocate, trackers } = torrent;
    const { source, peers } = this.#knownSource(torrent);
    const options = {
      select,
      sequential,
      seed,
      peers,
      limitDown,
      limitUp,
      superSeed,
      trackers,
      preallocate: preallocate ?? this.#deps.settings().bittorrent.preallocate,
      filePriorities: torrent.filePriorities,
      name: torrent.name,
      category: note.category,
      folder: resolve(folder),
      paused,
    };
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const id = await engine.add(source, given as unknown as AddOptions);
    if (note.edgesFirst) await engine.setEdgesFirst(id, true);
  }
}

/** Of a magnet's `x.pe`: whom it names to be asked. */
function peersOf(magnet: string): string[] {
  return new URLSearchParams(magnet.slice(magnet.indexOf('?') + 1)).getAll('x.pe').slice(0, 100);
}

/** A pattern that no path matches. */
const nothing = '\u0000';

function isInside(folder: string, outer: string): boolean {
  const [inner, around] = [resolve(folder), resolve(outer)];
  return inner === around || inner.startsWith(around.endsWith(sep) ? around : join(around, sep));
}
