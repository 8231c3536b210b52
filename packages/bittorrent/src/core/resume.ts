/**
 * What is remembered of one torrent between two runs, and what of it may be believed at start.
 *
 * A piece is recorded only after it was verified and written, so at the moment of recording the record is true. What
 * can make it false later, and the rule against it (a doubtful piece is read and hashed again; nothing is deleted):
 *
 *   the user or another program changed, cut or removed the file   length and time of a *settled* file must be
 *                                                                   exactly as remembered
 *   the computer lost power: written bytes may never have           files that were not settled, and the boot is
 *     reached the device                                             another one: doubtful
 *   our process was killed                                          the system still writes what it was given, so
 *                                                                   the bytes are there: not doubtful, as long as
 *                                                                   the time of the file lies within that run
 *
 * A file is settled when its bytes are on the device (fdatasync) and nothing was written since: the driver settles a
 * file half a minute after it is complete and at an orderly close, and records its length and time then. The first
 * piece that is recorded for it after that unsettles it, in the same transaction. There is no sync for a single piece:
 * it would cost more than downloading it again, and only a power failure can tell the difference.
 *
 * What is not detected: a change that leaves length and time as they were, or one made to an unsettled file during
 * the run that was killed (or within `graceMs` after it). A full recheck finds both.
 */
import { Bitfield, type FileStat } from '@tequio/kernel';
import type { FileMap } from './file-map.ts';
import type { SlotChange } from './part-file.ts';

export const resumeLimits = {
  /** A store that was on its way when the last transaction was made is done this soon, or its file is doubtful. */
  graceMs: 10_000,
  /** The coarsest clock of a file system in use (FAT) has steps of two seconds. */
  clockStepMs: 2000,
} as const;

/** The part file, among files that are known by index. */
export const partFileIndex = -1;

/** One run of the program, as the record knows it. Times are wall clock, in ms. */
export type ResumeSession = {
  /** Changes with every start of the machine. */
  readonly bootId: string;
  readonly startedMs: number;
  /** When the run last recorded something. */
  readonly aliveMs: number;
};

/** Length and time of a settled file. */
export type SettledFile = { readonly bytes: number; readonly modifiedMs: number };

/** What is recorded about the content of one torrent. */
export type ResumeProgress = {
  readonly have: Bitfield;
  /** By file index, or {@link partFileIndex}. A file that is not here was being written, or is not there. */
  readonly settled: ReadonlyMap<number, SettledFile>;
  /** The run that wrote last; null: none has. */
  readonly session: ResumeSession | null;
  /** A bit a file: its place is the part file. Empty: none, or not decided yet. */
  readonly placed: Uint8Array;
  /** Slots of the part file, by piece. */
  readonly slots: ReadonlyMap<number, number>;
};

/** A change of {@link ResumeProgress}, recorded as a whole or not at all. */
export type ResumeChange = {
  readonly kept?: readonly number[];
  readonly lost?: readonly number[];
  readonly slots?: readonly SlotChange[];
  /** `as` null: not settled any more. */
  readonly settled?: readonly { readonly file: number; readonly as: SettledFile | null }[];
  readonly placed?: Uint8Array;
  readonly session?: ResumeSession;
};

export type Doubt = {
  readonly file: number;
  readonly reason: 'missing' | 'short' | 'changed' | 'unsettled';
};

export type ResumeVerdict = {
  readonly believed: Bitfield;
  /** Recorded, but to be read and hashed again before anybody hears of them. */
  readonly doubtful: Bitfield;
  readonly doubts: readonly Doubt[];
};

/** Where a piece's bytes are: the runs that must be there for it. Null: they are nowhere. */
export type PlacesOf = (
  piece: number,
) => readonly { readonly file: number; readonly offset: number; readonly bytes: number }[] | null;

/**
 * Judges a record against what is on the disk. Cost: one step for each file of each recorded piece.
 *
 * @param statOf length and time of a file now; null: there is none. Asked once a file
 * @param placesOf by default the piece's own files; with a part file, see `TorrentStorage`
 */
export function judgeResume(
  map: FileMap,
  progress: ResumeProgress,
  statOf: (file: number) => FileStat | null,
  bootId: string,
  placesOf: PlacesOf = (piece) => map.pieceSlices(piece).filter((slice) => !slice.pad),
): ResumeVerdict {
  const { have } = progress;
  const believed = new Bitfield(have.bitCount);
  const doubtful = new Bitfield(have.bitCount);
  const judge = new FileJudge(progress, statOf, bootId);
  for (let piece = have.nextSet(0); piece >= 0; piece = have.nextSet(piece + 1)) {
    const places = placesOf(piece);
    const isBelieved =
      places?.every((place) => judge.isBelieved(place.file, place.offset + place.bytes)) ?? false;
    (isBelieved ? believed : doubtful).set(piece);
  }
  return { believed, doubtful, doubts: judge.doubts };
}

/** Judges each file once. */
class FileJudge {
  readonly doubts: Doubt[] = [];
  readonly #progress: ResumeProgress;
  readonly #statOf: (file: number) => FileStat | null;
  readonly #bootId: string;
  /** Bytes from the start of the file that are as they should be. */
  readonly #believedBytes = new Map<number, number>();

  constructor(progress: ResumeProgress, statOf: (file: number) => FileStat | null, bootId: string) {
    this.#progress = progress;
    this.#statOf = statOf;
    this.#bootId = bootId;
  }

  isBelieved(file: number, end: number): boolean {
    let bytes = this.#believedBytes.get(file);
    if (bytes === undefined) {
      const stat = this.#statOf(file);
      const reason = stat === null ? 'missing' : this.#doubtOf(file, stat);
      if (reason !== null) this.doubts.push({ file, reason });
      bytes = stat === null || reason !== null ? 0 : stat.bytes;
      this.#believedBytes.set(file, bytes);
    }
    return end <= bytes;
  }

  #doubtOf(file: number, stat: FileStat): Doubt['reason'] | null {
    const settled = this.#progress.settled.get(file);
    if (settled !== undefined) {
      if (stat.bytes < settled.bytes) return 'short';
      return stat.bytes === settled.bytes && stat.modifiedMs === settled.modifiedMs ? null : 'changed';
    }
    const { session } = this.#progress;
    if (session === null || session.bootId !== this.#bootId) return 'unsettled';
    const from = session.startedMs - resumeLimits.clockStepMs;
    const until = session.aliveMs + resumeLimits.graceMs;
    return stat.modifiedMs >= from && stat.modifiedMs <= until ? null : 'changed';
  }
}
