/**
 * A file system in memory: what lies on the simulated disk, with the trouble that a test can make. It outlives the
 * disk port, so that a program can "crash" and start again on the same files. Paths are absolute, with `/`.
 */
import type { DiskFaultCode } from '@tequio/kernel';

/** Bytes of a page: files are sparse in units of it. */
const pageBytes = 16384;

/** Ends an operation on the volume; the port turns it into a fault. */
export class VolumeFailure extends Error {
  readonly code: DiskFaultCode;

  constructor(code: DiskFaultCode, path: string) {
    super(sentences[code](path));
    this.code = code;
  }
}

const sentences: Readonly<Record<DiskFaultCode, (path: string) => string>> = {
  full: (path) => `There is no space left for "${path}".`,
  denied: (path) => `The system does not permit access to "${path}".`,
  missing: (path) => `"${path}" is missing or shorter than it should be.`,
  'not-a-file': (path) =>
    `Where "${path}" should be, there is a symbolic link or a folder, or its folder is none.`,
  io: (path) => `"${path}" cannot be used: the device reports an error.`,
};

/** One sparse file. */
export class VolumeFile {
  readonly #pages = new Map<number, Uint8Array>();
  /** Pages that a copy has too: they are copied before they change. */
  readonly #shared = new Set<number>();
  bytes = 0;
  modifiedMs: number;

  constructor(nowMs: number) {
    this.modifiedMs = nowMs;
  }

  get pageCount(): number {
    return this.#pages.size;
  }

  read(offset: number, out: Uint8Array): void {
    for (let done = 0; done < out.length; ) {
      const within = (offset + done) % pageBytes;
      const count = Math.min(pageBytes - within, out.length - done);
      const page = this.#pages.get(Math.floor((offset + done) / pageBytes));
      if (page === undefined) out.fill(0, done, done + count);
      else out.set(page.subarray(within, within + count), done);
      done += count;
    }
  }

  write(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const within = (offset + done) % pageBytes;
      const count = Math.min(pageBytes - within, bytes.length - done);
      this.#page(Math.floor((offset + done) / pageBytes)).set(bytes.subarray(done, done + count), within);
      done += count;
    }
    this.bytes = Math.max(this.bytes, offset + bytes.length);
  }

  resize(bytes: number): void {
    if (bytes < this.bytes) {
      const lastPage = Math.floor(bytes / pageBytes);
      if (this.#pages.has(lastPage)) this.#page(lastPage).fill(0, bytes % pageBytes);
      for (const index of this.#pages.keys()) if (index * pageBytes >= bytes) this.#drop(index);
    }
    this.bytes = bytes;
  }

  /** Makes every page real. */
  reserve(): void {
    for (let index = 0; index * pageBytes < this.bytes; index++) this.#page(index);
  }

  /** Pages that a write would add. */
  newPageCount(offset: number, bytes: number): number {
    let count = 0;
    const end = offset + bytes;
    for (let index = Math.floor(offset / pageBytes); index * pageBytes < end; index++) {
      if (!this.#pages.has(index)) count++;
    }
    return count;
  }

  clone(): VolumeFile {
    const copy = new VolumeFile(this.modifiedMs);
    copy.bytes = this.bytes;
    for (const [index, page] of this.#pages) {
      copy.#pages.set(index, page);
      copy.#shared.add(index);
      this.#shared.add(index);
    }
    return copy;
  }

  #drop(index: number): void {
    this.#pages.delete(index);
    this.#shared.delete(index);
  }

  /** To be written to. */
  #page(index: number): Uint8Array {
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = new Uint8Array(pageBytes);
      this.#pages.set(index, page);
    } else if (this.#shared.delete(index)) {
      page = page.slice();
      this.#pages.set(index, page);
    }
    return page;
  }
}

type Node = VolumeFile | 'folder' | 'link';

/** A part of the tree with a size of its own, as a mounted device. */
type Mount = { readonly at: string; capacityBytes: number; readOnly: boolean };

/** The tree of files, and what tests do to it behind the port's back. */
export class SimulatedVolume {
  readonly #nodes = new Map<string, Node>([['/', 'folder']]);
  /** What would be left of each file after a power failure. */
  readonly #synced = new Map<string, VolumeFile>();
  readonly #mounts: Mount[] = [{ at: '/', capacityBytes: Number.POSITIVE_INFINITY, readOnly: false }];
  readonly #broken = new Set<string>();

  /** Files at or below `at` (by default: all) together may hold so many bytes. */
  setCapacity(bytes: number, at = '/'): void {
    this.#mountAt(at).capacityBytes = bytes;
  }

  setReadOnly(on: boolean, at = '/'): void {
    this.#mountAt(at).readOnly = on;
  }

  /** Every use of the file fails with `io` while on. */
  setBroken(path: string, on: boolean): void {
    if (on) this.#broken.add(path);
    else this.#broken.delete(path);
  }

  kind(path: string): 'file' | 'folder' | 'link' | null {
    const node = this.#nodes.get(path);
    return node instanceof VolumeFile ? 'file' : (node ?? null);
  }

  /** Of all files below a folder, and how long each is. */
  files(folder: string): { readonly path: string; readonly bytes: number }[] {
    return [...this.#nodes].flatMap(([path, node]) =>
      node instanceof VolumeFile && path.startsWith(`${folder}/`) ? [{ path, bytes: node.bytes }] : [],
    );
  }

  /** A copy of a file's bytes; null when no file is there. */
  get(path: string): Uint8Array | null {
    const node = this.#nodes.get(path);
    if (!(node instanceof VolumeFile)) return null;
    const bytes = new Uint8Array(node.bytes);
    node.read(0, bytes);
    return bytes;
  }

  /** Makes or replaces a file, as another program would; it counts as synced. */
  put(path: string, bytes: Uint8Array, nowMs = 0): void {
    this.#makeFolders(path);
    const file = new VolumeFile(nowMs);
    file.write(0, bytes);
    this.#nodes.set(path, file);
    this.sync(path);
  }

  link(path: string): void {
    this.#makeFolders(path);
    this.#nodes.set(path, 'link');
  }

  /** Removes a file, link or whole folder, as another program would. */
  remove(path: string): void {
    for (const known of [...this.#nodes.keys()]) {
      if (known !== path && !known.startsWith(`${path}/`)) continue;
      this.#nodes.delete(known);
      this.#synced.delete(known);
    }
  }

  /** Bit rot: inverts one byte, unseen by times and lengths. */
  rot(path: string, at: number): void {
    const file = this.file(path);
    const byte = new Uint8Array(1);
    file.read(at, byte);
    byte[0]! ^= 0xff;
    file.write(at, byte);
  }

  /** All that was not synced is lost. */
  losePower(): void {
    for (const [path, node] of [...this.#nodes]) {
      if (!(node instanceof VolumeFile)) continue;
      const kept = this.#synced.get(path);
      if (kept === undefined) this.#nodes.delete(path);
      else this.#nodes.set(path, kept.clone());
    }
  }

  sync(path: string): void {
    this.#synced.set(path, this.file(path).clone());
  }

  /** The file. @throws VolumeFailure `missing`, `not-a-file`, `io` */
  file(path: string): VolumeFile {
    const node = this.#nodes.get(path);
    if (node === undefined) throw new VolumeFailure('missing', path);
    if (!(node instanceof VolumeFile)) throw new VolumeFailure('not-a-file', path);
    if (this.#broken.has(path)) throw new VolumeFailure('io', path);
    return node;
  }

  /** The file, made with its folders when missing. `above`: the root, which is not looked into. */
  fileForWriting(path: string, above: string, nowMs: number): VolumeFile {
    this.checkFolders(path, above);
    const known = this.#nodes.has(path) ? this.file(path) : null;
    if (this.#mountOf(path).readOnly) throw new VolumeFailure('denied', path);
    if (known !== null) return known;
    this.#makeFolders(path);
    const file = new VolumeFile(nowMs);
    this.#nodes.set(path, file);
    return file;
  }

  /** @throws VolumeFailure when a folder between `above` and the file is none (a missing one is fine) */
  checkFolders(path: string, above: string): void {
    for (let at = parentOf(path); at.length > above.length; at = parentOf(at)) {
      const node = this.#nodes.get(at);
      if (node !== undefined && node !== 'folder') throw new VolumeFailure('not-a-file', path);
    }
  }

  /** @throws VolumeFailure `full` when `bytes` at `offset` of the file do not fit its device */
  claim(path: string, file: VolumeFile, offset: number, bytes: number): void {
    const mount = this.#mountOf(path);
    if (mount.capacityBytes === Number.POSITIVE_INFINITY) return;
    let pageCount = file.newPageCount(offset, bytes);
    for (const [at, node] of this.#nodes) {
      if (node instanceof VolumeFile && this.#mountOf(at) === mount) pageCount += node.pageCount;
    }
    if (pageCount * pageBytes > mount.capacityBytes) throw new VolumeFailure('full', path);
  }

  rename(from: string, to: string): void {
    const file = this.file(from);
    if (this.#mountOf(to).readOnly) throw new VolumeFailure('denied', to);
    if (this.#mountOf(from) !== this.#mountOf(to)) this.claim(to, new VolumeFile(0), 0, file.bytes);
    this.#makeFolders(to);
    this.#nodes.set(to, file);
    this.#nodes.delete(from);
    const synced = this.#synced.get(from);
    if (synced !== undefined) this.#synced.set(to, synced);
    this.#synced.delete(from);
  }

  /** Folders of `path` below `above` that hold nothing any more. */
  removeEmptyFolders(path: string, above: string): void {
    for (let at = parentOf(path); at.length > above.length; at = parentOf(at)) {
      for (const known of this.#nodes.keys()) if (known.startsWith(`${at}/`)) return;
      this.#nodes.delete(at);
    }
  }

  #makeFolders(path: string): void {
    for (let at = parentOf(path); !this.#nodes.has(at); at = parentOf(at)) this.#nodes.set(at, 'folder');
  }

  #mountAt(at: string): Mount {
    let mount = this.#mounts.find((known) => known.at === at);
    if (mount === undefined) {
      mount = { at, capacityBytes: Number.POSITIVE_INFINITY, readOnly: false };
      this.#mounts.push(mount);
    }
    return mount;
  }

  /** The device that a path lies on: that of the longest matching prefix. */
  #mountOf(path: string): Mount {
    let best = this.#mounts[0]!;
    for (const mount of this.#mounts) {
      if ((path === mount.at || path.startsWith(`${mount.at}/`)) && mount.at.length > best.at.length)
        best = mount;
    }
    return best;
  }
}

function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}
