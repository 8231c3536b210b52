/**
 * Which files of a torrent are settled: on the device, and not written to since, with the length and time that they
 * had then. See core/resume.ts for what this proves at the next start. The part file counts as a file.
 */
import { type Clock, type DiskPort, type FileId, NodeError, type Timer } from '@tequio/kernel';
import type { ResumeChange, SettledFile } from '../core/resume.ts';
import type { TorrentFiles } from './torrent-files.ts';

/** A state that no file has: what is kept in such a file is doubtful at the next start. */
const neverBelieved: SettledFile = { bytes: 0, modifiedMs: -1 };

export type SettledFilesDeps = {
  readonly disk: DiskPort;
  readonly clock: Clock;
  /** How long after a file is complete it is synced: the system has then written most of it by itself. */
  readonly delayMs: number;
  readonly files: TorrentFiles;
  /** Commits before it returns. */
  record(change: ResumeChange): void;
  /** Files in which something is still to be checked cannot be settled. */
  isDoubtful(file: number): boolean;
};

export class SettledFiles {
  readonly #deps: SettledFilesDeps;
  readonly #settled: Map<number, SettledFile>;
  /** How often each file was given to be written to in this run. */
  readonly #touches = new Map<number, number>();
  readonly #delayed = new Set<number>();
  #timer: Timer | null = null;
  #background: Promise<unknown> = Promise.resolve();
  #backgroundCount = 0;
  #isLate: () => boolean = () => false;

  constructor(remembered: ReadonlyMap<number, SettledFile>, deps: SettledFilesDeps) {
    this.#settled = new Map(remembered);
    this.#deps = deps;
  }

  has(file: number): boolean {
    return this.#settled.has(file);
  }

  /** Written to in this run. */
  isTouched(file: number): boolean {
    return this.#touches.has(file);
  }

  /** No file waits to be settled. */
  get isDone(): boolean {
    return this.#delayed.size === 0 && this.#backgroundCount === 0;
  }

  /** settled -> unsettled, recorded, because the file is about to be written to. */
  markTouched(file: number): void {
    this.#touches.set(file, (this.#touches.get(file) ?? 0) + 1);
    if (this.#settled.delete(file)) this.#deps.record({ settled: [{ file, as: null }] });
  }

  /** settled -> unsettled, for a change that the caller records. */
  markUnsettled(file: number): void {
    this.#settled.delete(file);
  }

  /** What is kept in these files will not be believed, until they are settled again. */
  markDoubted(files: readonly number[]): void {
    for (const file of files) this.#settled.set(file, neverBelieved);
    this.#deps.record({ settled: files.map((file) => ({ file, as: neverBelieved })) });
  }

  /**
   * Unsettled -> settled: syncs, then records length and time. A file that is written to meanwhile, or that cannot be
   * synced, stays unsettled: at worst it is checked at the next start.
   */
  async settle(files: readonly number[]): Promise<void> {
    const { disk, files: names, isDoubtful } = this.#deps;
    const settled: { file: number; as: SettledFile }[] = [];
    for (const file of files) {
      if (this.#isLate()) break;
      const touchCount = this.#touches.get(file);
      if (!(await trySync(disk, names.idOf(file)))) continue;
      const stat = await names.stat(file);
      if (stat === null || this.#touches.get(file) !== touchCount || isDoubtful(file)) continue;
      const as = { bytes: stat.bytes, modifiedMs: stat.modifiedMs };
      this.#settled.set(file, as);
      settled.push({ file, as });
    }
    const still = settled.filter(({ file, as }) => this.#settled.get(file) === as);
    if (still.length > 0) this.#deps.record({ settled: still });
  }

  /** The same in the background, after `delayMs` and after what was asked for before. */
  settleLater(files: readonly number[]): void {
    if (files.length === 0) return;
    const { clock, delayMs } = this.#deps;
    for (const file of files) this.#delayed.add(file);
    if (delayMs === 0) this.#settleDelayed();
    else this.#timer ??= clock.setTimer(delayMs, () => this.#settleDelayed());
  }

  #settleDelayed(): void {
    const files = [...this.#delayed];
    this.#delayed.clear();
    this.#timer = null;
    this.#backgroundCount++;
    this.#background = this.#background.then(() => this.settle(files)).finally(() => this.#backgroundCount--);
  }

  /** Waits for the background, then settles what was written to or checked in this run, until `isLate` says to stop. */
  async settleRest(isLate: () => boolean): Promise<void> {
    this.#isLate = isLate;
    this.#timer?.cancel();
    await this.#background;
    for (const file of this.#touches.keys()) if (!this.#settled.has(file)) this.#delayed.add(file);
    for (const file of this.#delayed) await this.settle([file]);
    this.#delayed.clear();
  }

  /** After a move: a copy to another device does not keep a file's time to the last digit. */
  async refresh(files: readonly number[] | null): Promise<void> {
    const changed: { file: number; as: SettledFile }[] = [];
    for (const file of files ?? [...this.#settled.keys()]) {
      const before = this.#settled.get(file);
      if (before === undefined) continue;
      const stat = await this.#deps.files.stat(file);
      const same =
        stat !== null && stat.bytes === before.bytes && Math.abs(stat.modifiedMs - before.modifiedMs) < 1;
      if (!same || stat.modifiedMs === before.modifiedMs || this.#settled.get(file) !== before) continue;
      const as = { bytes: stat.bytes, modifiedMs: stat.modifiedMs };
      this.#settled.set(file, as);
      changed.push({ file, as });
    }
    if (changed.length > 0) this.#deps.record({ settled: changed });
  }
}

async function trySync(disk: DiskPort, id: FileId): Promise<boolean> {
  try {
    await disk.sync(id);
    return true;
  } catch (error) {
    if (error instanceof NodeError) return false;
    throw error;
  }
}
