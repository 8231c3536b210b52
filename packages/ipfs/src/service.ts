/** What a node offers of IPFS, on the repository in its data folder. */
import {
  type Aead,
  type DiskPort,
  type Entropy,
  type FoldersPort,
  type Hashes,
  NodeError,
} from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import type {
  CidText,
  IpfsAddOptions,
  IpfsApi,
  IpfsEntry,
  IpfsPin,
  IpfsPinCheck,
  IpfsPinMode,
  IpfsRepoStat,
  IpfsSealed,
  IpfsVerifyProgress,
} from './contract.ts';
import { cidOfKey } from './core/block-key.ts';
import { parseChunker } from './core/chunker.ts';
import { parseIpfsPath } from './core/path.ts';
import { type ImportProfile, profiles } from './core/profile.ts';
import { IpfsRepository, type RepositoryOptions, type RepositoryPorts } from './repository.ts';
import { verifyBlocks } from './shell/block-verification.ts';
import type { BlockReader } from './shell/blocks.ts';
import { fileParts } from './shell/content-source.ts';
import { getBlock } from './shell/dag-reader.ts';
import { mustBe } from './shell/ipfs-errors.ts';
import { diskLeafHasher } from './shell/leaf-hasher.ts';
import { resolvePath } from './shell/path-resolver.ts';
import {
  encodeSealedLink,
  SealedFile,
  type SealedReader,
  sealFile,
  tryDecodeSealedLink,
} from './shell/sealed-file.ts';
import { exportBytes, exportFile, getUnixfsNode, listFolder } from './shell/unixfs-export.ts';
import { importStream } from './shell/unixfs-import.ts';
import { importTree } from './shell/unixfs-tree.ts';
import { cidText, tryParseCid } from './wire/cid.ts';

export type IpfsPorts = RepositoryPorts & {
  readonly disk: DiskPort;
  readonly folders: FoldersPort;
  readonly hashes: Hashes;
  readonly aead: Aead;
  readonly entropy: Entropy;
};

/** See {@link IpfsApi}. `repository` is for the node's other parts: the exchange, the gateway. */
export class IpfsService implements IpfsApi {
  readonly repository: IpfsRepository;
  readonly #folder: string;
  readonly #ports: IpfsPorts;

  private constructor(repository: IpfsRepository, folder: string, ports: IpfsPorts) {
    this.repository = repository;
    this.#folder = folder;
    this.#ports = ports;
  }

  /** @throws NodeError `IPFS_STORE_NEWER`, `DATABASE_OPEN`, DISK_* */
  static async open(options: RepositoryOptions, ports: IpfsPorts): Promise<IpfsService> {
    return new IpfsService(await IpfsRepository.open(options, ports), options.folder, ports);
  }

  /** Of a repository that is open, and that whoever opened it closes. */
  static of(repository: IpfsRepository, folder: string, ports: IpfsPorts): IpfsService {
    return new IpfsService(repository, folder, ports);
  }

  async add(path: string, options: IpfsAddOptions = {}): Promise<CidText> {
    const profile = profileOf(options);
    const { disk, folders, hashes } = this.#ports;
    const { blocks } = this.repository;
    const deps = {
      ...{ disk, folders, hashes, blocks, leafHasher: diskLeafHasher(disk) },
      ...(options.inPlace === true ? { inPlace: blocks } : null),
    };
    const { hidden, preserveMode, preserveTime, pinName, onAdded } = options;
    return this.repository.holding(async () => {
      const { root } = await importTree(deps, profile, path, {
        ...(hidden === undefined ? {} : { hidden }),
        ...(preserveMode === undefined ? {} : { preserveMode }),
        ...(preserveTime === undefined ? {} : { preserveTime }),
        onAdded: (inside, { cid, fileBytes, dagBytes }, kind) =>
          onAdded?.({ path: inside, cid: cidText(cid), bytes: kind === 'file' ? fileBytes : dagBytes }),
      });
      if (options.pin !== false)
        await this.repository.pin(root.cid, pinName === undefined ? {} : { name: pinName });
      return cidText(root.cid);
    });
  }

  async *cat(
    path: string,
    range: { readonly from?: number; readonly to?: number } = {},
  ): AsyncIterable<Uint8Array> {
    yield* exportFile(this.repository.blocks, await this.#resolve(path), range);
  }

  async seal(path: string): Promise<string> {
    const { disk, hashes, aead, entropy } = this.#ports;
    const { blocks } = this.repository;
    const { root, name } = splitPath(path);
    const key = entropy.bytes(32);
    return this.repository.holding(async () => {
      const deps = { hashes, blocks, leafHasher: diskLeafHasher(disk) };
      const content = fileParts(disk, { root, path: name });
      const sealed = sealFile(aead.chacha20Poly1305(key), name, content);
      const { cid } = await importStream(deps, profiles['unixfs-v1-2025'], sealed);
      await this.repository.pin(cid, { name: 'sealed' });
      return encodeSealedLink({ cid: cidText(cid), key });
    });
  }

  /** @param reader of what others have too; without it of what is here */
  async openSealed(
    link: string,
    { reader = this.repository.blocks, signal }: { reader?: BlockReader; signal?: AbortSignal } = {},
  ): Promise<IpfsSealed> {
    const found = tryDecodeSealedLink(link);
    if (found === null)
      throw new NodeError('IPFS_SEALED_LINK', 'This is no whole link to a sealed file.', { op: 'read' });
    const cid = parseCid(found.cid);
    const { fileBytes } = await getUnixfsNode(reader, cid, signal);
    const ended = signal === undefined ? {} : { signal };
    const read: SealedReader = (from, to) => exportBytes(reader, cid, to - from, { from, to, ...ended });
    return SealedFile.open(this.#ports.aead.chacha20Poly1305(found.key), fileBytes ?? 0, read);
  }

  async *list(path: string): AsyncIterable<IpfsEntry> {
    const { blocks } = this.repository;
    for await (const { name, cid } of listFolder(blocks, await this.#resolve(path))) {
      const node = await getUnixfsNode(blocks, cid);
      const kind =
        node.kind === 'directory' || node.kind === 'hamt-shard'
          ? 'folder'
          : node.kind === 'symlink'
            ? 'link'
            : 'file';
      yield { name, cid: cidText(cid), kind, bytes: kind === 'file' ? (node.fileBytes ?? 0) : 0 };
    }
  }

  async pin(
    path: string,
    options: { readonly mode?: 'recursive' | 'direct'; readonly name?: string } = {},
  ): Promise<CidText> {
    const cid = await this.#resolve(path);
    await this.repository.pin(cid, options);
    return cidText(cid);
  }

  async unpin(path: string, options: { readonly mode?: 'recursive' | 'direct' } = {}): Promise<CidText> {
    const cid = await this.#resolve(path);
    this.repository.unpin(cid, options.mode);
    return cidText(cid);
  }

  async updatePin(from: string, to: string, options: { readonly keepOld?: boolean } = {}): Promise<void> {
    await this.repository.updatePin(await this.#resolve(from), await this.#resolve(to), options);
  }

  async *pins(mode: IpfsPinMode | 'all'): AsyncIterable<IpfsPin> {
    const { pins } = this.repository;
    for (const pin of pins.list())
      if (mode === 'all' || mode === pin.mode) yield { ...pin, cid: cidText(pin.cid) };
    if (mode !== 'all' && mode !== 'indirect') return;
    const found: CidText[] = [];
    await pins.indirect((cid) => void found.push(cidText(cid)));
    for (const cid of found) yield { cid, mode: 'indirect', name: '' };
  }

  async *verifyPins(): AsyncIterable<IpfsPinCheck> {
    for await (const { pin, missing } of this.repository.pins.verify())
      yield { cid: cidText(pin.cid), missing: missing.map((cid) => cidText(cid)) };
  }

  block(cid: CidText): Promise<Uint8Array> {
    return getBlock(this.repository.blocks, parseCid(cid));
  }

  async blockBytes(cid: CidText): Promise<number> {
    const parsed = parseCid(cid);
    return (
      (await this.repository.blocks.bytesOf(parsed)) ??
      (await getBlock(this.repository.blocks, parsed)).length
    );
  }

  async removeBlocks(
    cids: readonly CidText[],
    options: { readonly force?: boolean } = {},
  ): Promise<readonly CidText[]> {
    const parsed = cids.map(parseCid);
    const kept = await this.#firstPinned(parsed);
    if (kept !== null && options.force !== true) {
      throw new NodeError('IPFS_PINNED', `${kept} is kept by a pin: remove that first.`, { op: 'remove' });
    }
    return this.repository.blocks.remove(parsed).map((cid) => cidText(cid));
  }

  async repoStat(): Promise<IpfsRepoStat> {
    const { blockCount, blockBytes, diskBytes, quotaBytes } = this.repository.blocks.state();
    return { blockCount, blockBytes, diskBytes, quotaBytes, path: this.#folder };
  }

  async *blocks(): AsyncIterable<CidText> {
    for await (const cid of this.repository.blocks.list()) yield cidText(cid);
  }

  async collect(onRemoved?: (cid: CidText) => void): Promise<number> {
    const report = await this.repository.collect(
      onRemoved === undefined ? {} : { onRemoved: (key) => onRemoved(cidText(cidOfKey(key))) },
    );
    return report.freedBytes;
  }

  async verify(onProgress?: (progress: IpfsVerifyProgress) => void): Promise<readonly CidText[]> {
    const { corrupt } = await verifyBlocks(
      this.repository.blocks,
      onProgress === undefined ? {} : { onProgress },
    );
    return corrupt.map((cid) => cidText(cid));
  }

  close(): Promise<void> {
    return this.repository.close();
  }

  /** The block that a path ends in. @throws NodeError `IPFS_PATH`, `IPFS_NO_LINK`, `IPFS_BLOCK_MISSING` */
  async #resolve(path: string): Promise<CID> {
    return (await resolvePath(this.repository.blocks, mustBe(parseIpfsPath(path)))).cid;
  }

  async #firstPinned(cids: readonly CID[]): Promise<CID | null> {
    const wanted = new Set(cids.map((cid) => cid.toString()));
    const pinned = this.repository.pins.list().find(({ cid }) => wanted.has(cid.toString()));
    if (pinned !== undefined) return pinned.cid;
    let found: CID | null = null;
    await this.repository.pins.indirect((cid) => {
      if (wanted.has(cid.toString())) found = cid;
    });
    return found;
  }
}

function profileOf(options: IpfsAddOptions): ImportProfile {
  const base: ImportProfile = profiles[options.profile ?? 'unixfs-v1-2025'];
  const cidVersion = options.cidVersion ?? base.cidVersion;
  return {
    ...base,
    cidVersion,
    // As kubo has it: a version 1 that is asked for brings raw leaves with it.
    rawLeaves: options.rawLeaves ?? (options.cidVersion === 1 || options.inPlace === true || base.rawLeaves),
    ...(options.chunker === undefined ? {} : { chunker: mustBe(parseChunker(options.chunker)) }),
    ...(options.trickle === true ? { layout: 'trickle' as const } : {}),
  };
}

/** @throws NodeError `FILE_READ` for what has no name */
function splitPath(path: string): { readonly root: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  if (slash < 0 || name === '') throw new NodeError('FILE_READ', `"${path}" is no file.`, { op: 'read' });
  return { root: path.slice(0, slash) || '/', name };
}

function parseCid(text: CidText): CID {
  const cid = tryParseCid(text);
  if (cid !== null) return cid;
  throw new NodeError('IPFS_CID', `"${text}" is no CID.`, { op: 'read' });
}
