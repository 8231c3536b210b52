/**
 * The mutable file system (MFS): one tree of files and folders under a root that moves on with every change.
 *
 *   change /a/b ─> the way from the root ─> new blocks from b up to a new root ─ flush ─> store ─> root is kept
 *
 * Blocks are never changed: whoever holds the CID of an earlier root has the tree as it was. Changes are made one
 * after the other. What is not flushed yet is in memory, up to a ceiling, and is lost with the process.
 */
import { type Clock, type Hashes, NodeError } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { BlockMaker, type DagRoot } from '../core/block-maker.ts';
import { makeSmallFile } from '../core/file-layout.ts';
import { makeFolder, sortEntries } from '../core/folder.ts';
import type { FolderEntry } from '../core/hamt.ts';
import type { ImportProfile } from '../core/profile.ts';
import { contentBytesOf, type UnixfsNode } from '../core/unixfs-node.ts';
import { ipfsLimits } from '../limits.ts';
import { codecs } from '../wire/cid.ts';
import { encodeUnixfs, noMetadata, type UnixfsKind, type UnixfsTime } from '../wire/unixfs.ts';
import type { BlockReader, BlockWriter } from './blocks.ts';
import { editFolder, findInFolder } from './folder-edit.ts';
import { mustBe } from './ipfs-errors.ts';
import type { LeafHasher } from './leaf-hasher.ts';
import { MfsBlocks } from './mfs-blocks.ts';
import { changeFile, type FileChange } from './mfs-file.ts';
import { exportFile, type FileExportOptions, getUnixfsNode, listFolder } from './unixfs-export.ts';

/** Where the root is kept. */
export interface MfsRoot {
  /** Null: there was none yet. */
  get(): CID | null;
  /** Kept when it resolves: all that hangs on it is in the store. */
  set(root: CID): Promise<void>;
}

export type MfsDeps = {
  readonly blocks: BlockReader & BlockWriter;
  readonly root: MfsRoot;
  readonly hashes: Hashes;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly leafHasher?: LeafHasher;
};

export type MfsStat = {
  readonly cid: CID;
  readonly kind: UnixfsKind;
  /** Of the content; of a folder 0. */
  readonly fileBytes: number;
  /** Of all blocks. */
  readonly dagBytes: number;
  /** Links of its block. */
  readonly linkCount: number;
  readonly mode: number | null;
  readonly modified: UnixfsTime | null;
};

export type MfsChangeOptions = {
  /** Whether the change is in the store when it resolves; by default it is. */
  readonly flush?: boolean;
  /** Folders on the way are made. */
  readonly parents?: boolean;
  /** How what is made is made; by default as the tree was opened. Folders that are there keep their way. */
  readonly profile?: ImportProfile;
};

export type MfsWriteOptions = MfsChangeOptions & {
  readonly offset?: number;
  /** What was in the file goes first. */
  readonly truncate?: boolean;
  /** The file is made when it is not there. */
  readonly create?: boolean;
};

/** Blocks in memory that are not flushed: more than this, and they are. */
const pendingBytesMax = 16 << 20;

type Change = (entry: FolderEntry | null) => Promise<DagRoot | null>;

/** See the top of the file. Paths are `/folder/file`. */
export class Mfs {
  readonly #deps: MfsDeps;
  readonly #profile: ImportProfile;
  readonly #blocks: MfsBlocks;
  #root: DagRoot | null = null;
  /** Settles when the change before is done. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: MfsDeps, profile: ImportProfile) {
    this.#deps = deps;
    this.#profile = profile;
    this.#blocks = new MfsBlocks(deps.blocks);
  }

  /** Of blocks that are named as this one is. */
  #makerLike({ version, multihash }: CID): BlockMaker {
    return this.#makerOf(version === 0 ? 0 : 1, multihash.code);
  }

  #makerOf(version: 0 | 1, hashCode?: number): BlockMaker {
    return new BlockMaker(this.#deps.hashes, version, (block) => this.#blocks.add(block), hashCode);
  }

  /** Those of the store, and those that are not flushed yet. */
  get blocks(): BlockReader {
    return this.#blocks;
  }

  /** Of a file or folder. @throws NodeError `IPFS_FILES_MISSING` */
  async stat(path: string): Promise<MfsStat> {
    const entry = await this.#entryAt(path);
    const node = await getUnixfsNode(this.#blocks, entry.cid);
    const isFile = node.kind === 'file' || node.kind === 'raw';
    return {
      cid: entry.cid,
      kind: node.kind,
      fileBytes: isFile ? contentBytesOf(node) : 0,
      dagBytes: entry.dagBytes,
      linkCount: node.links.length,
      mode: node.mode,
      modified: node.modified,
    };
  }

  /** What is in a folder, by the bytes of the names; of a file, itself. */
  async list(path: string): Promise<readonly FolderEntry[]> {
    const entry = await this.#entryAt(path);
    const node = await getUnixfsNode(this.#blocks, entry.cid);
    if (node.kind !== 'directory' && node.kind !== 'hamt-shard') return [entry];
    const entries: FolderEntry[] = [];
    for await (const inside of listFolder(this.#blocks, entry.cid)) entries.push(inside);
    return sortEntries(entries);
  }

  /** The content of a file. */
  async *read(path: string, options: FileExportOptions = {}): AsyncGenerator<Uint8Array> {
    yield* exportFile(this.#blocks, (await this.#entryAt(path)).cid, options);
  }

  /** @throws NodeError `IPFS_FILES_EXISTS`, unless `parents` is set */
  mkdir(path: string, options: MfsChangeOptions = {}): Promise<void> {
    return this.#change(path, options, async (entry) => {
      if (entry === null) return this.#emptyFolder(options.profile);
      if (options.parents === true && (await this.#isFolder(entry.cid))) return null;
      throw exists(path);
    });
  }

  /** @throws NodeError `IPFS_FILES_MISSING` without `create` */
  write(path: string, content: FileChange['content'], options: MfsWriteOptions = {}): Promise<void> {
    const change = { offset: options.offset ?? 0, content, cutAt: options.truncate === true ? 0 : null };
    return this.#changeContent(path, options, change);
  }

  /** Cuts a file, or makes it longer with zeros. */
  truncate(path: string, bytes: number, options: MfsChangeOptions = {}): Promise<void> {
    return this.#changeContent(path, options, { offset: bytes, content: [], cutAt: bytes });
  }

  /** Links `source`, which may come from elsewhere: its blocks need not be here. Into a folder: under its own name. */
  async copy(source: string | DagRoot, path: string, options: MfsChangeOptions = {}): Promise<void> {
    const entry = typeof source === 'string' ? await this.#entryAt(source) : source;
    const name = typeof source === 'string' ? segmentsOf(source).at(-1) : undefined;
    const target = await this.#targetOf(path, name);
    await this.#change(target, options, async (there) => {
      if (there !== null) throw exists(target);
      return { cid: entry.cid, dagBytes: entry.dagBytes, fileBytes: 0 };
    });
  }

  /** A file in the way is replaced. @throws NodeError `IPFS_FILES_MOVE` when a folder would be moved into itself */
  async move(source: string, path: string, options: MfsChangeOptions = {}): Promise<void> {
    const segments = segmentsOf(source);
    const target = await this.#targetOf(path, segments.at(-1));
    const goal = segmentsOf(target);
    if (segments.length === 0 || segments.every((segment, i) => goal[i] === segment)) {
      if (segments.length === goal.length && segments.length > 0) return;
      throw new NodeError('IPFS_FILES_MOVE', `"${source}" cannot be moved into itself.`, { op: 'move' });
    }
    const entry = await this.#entryAt(source);
    await this.#change(target, { ...options, flush: false }, async (there) => {
      if (there !== null && (await this.#isFolder(there.cid))) throw exists(target);
      return { cid: entry.cid, dagBytes: entry.dagBytes, fileBytes: 0 };
    });
    await this.#remove(source, options);
  }

  /** @throws NodeError `IPFS_FILES_MISSING`; `IPFS_FILES_FOLDER` for a folder without `recursive` */
  async remove(
    path: string,
    options: MfsChangeOptions & { readonly recursive?: boolean } = {},
  ): Promise<void> {
    const entry = await this.#entryAt(path);
    if (options.recursive !== true && (await this.#isFolder(entry.cid)))
      throw new NodeError(
        'IPFS_FILES_FOLDER',
        `"${path}" is a folder: it is removed with all in it only when asked.`,
      );
    await this.#remove(path, options);
  }

  /** Permissions: the low 12 bits of a Unix mode. */
  chmod(path: string, mode: number, options: MfsChangeOptions = {}): Promise<void> {
    return this.#changeNode(path, options, (node) => ({ ...node, mode: mode & 0xfff }));
  }

  /** @param time null: now */
  touch(path: string, time: UnixfsTime | null = null, options: MfsChangeOptions = {}): Promise<void> {
    return this.#changeNode(path, options, (node) => ({ ...node, modified: time ?? this.#now() }));
  }

  /** All changes until now are in the store. @returns of what lies at the path */
  async flush(path = '/'): Promise<CID> {
    await this.#inTurn(() => this.#flush());
    return (await this.#entryAt(path)).cid;
  }

  #remove(path: string, options: MfsChangeOptions): Promise<void> {
    const segments = segmentsOf(path);
    return this.#inTurn(async () => {
      await this.#set(await this.#edited(await this.#rootNow(), segments, null, path, options));
      await this.#settle(options);
    });
  }

  /** A folder is a target for what goes into it under its own name; a path that ends in `/` is one too. */
  async #targetOf(path: string, name: string | undefined): Promise<string> {
    const entry = await this.#tryEntryAt(segmentsOf(path));
    const isInto = path.endsWith('/') || (entry !== null && (await this.#isFolder(entry.cid)));
    return isInto && name !== undefined ? `${path.replace(/\/+$/, '')}/${name}` : path;
  }

  #changeContent(path: string, options: MfsWriteOptions, change: FileChange): Promise<void> {
    return this.#change(path, options, async (entry) => {
      if (entry === null && options.create !== true) throw missing(path);
      if (!Number.isSafeInteger(change.offset) || change.offset < 0)
        throw new NodeError('IPFS_FILES_OFFSET', 'A place in a file is a whole number of bytes, 0 or more.');
      const node = entry === null ? null : await getUnixfsNode(this.#blocks, entry.cid);
      if (node !== null && node.kind !== 'file' && node.kind !== 'raw') throw notAFile(path);
      const { mode = null, modified = null } = node ?? noMetadata;
      const { hashes, blocks, leafHasher } = this.#deps;
      const deps = {
        hashes,
        blocks,
        reader: this.#blocks,
        ...(leafHasher === undefined ? null : { leafHasher }),
      };
      const metadata = { mode, modified: modified === null ? null : this.#now() };
      return changeFile(deps, options.profile ?? this.#profile, entry?.cid ?? null, change, metadata);
    });
  }

  #changeNode(
    path: string,
    options: MfsChangeOptions,
    change: (node: UnixfsNode) => UnixfsNode,
  ): Promise<void> {
    return this.#change(path, options, async (entry) => {
      if (entry === null) throw missing(path);
      const node = change(await getUnixfsNode(this.#blocks, entry.cid));
      if (entry.cid.code === codecs.raw)
        return makeSmallFile(this.#makerLike(entry.cid), node.data ?? noBytes, node);
      const { links, ...data } = node;
      return this.#makerLike(entry.cid).addNode(links, encodeUnixfs(data), 0);
    });
  }

  /** Puts what `change` gives where the path leads; null: nothing changes. */
  #change(path: string, options: MfsChangeOptions, change: Change): Promise<void> {
    const segments = segmentsOf(path);
    return this.#inTurn(async () => {
      const root = await this.#rootNow();
      const entry = await this.#tryEntryAt(segments);
      const made = await change(entry);
      if (made === null) return;
      const name = segments.at(-1);
      const next =
        name === undefined
          ? made
          : await this.#edited(
              root,
              segments,
              { name, cid: made.cid, dagBytes: made.dagBytes },
              path,
              options,
            );
      await this.#set(next);
      await this.#settle(options);
    });
  }

  /** The folder with the entry at the end of the way set, or taken away. Recursion: bounded by the path's length. */
  async #edited(
    folder: DagRoot,
    segments: readonly string[],
    entry: FolderEntry | null,
    path: string,
    options: MfsChangeOptions = {},
  ): Promise<DagRoot> {
    const [name, ...rest] = segments;
    if (name === undefined)
      throw new NodeError('IPFS_FILES_ROOT', 'The root folder stays.', { op: 'change' });
    const { directory } = options.profile ?? this.#profile;
    const edit = { reader: this.#blocks, maker: this.#makerLike(folder.cid), rules: directory };
    if (rest.length === 0) return editFolder(edit, folder.cid, name, entry);
    const child = await this.#childOf(folder.cid, name);
    if (child === null && options.parents !== true) throw missing(path);
    const below = child === null ? this.#emptyFolder(options.profile) : { ...child, fileBytes: 0 };
    const changed = await this.#edited(below, rest, entry, path, options);
    return editFolder(edit, folder.cid, name, { name, cid: changed.cid, dagBytes: changed.dagBytes });
  }

  async #entryAt(path: string): Promise<FolderEntry> {
    const entry = await this.#tryEntryAt(segmentsOf(path));
    if (entry === null) throw missing(path);
    return entry;
  }

  async #tryEntryAt(segments: readonly string[]): Promise<FolderEntry | null> {
    const { cid, dagBytes } = await this.#rootNow();
    let entry: FolderEntry | null = { name: '', cid, dagBytes };
    for (const name of segments) {
      entry = await this.#childOf(entry.cid, name);
      if (entry === null) return null;
    }
    return entry;
  }

  /** @throws NodeError `IPFS_NOT_A_FOLDER` */
  #childOf(folder: CID, name: string): Promise<FolderEntry | null> {
    return findInFolder(this.#blocks, folder, name);
  }

  async #isFolder(cid: CID): Promise<boolean> {
    if (cid.code !== codecs['dag-pb']) return false;
    const { kind } = await getUnixfsNode(this.#blocks, cid);
    return kind === 'directory' || kind === 'hamt-shard';
  }

  #emptyFolder({ cidVersion, hashCode, directory } = this.#profile): DagRoot {
    return mustBe(makeFolder(this.#makerOf(cidVersion, hashCode), directory, []));
  }

  async #rootNow(): Promise<DagRoot> {
    if (this.#root !== null) return this.#root;
    const cid = this.#deps.root.get();
    if (cid === null) return (this.#root = this.#emptyFolder());
    const block = await this.#blocks.get(cid);
    const node = await getUnixfsNode(this.#blocks, cid);
    let dagBytes = block?.length ?? 0;
    for (const link of node.links) dagBytes += link.dagBytes ?? 0;
    return (this.#root = { cid, dagBytes, fileBytes: 0 });
  }

  async #set(root: DagRoot): Promise<void> {
    if (!(await this.#isFolder(root.cid))) throw new NodeError('IPFS_FILES_ROOT', 'The root is a folder.');
    this.#root = root;
  }

  async #settle({ flush = true }: MfsChangeOptions): Promise<void> {
    if (flush || this.#blocks.pendingBytes > pendingBytesMax) await this.#flush();
  }

  async #flush(): Promise<void> {
    const { cid } = await this.#rootNow();
    await this.#blocks.flush(cid);
    await this.#deps.root.set(cid);
  }

  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const run = this.#turn.then(work);
    this.#turn = run.catch(() => undefined);
    return run;
  }

  #now(): UnixfsTime {
    const wallMs = Math.floor(this.#deps.clock.wallMs());
    return { seconds: Math.floor(wallMs / 1000), nanoseconds: (wallMs % 1000) * 1_000_000 };
  }
}

const noBytes = new Uint8Array(0);

/** Elements of a path. @throws NodeError `IPFS_FILES_PATH` */
function segmentsOf(path: string): string[] {
  const segments = path.split('/').filter((segment) => segment !== '');
  const isBad =
    segments.length > ipfsLimits.pathDepthMax || segments.some((name) => name === '.' || name === '..');
  if (path.startsWith('/') && !isBad) return segments;
  throw new NodeError(
    'IPFS_FILES_PATH',
    `"${path}" is no path: it begins with "/" and has no "." or ".." in it.`,
  );
}

function missing(path: string): NodeError {
  return new NodeError('IPFS_FILES_MISSING', `"${path}" does not exist.`, { data: { path } });
}

function exists(path: string): NodeError {
  return new NodeError('IPFS_FILES_EXISTS', `"${path}" exists already.`, { data: { path } });
}

function notAFile(path: string): NodeError {
  return new NodeError('IPFS_FILES_FOLDER', `"${path}" is no file.`, { data: { path } });
}
