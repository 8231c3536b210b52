/** Files and folders that somebody sends one after the other, with paths, in: folders are made when all has come. */
import { NodeError } from '@tequio/kernel';
import { BlockMaker, type DagRoot } from '../core/block-maker.ts';
import { makeFolder, makeSymlink } from '../core/folder.ts';
import type { FolderEntry } from '../core/hamt.ts';
import type { ImportProfile } from '../core/profile.ts';
import { ipfsLimits } from '../limits.ts';
import { noMetadata, type UnixfsMetadata } from '../wire/unixfs.ts';
import { BlockBatch } from './block-batch.ts';
import { mustBe } from './ipfs-errors.ts';
import { type ImportDeps, importStream } from './unixfs-import.ts';

export type ImportEntry = {
  /** Elements with `/` between them; the empty text: a file without a name. */
  readonly path: string;
  readonly metadata?: UnixfsMetadata;
} & (
  | { readonly kind: 'file'; readonly content: AsyncIterable<Uint8Array> }
  | { readonly kind: 'folder' }
  | { readonly kind: 'link'; readonly target: string }
);

export type EntryImportOptions = {
  /** All that comes is put into one folder more, whose path is the empty text. */
  readonly wrapped?: boolean;
  readonly onProgress?: (path: string, bytes: number) => void;
  readonly signal?: AbortSignal;
};

export type ImportedEntry = {
  readonly path: string;
  readonly kind: ImportEntry['kind'];
  readonly root: DagRoot;
  readonly metadata: UnixfsMetadata;
  /** Nothing that was sent contains it. */
  readonly isTop: boolean;
};

/**
 * Adds entries, and yields them as they are done: files and links when they have come, folders last, what is inside
 * before what it is in.
 * @throws NodeError `IPFS_ENTRY_PATH` when a path is none, or two entries have it; of the store, and as `content` does
 */
export async function* importEntries(
  deps: ImportDeps,
  profile: ImportProfile,
  entries: AsyncIterable<ImportEntry>,
  options: EntryImportOptions = {},
): AsyncGenerator<ImportedEntry> {
  const { wrapped = false, onProgress, signal } = options;
  const batch = new BlockBatch(deps.blocks);
  const maker = new BlockMaker(
    deps.hashes,
    profile.cidVersion,
    (block) => batch.add(block),
    profile.hashCode,
  );
  const top: Folder = { children: new Map(), metadata: noMetadata };
  for await (const entry of entries) {
    const elements = elementsOf(entry.path);
    const metadata = entry.metadata ?? noMetadata;
    if (entry.kind === 'folder') {
      folderAt(top, elements).metadata = metadata;
      continue;
    }
    const progress = onProgress && ((bytes: number) => onProgress(entry.path, bytes));
    const root =
      entry.kind === 'link'
        ? makeSymlink(maker, entry.target, { ...metadata, mode: null })
        : await importStream(deps, profile, entry.content, {
            metadata,
            ...(progress === undefined ? null : { onProgress: progress }),
            ...(signal === undefined ? null : { signal }),
          });
    const name = elements.pop() ?? root.cid.toString();
    const parent = folderAt(top, elements);
    if (parent.children.has(name)) throw pathError(entry.path, 'two entries have that path');
    parent.children.set(name, root);
    await batch.flushIfFull();
    yield { path: entry.path, kind: entry.kind, root, metadata, isTop: elements.length === 0 && !wrapped };
  }
  yield* foldersOf(top, { maker, batch, profile, wrapped });
  await batch.flush();
}

type Folder = { readonly children: Map<string, Folder | DagRoot>; metadata: UnixfsMetadata };

type Making = {
  readonly maker: BlockMaker;
  readonly batch: BlockBatch;
  readonly profile: ImportProfile;
  readonly wrapped: boolean;
};

async function* foldersOf(top: Folder, making: Making): AsyncGenerator<ImportedEntry> {
  for (const [name, child] of top.children) {
    if (!isFolder(child)) continue;
    top.children.set(name, yield* folder(child, name, making));
  }
  if (making.wrapped) yield* folder(top, '', making);
}

async function* folder(of: Folder, path: string, making: Making): AsyncGenerator<ImportedEntry, DagRoot> {
  const { maker, batch, profile, wrapped } = making;
  const entries: FolderEntry[] = [];
  for (const [name, child] of of.children) {
    const root = isFolder(child)
      ? yield* folder(child, path === '' ? name : `${path}/${name}`, making)
      : child;
    entries.push({ name, cid: root.cid, dagBytes: root.dagBytes });
  }
  const root = mustBe(makeFolder(maker, profile.directory, entries, of.metadata));
  await batch.flushIfFull();
  yield {
    path,
    kind: 'folder',
    root,
    metadata: of.metadata,
    isTop: (!wrapped && !path.includes('/')) || path === '',
  };
  return root;
}

function isFolder(child: Folder | DagRoot): child is Folder {
  return 'children' in child;
}

/** Folders on the way are made, whether they were sent or not. */
function folderAt(top: Folder, elements: readonly string[]): Folder {
  let at = top;
  for (const element of elements) {
    let child = at.children.get(element);
    if (child === undefined) {
      child = { children: new Map(), metadata: noMetadata };
      at.children.set(element, child);
    }
    if (!isFolder(child)) throw pathError(elements.join('/'), 'a file has that path');
    at = child;
  }
  return at;
}

function elementsOf(path: string): string[] {
  const elements = path.split('/').filter((element) => element !== '');
  if (elements.some((element) => element === '.' || element === '..' || element.includes('\0')))
    throw pathError(path, 'it leads out of the folder');
  if (elements.length > ipfsLimits.pathDepthMax)
    throw pathError(path, `it has more than ${ipfsLimits.pathDepthMax} elements`);
  return elements;
}

function pathError(path: string, reason: string): NodeError {
  return new NodeError('IPFS_ENTRY_PATH', `"${path}" cannot be added: ${reason}.`, { op: 'add' });
}
