/** What is done with a repository that is open, for one call: paths, files, pins, blocks. */
import type { IpfsBlockView, IpfsFileEntry, IpfsFolderPage, IpfsPinPage, IpfsPinView } from '@tequio/api';
import {
  type BlockReader,
  codecs,
  contentBytesOf,
  type DagRoot,
  exportFile,
  exportTar,
  getBlock,
  hashCodes,
  importStream,
  type Pin,
  parseIpfsPath,
  profiles,
  readUnixfsNode,
  resolvePath,
  tryParseCid,
} from '@tequio/ipfs';
import { type Hashes, NodeError } from '@tequio/kernel';
import { type Cid, kindOf, textOf, viewBlock } from './block-view.ts';
import { contentPathOf, isTreePath } from './content-path.ts';
import type { OpenIpfs } from './node-ipfs.ts';

type Page = { readonly offset?: number; readonly limit?: number };

const pageLength = 200;

/** See the top of the file. */
export class OpenContent {
  readonly #open: OpenIpfs;
  readonly #reader: BlockReader;
  readonly #hashes: Hashes;
  readonly #signal: AbortSignal;

  /** @param reader of what is here and what others have */
  constructor(open: OpenIpfs, reader: BlockReader, hashes: Hashes, signal: AbortSignal) {
    this.#open = open;
    this.#reader = reader;
    this.#hashes = hashes;
    this.#signal = signal;
  }

  async files(path: string, { offset = 0, limit = pageLength }: Page): Promise<IpfsFolderPage> {
    const folder = await this.entry(path);
    if (folder.kind !== 'folder')
      throw new NodeError('IPFS_NOT_A_FOLDER', `"${path}" is no folder.`, { op: 'list' });
    const all = await this.#open.mfs.list(path);
    const entries = all.slice(offset, offset + limit);
    const looked = await Promise.all(
      entries.map(({ name, cid, dagBytes }) => this.#look(name, cid, dagBytes)),
    );
    return { path, folder, totalCount: all.length, entries: looked };
  }

  async entry(path: string): Promise<IpfsFileEntry> {
    const name = path.replace(/\/+$/, '').split('/').at(-1) ?? '';
    if (isTreePath(path)) {
      const { cid, dagBytes } = await this.#open.mfs.stat(path);
      return this.#look(name, cid, dagBytes);
    }
    const { cid, dagBytes } = await this.#rootOf(await this.resolve(path));
    return this.#look(name, cid, dagBytes, this.#reader);
  }

  /** @throws NodeError `IPFS_PATH`, `IPFS_NAME`, `IPFS_NO_LINK`, `IPFS_BLOCK_MISSING` */
  async resolve(text: string): Promise<Cid> {
    const { names, mfs } = this.#open;
    const path = contentPathOf(text);
    if (isTreePath(path)) return (await mfs.stat(path)).cid;
    const name = /^\/ipns\/([^/]+)((?:\/.*)?)$/s.exec(path);
    if (name !== null) {
      const elements = name[2]!.split('/').filter((element) => element !== '');
      const { root, segments } = await names.resolve('ipns', name[1]!, elements, this.#signal);
      return (await resolvePath(this.#reader, { root, segments }, 'unixfs', this.#signal)).cid;
    }
    const parsed = parseIpfsPath(path);
    if (!parsed.ok)
      throw new NodeError(
        'IPFS_PATH',
        `"${text}" is no address of content: a CID, ipfs://CID or /ipfs/CID/….`,
        {
          op: 'resolve',
        },
      );
    return (await resolvePath(this.#reader, parsed.value, 'unixfs', this.#signal)).cid;
  }

  async addFile(path: string, content: AsyncIterable<Uint8Array>): Promise<IpfsFileEntry> {
    const { repository, leafHasher } = this.#open;
    await repository.holding(async (keep) => {
      const deps = { hashes: this.#hashes, leafHasher, blocks: repository.blocks };
      const root = await importStream(deps, profiles['unixfs-v1-2025'], content, { signal: this.#signal });
      await keep(root.cid);
      await this.#putLink(root, path);
    });
    return this.entry(path);
  }

  async importFile(source: string, path: string): Promise<IpfsFileEntry> {
    const root = await this.#rootOf(await this.resolve(source));
    await this.#open.repository.holding(async (keep) => {
      await keep(root.cid);
      await this.#open.mfs.copy(root, path, { parents: true });
    });
    return this.entry(path);
  }

  async moveFile(from: string, to: string): Promise<void> {
    await this.#open.mfs.move(from, to);
  }

  async removeFiles(paths: readonly string[]): Promise<void> {
    const { mfs } = this.#open;
    if (paths.some((path) => /^\/*$/.test(path)))
      throw new NodeError('IPFS_FILES_ROOT', 'The tree itself cannot be removed, only what is in it.', {
        op: 'remove',
      });
    for (const path of paths) await mfs.remove(path, { recursive: true, flush: false });
    await mfs.flush();
  }

  async *readFile(
    path: string,
    range: { readonly from?: number; readonly to?: number },
  ): AsyncGenerator<Uint8Array> {
    yield* exportFile(this.#reader, await this.resolve(path), { ...range, signal: this.#signal });
  }

  async *readArchive(path: string, name: string): AsyncGenerator<Uint8Array> {
    yield* exportTar(this.#reader, await this.resolve(path), name, this.#signal);
  }

  async pins({ offset = 0, limit = pageLength }: Page): Promise<IpfsPinPage> {
    const all = this.#open.repository.pins.list();
    const pins = await Promise.all(
      all.slice(offset, offset + limit).map(async ({ cid, mode, name }): Promise<IpfsPinView> => {
        const block = await this.#open.mfs.blocks.get(cid);
        const { pin: _, ...entry } = await this.#look(name, cid, block === null ? 0 : dagBytesOf(cid, block));
        return { ...entry, mode, told: this.#toldOf(cid) };
      }),
    );
    return { totalCount: all.length, pins };
  }

  #toldOf(cid: Cid): IpfsPinView['told'] {
    const found = this.#open.providing?.tryStateOf(cid) ?? null;
    return found === null || found.toldMs === null
      ? null
      : { atMs: found.toldMs, peerCount: found.peerCount };
  }

  async pin(path: string, name?: string): Promise<string> {
    const cid = await this.resolve(path);
    await this.#open.repository.pin(cid, {
      source: this.#reader,
      signal: this.#signal,
      ...(name === undefined ? null : { name }),
    });
    return textOf(cid);
  }

  unpin(text: string): void {
    const { repository } = this.#open;
    const given = tryParseCid(text);
    if (given === null) throw new NodeError('IPFS_PATH', `"${text}" is no CID.`, { op: 'unpin' });
    const found = this.#findPin(given);
    repository.unpin(found?.cid ?? given, found?.mode);
  }

  async block(path: string): Promise<IpfsBlockView> {
    const cid = await this.resolve(path);
    const block = await getBlock(this.#reader, cid, this.#signal);
    return viewBlock(cid, block, this.#pinOf(cid));
  }

  /** A file in the way is replaced. */
  async #putLink(root: DagRoot, path: string): Promise<void> {
    const { mfs } = this.#open;
    const there = await mfs.stat(path).catch((error: unknown) => {
      if (error instanceof NodeError && error.code === 'IPFS_FILES_MISSING') return null;
      throw error;
    });
    if (there !== null && there.kind !== 'directory' && there.kind !== 'hamt-shard')
      await mfs.remove(path, { flush: false });
    await mfs.copy(root, path, { parents: true });
  }

  /** Its block is got if need be. */
  async #rootOf(cid: Cid): Promise<DagRoot> {
    const block = await getBlock(this.#reader, cid, this.#signal);
    return { cid, dagBytes: dagBytesOf(cid, block), fileBytes: 0 };
  }

  /** @param reader without one, only what is here is looked at */
  async #look(
    name: string,
    cid: Cid,
    dagBytes: number,
    reader: BlockReader = this.#open.mfs.blocks,
  ): Promise<IpfsFileEntry> {
    const known = { name, cid: textOf(cid), dagBytes, pin: this.#pinOf(cid) };
    // Plain bytes are their own size: a folder of many such files needs no block of any.
    if (cid.code === codecs.raw) return { ...known, kind: 'file', bytes: dagBytes };
    const block = await reader.get(cid, { signal: this.#signal });
    const node = block === null ? null : readUnixfsNode(cid, block);
    if (node === null || !node.ok) return { ...known, kind: 'unknown', bytes: null };
    const kind = kindOf(node.value);
    return { ...known, kind, bytes: kind === 'file' ? contentBytesOf(node.value) : null };
  }

  #pinOf(cid: Cid): IpfsFileEntry['pin'] {
    return this.#findPin(cid)?.mode ?? null;
  }

  /** By either name: people see version 1 of what may have been pinned, or linked, as version 0. */
  #findPin(cid: Cid): Pin | null {
    const { pins } = this.#open.repository;
    return pins.find(cid) ?? pins.find(otherVersionOf(cid));
  }
}

function otherVersionOf(cid: Cid): Cid {
  if (cid.version === 0) return cid.toV1();
  const { code, multihash } = cid;
  return code === codecs['dag-pb'] && multihash.code === hashCodes.get('sha2-256') ? cid.toV0() : cid;
}

/** Of a block and all below it, as its own links say. */
function dagBytesOf(cid: Cid, block: Uint8Array): number {
  const node = readUnixfsNode(cid, block);
  const links = node.ok ? node.value.links : [];
  return links.reduce((sum, link) => sum + (link.dagBytes ?? 0), block.length);
}
