/**
 * Where the files of one torrent are to be. Each move is recorded before it is begun, and one that was interrupted is
 * ended at the next start.
 */
import type { NodeError } from '@tequio/kernel';
import type { PendingMove } from '../core/resume-record.ts';
import type { SettledFiles } from './settled-files.ts';
import type { TorrentFiles } from './torrent-files.ts';
import type { StoragePlace } from './torrent-storage-options.ts';

export type FileMovesDeps = {
  readonly files: TorrentFiles;
  readonly settled: SettledFiles;
  savePlace(place: StoragePlace): void;
  /** A complete file has to stay where it is, for the present. */
  stuck(error: NodeError): void;
};

export class FileMoves {
  readonly #deps: FileMovesDeps;
  /** Complete, and could not go: not tried again in this run, until the whole torrent moves. */
  readonly #stuck = new Set<number>();

  constructor(deps: FileMovesDeps) {
    this.#deps = deps;
  }

  /** All files, some, or one. @throws NodeError DISK_* of moves that are all or nothing */
  async run(move: PendingMove): Promise<void> {
    const { files, settled } = this.#deps;
    this.#savePlace(move);
    try {
      if ('file' in move) await files.rename(move.file, move.path);
      else if (!('files' in move)) await files.moveAll(move.folder);
      else await this.#sendAhead(move.files, move.folder);
    } finally {
      this.#savePlace(null);
    }
    await settled.refresh('file' in move ? [move.file] : 'files' in move ? move.files : null);
  }

  /** To where the torrent will be; those that went before them say where, until all are there. */
  async sendAhead(complete: readonly number[], folder: string): Promise<void> {
    const { files } = this.#deps;
    const to = files.ahead?.folder ?? folder;
    const going = complete.filter(
      (file) => files.isReal(file) && files.rootOf(file) !== to && !this.#stuck.has(file),
    );
    if (going.length > 0) await this.run({ folder: to, files: going });
  }

  async #sendAhead(going: readonly number[], folder: string): Promise<void> {
    for (const [file, error] of await this.#deps.files.sendAhead(going, folder)) {
      this.#stuck.add(file);
      this.#deps.stuck(error);
    }
  }

  #savePlace(pendingMove: PendingMove | null): void {
    const { folder, renamed, ahead } = this.#deps.files;
    this.#deps.savePlace({ folder, renamed, ahead, pendingMove });
  }
}
