/** The files of one torrent as the disk port knows them: ids by index, names, lengths, moving and renaming. */
import {
  assert,
  type DiskFault,
  type DiskFaultCode,
  type DiskJob,
  type DiskPort,
  type FileId,
  type FileRef,
  type FileStat,
  NodeError,
} from '@tequio/kernel';
import { partFileIndex } from '../core/resume.ts';
import { type FilesAhead, isSafePath } from '../core/resume-record.ts';
import { foldedPath } from '../wire/file-name.ts';
import type { TorrentInfo } from '../wire/torrent-info.ts';

/** Files that are looked at at once. */
const looksAtOnce = 32;

const faultCodes: Readonly<Record<string, DiskFaultCode>> = {
  DISK_FULL: 'full',
  DISK_DENIED: 'denied',
  DISK_MISSING: 'missing',
  DISK_NOT_A_FILE: 'not-a-file',
};

type StoreJob = Extract<DiskJob, { kind: 'store' }>;

export class TorrentFiles {
  readonly #info: TorrentInfo;
  readonly #disk: DiskPort;
  readonly #partRef: FileRef;
  readonly #renamed: Map<number, string>;
  readonly #ids = new Map<number, FileId>();
  readonly #indexes = new Map<FileId, number>();
  #folder: string;
  #ahead: FilesAhead | null;

  constructor(
    info: TorrentInfo,
    disk: DiskPort,
    place: {
      readonly folder: string;
      readonly renamed: ReadonlyMap<number, string>;
      readonly ahead: FilesAhead | null;
      readonly partRef: FileRef;
    },
  ) {
    this.#info = info;
    this.#disk = disk;
    this.#folder = place.folder;
    this.#ahead = place.ahead;
    this.#partRef = place.partRef;
    this.#renamed = new Map(place.renamed);
  }

  get folder(): string {
    return this.#folder;
  }

  get renamed(): ReadonlyMap<number, string> {
    return this.#renamed;
  }

  get ahead(): FilesAhead | null {
    return this.#ahead;
  }

  /** The folder that this file's path is below. */
  rootOf(file: number): string {
    return this.#ahead?.files.has(file) === true ? this.#ahead.folder : this.#folder;
  }

  pathOf(file: number): string {
    return this.#renamed.get(file) ?? this.#info.files[file]!.path;
  }

  /** Of a file by index, or of the part file. Registered when first asked for. */
  idOf(file: number): FileId {
    let id = this.#ids.get(file);
    if (id === undefined) {
      const ref =
        file === partFileIndex ? this.#partRef : { root: this.rootOf(file), path: this.pathOf(file) };
      id = this.#disk.register(ref);
      this.#ids.set(file, id);
      this.#indexes.set(id, file);
    }
    return id;
  }

  /** The index of a file that a fault names; null when it is not of this torrent. */
  indexOf(id: FileId): number | null {
    return this.#indexes.get(id) ?? null;
  }

  /** True for what exists on the disk as a file of its own: no pads, and no links (which are never made). */
  isReal(file: number): boolean {
    const entry = this.#info.files[file]!;
    return !entry.pad && (entry.symlink === null || entry.bytes > 0);
  }

  /** Null when there is no file, or none that could be used: a job on it then tells why. */
  async stat(file: number): Promise<FileStat | null> {
    try {
      return await this.#disk.stat(this.idOf(file));
    } catch (error) {
      if (error instanceof NodeError) return null;
      throw error;
    }
  }

  /** Length and time of `files`; those that are not there are left out. */
  async statAll(files: readonly number[]): Promise<Map<number, FileStat>> {
    const stats = new Map<number, FileStat>();
    for (let from = 0; from < files.length; from += looksAtOnce) {
      const some = files.slice(from, from + looksAtOnce);
      const found = await Promise.all(some.map((file) => this.stat(file)));
      found.forEach((stat, i) => {
        if (stat !== null) stats.set(some[i]!, stat);
      });
    }
    return stats;
  }

  /** Whether the file is there and can be looked at; null: all is well. */
  async look(file: number): Promise<DiskFault | null> {
    const id = this.idOf(file);
    const path = this.pathOf(file);
    try {
      if ((await this.#disk.stat(id)) !== null) return null;
      return { code: 'missing', message: `"${this.rootOf(file)}/${path}" is missing.`, file: id };
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      return { code: faultCodes[error.code] ?? 'io', message: error.message, file: id };
    }
  }

  /** Moves all files, or none: what was moved already goes back when one cannot be. @throws NodeError DISK_* */
  async moveAll(folder: string): Promise<void> {
    const moved: number[] = [];
    try {
      for (let file = 0; file < this.#info.files.length; file++) {
        if (!this.isReal(file) || (this.rootOf(file) === folder && this.#ahead !== null)) continue;
        await this.#disk.move(this.idOf(file), { root: folder, path: this.pathOf(file) });
        moved.push(file);
      }
    } catch (error) {
      for (const file of moved) {
        const back = this.#disk.move(this.idOf(file), { root: this.rootOf(file), path: this.pathOf(file) });
        await back.catch(() => undefined);
      }
      throw error;
    }
    this.#folder = folder;
    this.#ahead = null;
  }

  /**
   * Moves files of a torrent that is not complete to where it will be: each for itself, and one that cannot go stays.
   * @returns those that stay, and why
   */
  async sendAhead(files: readonly number[], folder: string): Promise<ReadonlyMap<number, NodeError>> {
    const stuck = new Map<number, NodeError>();
    for (const file of files) {
      if (!this.isReal(file) || this.rootOf(file) === folder) continue;
      try {
        await this.#disk.move(this.idOf(file), { root: folder, path: this.pathOf(file) });
        this.#ahead = { folder, files: new Set(this.#ahead?.files).add(file) };
      } catch (error) {
        if (!(error instanceof NodeError)) throw error;
        stuck.set(file, error);
      }
    }
    return stuck;
  }

  /** @throws NodeError `BITTORRENT_FILE_NAME` when the path is not safe or another file's; DISK_* */
  async rename(file: number, path: string): Promise<void> {
    this.checkName(file, path);
    await this.#disk.move(this.idOf(file), { root: this.rootOf(file), path });
    this.#renamed.set(file, path);
  }

  checkName(file: number, path: string): void {
    if (!isSafePath(path)) throw nameError(`"${path}" is not a name that a file below the folder can have.`);
    const wanted = foldedPath(path);
    for (let other = 0; other < this.#info.files.length; other++) {
      if (other === file || !this.isReal(other)) continue;
      const taken = foldedPath(this.pathOf(other));
      if (taken === wanted || taken.startsWith(`${wanted}/`) || wanted.startsWith(`${taken}/`)) {
        throw nameError(`"${path}" is the name of another file of the torrent.`);
      }
    }
  }

  async remove(files: readonly number[]): Promise<void> {
    for (const file of files) await this.#disk.remove(this.idOf(file));
  }

  /** Copies bytes of the part file to a file. @throws NodeError DISK_* */
  async copyOut(partOffset: number, file: number, fileOffset: number, bytes: number): Promise<void> {
    const slab = this.#disk.allocateSlab(bytes);
    const jobAt = (
      index: number,
      offset: number,
    ): Pick<StoreJob, 'slab' | 'slabOffset' | 'bytes' | 'spans'> => ({
      slab,
      slabOffset: 0,
      bytes,
      spans: [{ file: this.idOf(index), offset, bytes }],
    });
    try {
      await this.#run({ kind: 'load', ...jobAt(partFileIndex, partOffset) });
      await this.#run({ kind: 'store', digest: null, ...jobAt(file, fileOffset) });
    } finally {
      this.#disk.freeSlab(slab);
    }
  }

  #run(job: DiskJob): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#disk.submit(job, (result) =>
        result.ok ? resolve() : reject(storageErrorOf(result.fault, 'move')),
      );
    });
  }

  /** Closes all handles and forgets the names. */
  async forgetAll(): Promise<void> {
    const ids = [...this.#ids.values()];
    this.#ids.clear();
    this.#indexes.clear();
    await Promise.all(ids.map((id) => this.#disk.forget(id)));
  }
}

/** A job's fault as an error, for operations that run jobs: the codes are those of the disk port. */
function storageErrorOf(fault: DiskFault, op: string): NodeError {
  const code = `DISK_${fault.code.toUpperCase().replaceAll('-', '_')}`;
  return new NodeError(code, fault.message, { op, retry: true });
}

function nameError(message: string): NodeError {
  return new NodeError('BITTORRENT_FILE_NAME', message, { op: 'rename' });
}

/** The part file of a torrent, in the node's own folder and never beside the user's files. */
export function partRefOf(partsFolder: string, torrent: string): FileRef {
  assert(/^[0-9a-f]+$/.test(torrent), 'a torrent id is hex');
  return { root: partsFolder, path: `${torrent}.parts`, isSecret: true };
}
