/**
 * Carries out what is decided about torrents: who runs and who waits, what happens when one is complete and when it was
 * shared enough. Looks once a second, and at once when the user has changed something.
 */
import type { BittorrentApi, ManagementEvent, Settings, ShareGoal, TorrentId } from '@tequio/api';
import type { Clock, Log } from '@tequio/kernel';
import { goalOf, reachedMeasure, type ShareMeasure } from './share-judge.ts';
import { SlowWatch } from './slow-watch.ts';
import { type BookEntry, isComplete, ratioOf, seedingMsOf, type TorrentBook } from './torrent-book.ts';
import { decideQueue, type QueueItem, type QueueLimits } from './torrent-queue.ts';

const shareLookMs = 10_000;
/** Times spent are kept this often; so much of them a crash can take. */
const keepTimesMs = 300_000;

export type CaretakerDeps = {
  readonly engine: Pick<
    BittorrentApi,
    'pause' | 'resume' | 'remove' | 'setSuperSeed' | 'setCategory' | 'setFilesFolder'
  >;
  readonly book: TorrentBook;
  readonly clock: Clock;
  readonly log: Log;
  settings(): Pick<Settings, 'queue' | 'sharing'>;
  isPaused(): boolean;
  /** Of a category (and those around it) and of a tracker, nearest first. */
  goalsFor(entry: BookEntry): readonly (ShareGoal | null)[];
  /** See `Places.limitClassOf`. */
  limitClassOf(entry: BookEntry): string | null;
  /** Where each of its files goes when it is complete, before the others; null: they wait for each other. */
  filesFolderOf(entry: BookEntry): string | null;
  /** What is to happen when one is complete; rejects when it could not, and is asked again at the next start. */
  finish(entry: BookEntry): Promise<void>;
  emit(event: ManagementEvent): void;
};

export class Caretaker {
  readonly #deps: CaretakerDeps;
  readonly #slow = new SlowWatch();
  /** What the engine was told and has not done yet. */
  readonly #turning = new Map<TorrentId, 'run' | 'wait'>();
  readonly #finishing = new Set<TorrentId>();
  /** What the engine was told in this run, of torrents that are not complete. */
  readonly #filesFolders = new Map<TorrentId, string | null>();
  #sharedAtMs = Number.NEGATIVE_INFINITY;
  #keptAtMs: number;

  constructor(deps: CaretakerDeps) {
    this.#deps = deps;
    this.#keptAtMs = deps.clock.nowMs();
  }

  /** Once a second. */
  tick(): void {
    const { book, clock } = this.#deps;
    const nowMs = clock.nowMs();
    book.pull();
    for (const entry of book.takeTurned()) this.#handleTurned(entry);
    this.settle();
    if (nowMs - this.#sharedAtMs >= shareLookMs) {
      this.#sharedAtMs = nowMs;
      this.#judgeShares(nowMs);
    }
    const isTimeToKeep = nowMs - this.#keptAtMs >= keepTimesMs;
    if (isTimeToKeep) this.#keptAtMs = nowMs;
    book.flush(isTimeToKeep);
  }

  /** After a start: what an earlier run has left undone is done. */
  resumeFinishing(): void {
    for (const entry of this.#deps.book.entries()) if (entry.note.finishing) void this.#finish(entry);
  }

  /** Makes the queue hold now. */
  settle(): void {
    const { book, clock } = this.#deps;
    const nowMs = clock.nowMs();
    const { slowRate } = this.#deps.settings().queue;
    const limits = this.#limits();
    const seedsAreFree = !limits.isPaused && limits.activeSeeds === null && limits.activeTotal === null;
    const items: QueueItem[] = [];
    for (const entry of book.entries()) {
      // Nothing is to be decided about those that run and take nobody's place, which are most.
      if (seedsAreFree && entry.row.state === 'seeding' && !this.#turning.has(entry.id)) continue;
      if (entry.note.paused) this.#slow.forget(entry.id);
      else items.push(this.#itemOf(entry, slowRate, nowMs));
    }
    const { run, wait } = decideQueue(items, limits);
    for (const id of wait) this.#hold(book.entry(id)!);
    for (const id of run) this.#release(book.entry(id)!);
  }

  /** Whether a torrent that is not there yet could run at once. */
  hasPlace(item: { readonly rank: number; readonly forced: boolean }): boolean {
    const { book, clock, settings } = this.#deps;
    const nowMs = clock.nowMs();
    const items: QueueItem[] = [
      { id: '', complete: false, sinceMs: nowMs, running: false, slow: false, ...item },
    ];
    const { slowRate } = settings().queue;
    for (const entry of book.entries()) {
      if (!entry.note.paused) items.push(this.#itemOf(entry, slowRate, nowMs));
    }
    return decideQueue(items, this.#limits()).run.includes('');
  }

  #limits(): QueueLimits {
    return { ...this.#deps.settings().queue, isPaused: this.#deps.isPaused() };
  }

  #itemOf({ id, row, note }: BookEntry, slowRate: number, nowMs: number): QueueItem {
    const turning = this.#turning.get(id);
    const running = turning === undefined ? row.state !== 'paused' : turning === 'run';
    const complete = isComplete(row);
    const isMoving = row.state === 'downloading' || row.state === 'seeding' || row.state === 'metadata';
    const rate = complete ? row.upRate : row.downRate;
    this.#slow.note(id, running && isMoving ? rate : null, slowRate, nowMs);
    return {
      id,
      complete,
      rank: note.rank,
      sinceMs: note.finishedAtMs ?? note.addedAtMs,
      forced: note.forced,
      running,
      slow: row.state === 'error' || this.#slow.isSlow(id, nowMs),
    };
  }

  #hold(entry: BookEntry): void {
    this.#deps.book.mark(entry, { queued: true });
    this.#turn(entry.id, 'wait');
  }

  #release(entry: BookEntry): void {
    this.#deps.book.mark(entry, { queued: false });
    this.#turn(entry.id, 'run');
  }

  #turn(id: TorrentId, to: 'run' | 'wait'): void {
    const { engine, log } = this.#deps;
    this.#turning.set(id, to);
    const done = (): void => {
      if (this.#turning.get(id) === to) this.#turning.delete(id);
    };
    // What is marked must be kept first: else a crash between the two would leave a pause that nobody wished.
    this.#deps.book.flush();
    (to === 'run' ? engine.resume(id) : engine.pause(id)).then(done, (error: unknown) => {
      done();
      log.warn('queue.turn', { torrent: id, to, message: messageOf(error) });
    });
  }

  /** Makes the engine count it together with those that it has limits in common with. */
  place(entry: BookEntry): void {
    const wanted = this.#deps.limitClassOf(entry);
    if (entry.row.category !== wanted) this.#deps.engine.setCategory(entry.id, wanted);
    this.placeFiles(entry);
  }

  /** Makes its files go where they are to go; what is complete goes as a whole. */
  placeFiles(entry: BookEntry): void {
    if (isComplete(entry.row)) {
      this.#filesFolders.delete(entry.id);
      return;
    }
    const wanted = this.#deps.filesFolderOf(entry);
    if (this.#filesFolders.get(entry.id) === wanted) return;
    this.#filesFolders.set(entry.id, wanted);
    this.#deps.engine.setFilesFolder(entry.id, wanted);
  }

  /** After the settings, or a category's folders, have changed. */
  placeAllFiles(): void {
    for (const entry of this.#deps.book.entries()) this.placeFiles(entry);
  }

  #handleTurned(entry: BookEntry): void {
    const { row, note } = entry;
    this.place(entry);
    if (row.state === 'checking' || row.wantedBytes === 0 || !isComplete(row)) return;
    if (note.finishedAtMs !== null) return;
    // Content that was there before is complete, and has not been finished here.
    const finishing = row.downloadedBytes > 0;
    this.#deps.book.mark(entry, { finishedAtMs: this.#deps.clock.wallMs(), finishing });
    if (finishing) void this.#finish(entry);
  }

  async #finish(entry: BookEntry): Promise<void> {
    const { book, log } = this.#deps;
    const { id } = entry;
    if (this.#finishing.has(id)) return;
    this.#finishing.add(id);
    try {
      book.flush();
      await this.#deps.finish(entry);
      if (book.entry(id) !== null) book.mark(entry, { finishing: false });
    } catch (error) {
      log.error('torrent.finish', { torrent: id, message: messageOf(error) });
    } finally {
      this.#finishing.delete(id);
    }
  }

  #judgeShares(nowMs: number): void {
    const { book, clock } = this.#deps;
    const { sharing } = this.#deps.settings();
    for (const entry of [...book.entries()]) {
      const { row, note } = entry;
      if (row.state !== 'seeding' || note.forced || note.shared || note.finishing) continue;
      const goal = goalOf([note.shareGoal, ...this.#deps.goalsFor(entry), sharing])!;
      const quietSinceMs = Math.max(row.activeAtMs ?? 0, note.finishedAtMs ?? note.addedAtMs);
      const seedingMs = seedingMsOf(entry, nowMs);
      const measure = reachedMeasure(goal, {
        ratio: ratioOf(row),
        seedingMs,
        // A clock that was set forward is no time in which nobody came.
        idleMs: Math.min(clock.wallMs() - quietSinceMs, seedingMs),
      });
      if (measure !== null) this.#endSharing(entry, goal, measure);
    }
  }

  #endSharing(entry: BookEntry, goal: ShareGoal, measure: ShareMeasure): void {
    const { engine, book, log } = this.#deps;
    const { id } = entry;
    const { action } = goal;
    book.mark(entry, { shared: true, ...(action === 'pause' ? { paused: true } : {}) });
    book.flush();
    this.#deps.emit({ type: 'node.share-goal.reached', torrent: id, measure });
    const acts: Record<ShareGoal['action'], () => Promise<void>> = {
      pause: () => engine.pause(id),
      remove: () => engine.remove(id),
      'remove-with-content': () => engine.remove(id, { removeContent: true }),
      'super-seed': async () => engine.setSuperSeed(id, true),
    };
    acts[action]().catch((error: unknown) => {
      log.error('share-goal.act', { torrent: id, action, message: messageOf(error) });
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
