/** What the storage of a torrent is given: where things are, what is remembered, and how to remember more. */
import type { Clock, DiskPort, NodeError } from '@tequio/kernel';
import type { ResumeChange, ResumeProgress } from '../core/resume.ts';
import type { FilesAhead, PendingMove } from '../core/resume-record.ts';
import type { TorrentInfo } from '../wire/torrent-info.ts';

/** Where the files are: part of the torrent's record. */
export type StoragePlace = {
  readonly folder: string;
  readonly renamed: ReadonlyMap<number, string>;
  /** Files that have gone before the others; null: none. */
  readonly ahead: FilesAhead | null;
  readonly pendingMove: PendingMove | null;
};

export type TorrentStorageOptions = {
  readonly info: TorrentInfo;
  /** `TorrentId`. */
  readonly id: string;
  readonly place: StoragePlace;
  /** The node's own folder for part files. */
  readonly partsFolder: string;
  /** One a file, 0 to 7; empty: all normal. */
  readonly filePriorities: ArrayLike<number>;
  /** As the store has it; null: a new torrent. */
  readonly progress: ResumeProgress | null;
  /** Changes with every start of the machine. */
  readonly bootId: string;
  /** How long after a file is complete it is synced; by default at once. */
  readonly settleDelayMs?: number;
};

export type TorrentStorageDeps = {
  readonly disk: DiskPort;
  readonly clock: Clock;
  /** Commits before it returns: `ResumeStore.applyChange` of this torrent, whose record was saved before. */
  record(change: ResumeChange): void;
  /** Commits the place as part of the torrent's record before it returns. */
  savePlace(place: StoragePlace): void;
  /** See `FileMovesDeps`. */
  stuck(error: NodeError): void;
};

/** Half a minute is when systems write what is left in memory by themselves: a sync then costs little. */
export const settleDelayMs = 30_000;
