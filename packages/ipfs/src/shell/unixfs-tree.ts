/** Whole folders of the disk in, as UnixFS folders. */
import { type DiskPort, type FolderItem, type FoldersPort, NodeError } from '@tequio/kernel';
import { BlockMaker, type DagRoot } from '../core/block-maker.ts';
import { makeFolder, makeSymlink } from '../core/folder.ts';
import type { FolderEntry } from '../core/hamt.ts';
import type { ImportProfile } from '../core/profile.ts';
import { ipfsLimits } from '../limits.ts';
import { noMetadata, type UnixfsMetadata } from '../wire/unixfs.ts';
import { BlockBatch } from './block-batch.ts';
import { mustBe } from './ipfs-errors.ts';
import { type ImportDeps, importFile } from './unixfs-import.ts';

/** Files that are read at once: small ones wait more than they work. */
const filesAtOnce = 16;

export type TreeImportDeps = ImportDeps & { readonly disk: DiskPort; readonly folders: FoldersPort };

export type TreeImportOptions = {
  /** Also what has a name that begins with a dot. */
  readonly hidden?: boolean;
  readonly preserveMode?: boolean;
  readonly preserveTime?: boolean;
  /** Told of each file and folder when it is done, what is inside before what it is in; `path` from the root. */
  readonly onAdded?: (path: string, root: DagRoot, kind: 'file' | 'folder' | 'link') => void;
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
};

export type TreeImport = {
  readonly root: DagRoot;
  /** Devices, pipes and sockets, which no other computer could use: paths from the root. */
  readonly leftOut: readonly string[];
};

/**
 * Adds a file, or a folder with all that is in it. Symbolic links stay links.
 * @param path absolute
 * @throws NodeError `FILE_*`, and of the store
 */
export async function importTree(
  deps: TreeImportDeps,
  profile: ImportProfile,
  path: string,
  options: TreeImportOptions = {},
): Promise<TreeImport> {
  const item = await deps.folders.item(path);
  if (item === null) throw new NodeError('FILE_MISSING', `"${path}" does not exist.`, { op: 'read' });
  const tree = new TreeImporter(deps, profile, options);
  return tree.run(path, item);
}

class TreeImporter {
  readonly #deps: TreeImportDeps;
  readonly #profile: ImportProfile;
  readonly #options: TreeImportOptions;
  readonly #batch: BlockBatch;
  readonly #maker: BlockMaker;
  readonly #leftOut: string[] = [];

  constructor(deps: TreeImportDeps, profile: ImportProfile, options: TreeImportOptions) {
    this.#profile = profile;
    this.#options = options;
    this.#batch = new BlockBatch(deps.blocks);
    this.#deps = { ...deps, batch: this.#batch };
    this.#maker = new BlockMaker(
      deps.hashes,
      profile.cidVersion,
      (block) => this.#batch.add(block),
      profile.hashCode,
    );
  }

  async run(path: string, item: FolderItem): Promise<TreeImport> {
    const slash = path.lastIndexOf('/');
    const root = await this.#add({ folder: path.slice(0, slash) || '/', shown: '', item, depth: 0 });
    if (root === null)
      throw new NodeError('FILE_READ', `"${path}" is no file, folder or link.`, { op: 'read' });
    await this.#batch.flush();
    return { root, leftOut: this.#leftOut };
  }

  async #add(place: TreePlace): Promise<DagRoot | null> {
    const { item, shown } = place;
    const kind = item.kind;
    if (kind === 'other') {
      this.#leftOut.push(shown);
      return null;
    }
    const root = await this.#addKind(place, kind);
    await this.#batch.flushIfFull();
    this.#options.onAdded?.(shown, root, kind);
    return root;
  }

  #addKind(place: TreePlace, kind: 'file' | 'folder' | 'link'): Promise<DagRoot> {
    const metadata = this.#metadataOf(place.item);
    if (kind === 'folder') return this.#addFolder(place, metadata);
    if (kind === 'file') return this.#addFile(place, metadata);
    const onlyTime = { ...metadata, mode: null };
    return Promise.resolve(makeSymlink(this.#maker, place.item.target ?? '', onlyTime));
  }

  #addFile({ folder, item }: TreePlace, metadata: UnixfsMetadata): Promise<DagRoot> {
    const { onProgress, signal } = this.#options;
    return importFile(
      this.#deps,
      this.#profile,
      { root: folder, path: item.name },
      {
        metadata,
        fileBytes: item.bytes,
        ...(onProgress === undefined ? null : { onProgress }),
        ...(signal === undefined ? null : { signal }),
      },
    );
  }

  async #addFolder(place: TreePlace, metadata: UnixfsMetadata): Promise<DagRoot> {
    const { folder, shown, depth } = place;
    const path = `${folder === '/' ? '' : folder}/${place.item.name}`;
    if (depth > ipfsLimits.pathDepthMax)
      throw new NodeError('FILE_READ', `"${path}" lies more than ${ipfsLimits.pathDepthMax} folders deep.`);
    this.#options.signal?.throwIfAborted();
    const items = (await this.#deps.folders.list(path)).filter((item) => this.#isWanted(item));
    const entries: FolderEntry[] = [];
    const add = async (item: FolderItem): Promise<void> => {
      const child = await this.#add({
        folder: path,
        shown: shown === '' ? item.name : `${shown}/${item.name}`,
        item,
        depth: depth + 1,
      });
      if (child !== null) entries.push({ name: item.name, cid: child.cid, dagBytes: child.dagBytes });
    };
    // Files side by side, a few at a time; folders one by one, so that not all of a large tree is open at once.
    await inGroups(
      items.filter(({ kind }) => kind !== 'folder'),
      filesAtOnce,
      add,
    );
    await inGroups(
      items.filter(({ kind }) => kind === 'folder'),
      1,
      add,
    );
    return mustBe(makeFolder(this.#maker, this.#profile.directory, entries, metadata));
  }

  #isWanted({ name }: FolderItem): boolean {
    return this.#options.hidden === true || !name.startsWith('.');
  }

  #metadataOf({ mode, modified }: FolderItem): UnixfsMetadata {
    const { preserveMode = false, preserveTime = false } = this.#options;
    if (!preserveMode && !preserveTime) return noMetadata;
    return { mode: preserveMode && mode !== 0 ? mode : null, modified: preserveTime ? modified : null };
  }
}

type TreePlace = {
  /** That it lies in: absolute, and as it was listed; no link in it is looked at. */
  readonly folder: string;
  /** From what is added. */
  readonly shown: string;
  readonly item: FolderItem;
  readonly depth: number;
};

/** Starts the next when one is done. The first error ends it, after those that run. */
async function inGroups<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next++]!;
      try {
        await work(item);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(atOnce, items.length) }, lane);
  const ended = await Promise.allSettled(lanes);
  for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
}
