/**
 * Files that lie anywhere on the disk as one UnixFS folder, offered from where they lie. Two ways in: files are read
 * and hashed here, or somebody who has read them says what their chunks hash to.
 */
import { type DiskPort, type Hashes, NodeError } from '@tequio/kernel';
import { BlockMaker, type DagRoot } from '../core/block-maker.ts';
import { BalancedLayout } from '../core/file-layout.ts';
import { makeFolder } from '../core/folder.ts';
import { profiles } from '../core/profile.ts';
import { BlockBatch } from './block-batch.ts';
import type { BlockInFile, BlockWriter } from './blocks.ts';
import { mustBe } from './ipfs-errors.ts';
import { type InPlaceWriter, importFile } from './unixfs-import.ts';

/** With this profile a leaf is a chunk and nothing else. */
const profile = profiles['unixfs-v1-2025'];
/** Of chunks that {@link importHashedFile} is told of. */
export const hashedChunkBytes = 1 << 20;
const placesAtOnce = 4096;

export type FileSetDeps = {
  readonly disk: DiskPort;
  readonly hashes: Hashes;
  readonly blocks: BlockWriter & InPlaceWriter;
};

export type SetFile = {
  /** Absolute folder, and the path below it, with `/`. */
  readonly root: string;
  readonly path: string;
  /** In the set, with `/`; of one file alone its name. */
  readonly name: string;
};

/** A file whose content was read elsewhere. */
export type HashedFile = SetFile & {
  readonly bytes: number;
  /** SHA-256 of each chunk of {@link hashedChunkBytes}, 32 bytes each. */
  readonly digests: Uint8Array;
};

export type FileSetOptions = {
  /** Told after each part of the content. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal?: AbortSignal;
};

export type FileSetImport = {
  /** A folder with what is at the top of the set: one file, or the folder of all. */
  readonly wrapped: DagRoot;
  /** Of what is at the top, when that is one thing; else the same as `wrapped`. */
  readonly root: DagRoot;
  /** In the order of the files. */
  readonly files: readonly DagRoot[];
};

/** @throws NodeError `FILE_*`, `IPFS_ENTRY_PATH` when two files have one name; of the store */
export async function importFileSet(
  deps: FileSetDeps,
  files: readonly (SetFile | HashedFile)[],
  options: FileSetOptions = {},
): Promise<FileSetImport> {
  const batch = new BlockBatch(deps.blocks);
  const maker = new BlockMaker(deps.hashes, profile.cidVersion, (block) => batch.add(block));
  const top = new Folder();
  const roots: DagRoot[] = [];
  for (const file of files) {
    options.signal?.throwIfAborted();
    const root =
      'digests' in file
        ? await addHashed(file, maker, deps.blocks)
        : await importFile(
            { ...deps, batch, inPlace: deps.blocks },
            profile,
            { root: file.root, path: file.path },
            options,
          );
    roots.push(root);
    place(top, file.name, root);
    await batch.flushIfFull();
  }
  const [wrapped, ...inside] = await makeFolders(top, maker, batch);
  await batch.flush();
  return { wrapped: wrapped!, root: inside.length === 1 ? inside[0]! : wrapped!, files: roots };
}

async function addHashed(
  { root, path, bytes, digests }: HashedFile,
  maker: BlockMaker,
  store: InPlaceWriter,
): Promise<DagRoot> {
  if (bytes === 0) return maker.addRaw(new Uint8Array(0));
  const layout = new BalancedLayout(maker, profile.fileLinkCountMax);
  const absolute = `${root === '/' ? '' : root}/${path}`;
  let places: BlockInFile[] = [];
  for (let offset = 0, at = 0; offset < bytes; offset += hashedChunkBytes, at += 32) {
    const length = Math.min(hashedChunkBytes, bytes - offset);
    const cid = maker.rawCid(digests.slice(at, at + 32));
    layout.addLeaf({ cid, fileBytes: length, dagBytes: length });
    places.push({ cid, offset, bytes: length });
    if (places.length < placesAtOnce) continue;
    await store.putInFile(absolute, places);
    places = [];
  }
  await store.putInFile(absolute, places);
  return layout.finish();
}

class Folder {
  readonly children = new Map<string, Folder | DagRoot>();
}

function place(top: Folder, name: string, root: DagRoot): void {
  const elements = name.split('/');
  const last = elements.pop()!;
  let at = top;
  for (const element of elements) {
    const child = at.children.get(element) ?? new Folder();
    if (!(child instanceof Folder)) throw taken(name);
    at.children.set(element, child);
    at = child;
  }
  if (at.children.has(last)) throw taken(name);
  at.children.set(last, root);
}

/** @returns the folder, and what is in it */
async function makeFolders(
  folder: Folder,
  maker: BlockMaker,
  batch: BlockBatch,
): Promise<readonly DagRoot[]> {
  const entries: { name: string; cid: DagRoot['cid']; dagBytes: number }[] = [];
  const inside: DagRoot[] = [];
  for (const [name, child] of folder.children) {
    const root = child instanceof Folder ? (await makeFolders(child, maker, batch))[0]! : child;
    entries.push({ name, cid: root.cid, dagBytes: root.dagBytes });
    inside.push(root);
  }
  const root = mustBe(makeFolder(maker, profile.directory, entries));
  await batch.flushIfFull();
  return [root, ...inside];
}

function taken(name: string): NodeError {
  return new NodeError('IPFS_ENTRY_PATH', `"${name}" cannot be added: another file has that name.`, {
    op: 'add',
  });
}
