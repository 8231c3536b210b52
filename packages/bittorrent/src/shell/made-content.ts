/**
 * Content that this node has just hashed to make a torrent of it: when that torrent is added to be shared from there,
 * it is not read a second time. Nothing is believed but what is still as it was when it was read: lengths and times
 * are compared as those of an earlier run are (core/resume.ts), after the files were synced.
 */
import { Bitfield, type DiskPort, type FileStat, toHex } from '@tequio/kernel';
import type { AddOptions } from '../contract.ts';
import { piecesOf } from '../core/peer-pieces.ts';
import type { ResumeChange, ResumeProgress } from '../core/resume.ts';
import type { MadeTorrent } from './creator.ts';
import type { SessionSource } from './session-source.ts';

const limits = { torrentCountMax: 16, fileCountMax: 1000 } as const;

type Made = {
  readonly folder: string;
  readonly settled: ReadonlyMap<number, FileStat>;
  readonly paths: string[];
};

export class MadeContent {
  readonly #disk: () => DiskPort;
  readonly #made = new Map<string, Made & { readonly pieceCount: number }>();

  constructor(disk: () => DiskPort) {
    this.#disk = disk;
  }

  /** @returns the torrent file */
  remember({ bytes, info, folder, modifiedMsOf }: MadeTorrent): Uint8Array {
    const settled = new Map<number, FileStat>();
    const paths: string[] = [];
    for (const file of info.files) {
      const modifiedMs = modifiedMsOf(file);
      if (modifiedMs === null) continue;
      settled.set(file.index, { bytes: file.bytes, modifiedMs });
      paths.push(file.path);
    }
    if (paths.length > limits.fileCountMax) return bytes;
    const id = toHex(info.infoHashV1 ?? info.infoHashV2!);
    this.#made.delete(id);
    this.#made.set(id, { folder, settled, paths, pieceCount: info.pieceCount });
    if (this.#made.size > limits.torrentCountMax) this.#made.delete(this.#made.keys().next().value!);
    return bytes;
  }

  /** Of a torrent that was made here of what lies there: with what is known of that. */
  async addTo(source: SessionSource, id: string, { folder, seed }: AddOptions): Promise<SessionSource> {
    const made = this.#made.get(id);
    if (made === undefined || made.folder !== folder || seed !== true || source.stored !== null)
      return source;
    this.#made.delete(id);
    for (const path of made.paths) if (!(await this.#sync(folder, path))) return source;
    const have = Bitfield.full(made.pieceCount);
    const { settled } = made;
    return {
      ...source,
      made: { have, settled, session: null, placed: new Uint8Array(0), slots: new Map() },
    };
  }

  async #sync(root: string, path: string): Promise<boolean> {
    const disk = this.#disk();
    const file = disk.register({ root, path });
    try {
      // An empty file has nothing to sync, and one that is gone is found out when the torrent opens.
      if (((await disk.stat(file))?.bytes ?? 0) > 0) await disk.sync(file);
      return true;
    } catch {
      return false;
    } finally {
      await disk.forget(file);
    }
  }
}

/** To be recorded before anything is checked: what is doubted now is doubted after a restart too. */
export function changeOfMade({ have, settled }: ResumeProgress): ResumeChange {
  return {
    kept: [...piecesOf(have)],
    settled: [...settled].map(([file, as]) => ({ file, as })),
  };
}
