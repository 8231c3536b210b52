/**
 * Torrents as CIDs and CIDs as torrents. What both are of is remembered in one place that other programs know: a web
 * seed (BEP 19) with the address `ipfs://CID/`, in the torrent file and with the torrent. CID is a folder with what the
 * torrent has; bridge/ipfs-web-seeds.ts answers for such addresses.
 *
 *   torrent ─ files, hashed in place ──────────────────> CID       one read
 *   path ─ pieces and chunks hashed in one pass ───────> both      one read
 *   CID ─ blocks, verified ─ hashed and written ───────> torrent   one read, and the blocks then lie in the files
 */
import { basename, dirname, join, resolve } from 'node:path';
import type {
  BittorrentApi,
  BridgeApi,
  Bridged,
  IpfsToTorrent,
  ShareOnBoth,
  TorrentId,
  TorrentsApi,
} from '@tequio/api';
import type { BlockReader, FileSetImport, HashedFile, IpfsRepository, SetFile } from '@tequio/ipfs';
import { type DiskPort, type Hashes, NodeError } from '@tequio/kernel';
import type { NodeIpfs } from '../ipfs/node-ipfs.ts';

type Ipfs = typeof import('@tequio/ipfs');
type Cid = FileSetImport['root']['cid'];

/** Files of what is made a torrent. */
const fileCountMax = 100_000;

export type BridgeDeps = {
  readonly engine: Pick<
    BittorrentApi,
    'create' | 'createFrom' | 'exportTorrent' | 'show' | 'files' | 'setWebSeeds' | 'webSeeds'
  >;
  readonly torrents: TorrentsApi;
  readonly ipfs: Pick<NodeIpfs, 'open' | 'read'>;
  readonly disk: DiskPort;
  readonly hashes: Hashes;
  readonly downloadFolder: () => string;
};

/** See the top of the file, and {@link BridgeApi}. */
export class BittorrentIpfsBridge implements BridgeApi {
  readonly #deps: BridgeDeps;

  constructor(deps: BridgeDeps) {
    this.#deps = deps;
  }

  async torrentToIpfs(id: TorrentId): Promise<Bridged> {
    const { engine, torrents } = this.#deps;
    const row = await torrents.get(id);
    if (row === null) throw new NodeError('TORRENT_MISSING', 'There is no such torrent.', { op: 'bridge' });
    const bytes = engine.exportTorrent(id);
    if (bytes === null || row.havePieceCount < row.pieceCount)
      throw bridgeError('INCOMPLETE', 'Only a torrent all of whose files are there can be offered on IPFS.');
    const shown = engine.show({ torrent: bytes });
    if (shown.private)
      throw bridgeError(
        'PRIVATE',
        'A private torrent is for those whom its tracker knows, IPFS is for everybody.',
      );
    const files: SetFile[] = [];
    for (const { index, path, pad } of engine.files(id))
      if (!pad) files.push({ root: row.folder, path, name: nameOf(shown, shown.files[index]!.path) });
    const made = await this.#offer(files, row.name);
    const seeds = engine.webSeeds(id).map(({ url }) => url);
    await torrents.setWebSeeds(id, [...new Set([...seeds, webSeedOf(made.wrapped.cid)])]);
    return this.#bridged({ id, known: true }, made, files, 0);
  }

  async share({ path, version = 'hybrid', trackers = [] }: ShareOnBoth): Promise<Bridged> {
    const { engine, torrents } = this.#deps;
    const { hashedChunkBytes } = await loadIpfs();
    const digests = new Map<string, Map<number, Uint8Array>>();
    const torrent = await engine.create({
      path,
      version,
      trackers: trackers.map((url) => [url]),
      chunks: {
        bytes: hashedChunkBytes,
        onChunks: (file, offset, found) => {
          const ofFile = digests.get(file) ?? new Map<number, Uint8Array>();
          digests.set(file, ofFile.set(offset / hashedChunkBytes, found));
        },
      },
    });
    const shown = engine.show({ torrent });
    const folder = dirname(resolve(path));
    const isSingle = shown.files.some((file) => !file.pad && !file.path.includes('/'));
    const files = shown.files.flatMap((file): HashedFile[] => {
      if (file.pad) return [];
      const inside = isSingle ? file.path : file.path.slice(shown.name.length + 1);
      const all = joined(digests.get(inside) ?? new Map(), Math.ceil(file.bytes / hashedChunkBytes));
      return [{ root: folder, path: file.path, name: file.path, bytes: file.bytes, digests: all }];
    });
    const made = await this.#offer(files, shown.name);
    const added = await torrents.add({ source: { torrent }, folder, seed: true });
    await this.#addWebSeed(added.id, made.wrapped.cid);
    return this.#bridged(added, made, files, 0);
  }

  async ipfsToTorrent(content: IpfsToTorrent): Promise<Bridged> {
    const { ipfs } = this.#deps;
    const open = await ipfs.open();
    const reading = ipfs.read(open);
    try {
      return await open.repository.holding((keep) =>
        this.#makeTorrent(content, reading.reader, open.repository, keep),
      );
    } finally {
      reading.close();
    }
  }

  async #makeTorrent(
    { path, folder, name, version = 'hybrid', trackers = [] }: IpfsToTorrent,
    reader: BlockReader,
    repository: IpfsRepository,
    keep: (root: Cid) => Promise<void>,
  ): Promise<Bridged> {
    const { engine, torrents, downloadFolder } = this.#deps;
    const ipfs = await loadIpfs();
    const found = await findContent(ipfs, reader, path, name);
    await keep(found.cid);
    const wrapped = await wrap(ipfs, found, reader, repository, this.#deps.hashes);
    await keep(wrapped);
    const into = resolve(folder ?? downloadFolder());
    const byPath = new Map(found.files.map((file) => [file.path, file]));
    const torrent = await engine.createFrom(
      {
        name: found.name,
        isSingle: found.isSingle,
        files: found.files,
        read: (file) => ipfs.exportFile(reader, byPath.get(file)!.cid),
        options: { version, trackers: trackers.map((url) => [url]), webSeeds: [webSeedOf(wrapped)] },
      },
      into,
    );
    const added = await torrents.add({ source: { torrent }, folder: into, seed: true });
    const files = found.files.map((file) => ({
      ...file,
      name: found.isSingle ? file.path : `${found.name}/${file.path}`,
    }));
    let copiedBytes = 0;
    for (const file of files)
      copiedBytes += file.bytes - (await moveLeaves(ipfs, repository, join(into, file.name), file));
    await repository.pin(wrapped, { name: pinNameOf(found.name) });
    const made = {
      wrapped: { cid: wrapped },
      root: { cid: found.cid },
      files: files.map(({ cid }) => ({ cid })),
    };
    return this.#bridged(added, made, files, copiedBytes);
  }

  /** Files as a folder of IPFS, which is pinned; they are read unless their hashes are known. */
  async #offer(files: readonly (SetFile | HashedFile)[], name: string): Promise<FileSetImport> {
    const { disk, hashes } = this.#deps;
    const { repository } = await this.#deps.ipfs.open();
    const { importFileSet } = await loadIpfs();
    return repository.holding(async () => {
      const made = await importFileSet({ disk, hashes, blocks: repository.blocks }, files);
      await repository.pin(made.wrapped.cid, { name: pinNameOf(name) });
      return made;
    });
  }

  async #addWebSeed(id: TorrentId, wrapped: Cid): Promise<void> {
    const { engine, torrents } = this.#deps;
    const seeds = engine.webSeeds(id).map(({ url }) => url);
    await torrents.setWebSeeds(id, [...new Set([...seeds, webSeedOf(wrapped)])]);
  }

  async #bridged(
    { id, known }: { readonly id: TorrentId; readonly known: boolean },
    made: {
      readonly wrapped: { readonly cid: Cid };
      readonly root: { readonly cid: Cid };
      readonly files: readonly { readonly cid: Cid }[];
    },
    files: readonly { readonly name: string }[],
    copiedBytes: number,
  ): Promise<Bridged> {
    const { cidText } = await loadIpfs();
    const shown = await this.#deps.torrents.show(id);
    return {
      torrent: id,
      known,
      name: shown?.name ?? '',
      magnet: shown?.magnet ?? '',
      cid: cidText(made.root.cid),
      wrapped: cidText(made.wrapped.cid),
      files: files.map(({ name }, index) => ({ path: name, cid: cidText(made.files[index]!.cid) })),
      copiedBytes,
    };
  }
}

/** Loaded where it is used: a node without IPFS does without it. */
function loadIpfs(): Promise<Ipfs> {
  return import('@tequio/ipfs');
}

export function webSeedOf(wrapped: Cid): string {
  return `ipfs://${wrapped.toString()}/`;
}

function pinNameOf(name: string): string {
  return `torrent ${name}`.slice(0, 60);
}

/** As a web seed is asked for it: as it stood in the torrent, unless that leads out of a folder. */
function nameOf({ nameChanges }: ReturnType<BittorrentApi['show']>, path: string): string {
  const was = nameChanges.find((change) => change.is === path)?.was;
  const isPlain = was?.split('/').every((element) => !['', '.', '..'].includes(element)) === true;
  return isPlain ? was! : path;
}

function joined(parts: ReadonlyMap<number, Uint8Array>, count: number): Uint8Array {
  const all = new Uint8Array(32 * count);
  for (const [index, digests] of parts) all.set(digests, 32 * index);
  return all;
}

type FoundFile = { readonly path: string; readonly bytes: number; readonly cid: Cid };
type Found = {
  readonly cid: Cid;
  readonly name: string;
  readonly isSingle: boolean;
  readonly files: readonly FoundFile[];
};

/** @throws NodeError `BRIDGE_CONTENT`, and of what is no path or cannot be had */
async function findContent(ipfs: Ipfs, reader: BlockReader, text: string, name?: string): Promise<Found> {
  const path = ipfs.parseIpfsPath(text);
  if (!path.ok) throw new NodeError(path.fault.code, path.fault.message, { op: 'bridge' });
  const { cid } = await ipfs.resolvePath(reader, path.value);
  const node = await ipfs.getUnixfsNode(reader, cid);
  const called = name ?? path.value.segments.at(-1) ?? cid.toString();
  if (basename(called) !== called || called === '..')
    throw bridgeError('CONTENT', `"${called}" is no name for a file or a folder.`);
  if (node.kind === 'symlink') throw bridgeError('CONTENT', 'A link is neither a file nor a folder.');
  if (node.kind === 'file' || node.kind === 'raw')
    return { cid, name: called, isSingle: true, files: [{ path: called, bytes: node.fileBytes ?? 0, cid }] };
  const files: FoundFile[] = [];
  await listFiles(ipfs, reader, cid, '', files, 0);
  return { cid, name: called, isSingle: false, files };
}

/** Symbolic links are left out, as they are when a torrent is made of a folder. */
async function listFiles(
  ipfs: Ipfs,
  reader: BlockReader,
  folder: Cid,
  inside: string,
  files: FoundFile[],
  depth: number,
): Promise<void> {
  if (depth > 100) throw bridgeError('CONTENT', 'Folders lie more than 100 deep there.');
  for await (const { name, cid } of ipfs.listFolder(reader, folder)) {
    const path = inside === '' ? name : `${inside}/${name}`;
    const { kind, fileBytes } = await ipfs.getUnixfsNode(reader, cid);
    if (kind === 'file' || kind === 'raw') files.push({ path, bytes: fileBytes ?? 0, cid });
    else if (kind !== 'symlink') await listFiles(ipfs, reader, cid, path, files, depth + 1);
    if (files.length > fileCountMax)
      throw bridgeError('CONTENT', `There are more than ${fileCountMax} files.`);
  }
}

/** A folder with the content in it, under its name. */
async function wrap(
  ipfs: Ipfs,
  { cid, name }: Found,
  reader: BlockReader,
  repository: IpfsRepository,
  hashes: Hashes,
): Promise<Cid> {
  const block = await ipfs.getBlock(reader, cid);
  const node = cid.code === ipfs.codecs.raw ? null : ipfs.decodeDagPb(block);
  let dagBytes = block.length;
  if (node?.ok === true) for (const link of node.value.links) dagBytes += link.dagBytes ?? 0;
  const data = ipfs.wrapInFolder(hashes, name, { cid, dagBytes });
  await repository.blocks.put([data]);
  return data.cid;
}

/** From now on the file gives its leaves, and the store's copies go with the next collection. @returns their bytes */
async function moveLeaves(
  ipfs: Ipfs,
  repository: IpfsRepository,
  path: string,
  { cid, bytes }: FoundFile,
): Promise<number> {
  const { blocks } = repository;
  const places = [];
  let movedBytes = 0;
  for await (const place of ipfs.leafPlaces(blocks, cid, bytes)) {
    if (place.bytes === 0) continue;
    places.push(place);
    movedBytes += place.bytes;
  }
  await blocks.putInFile(path, places, { instead: true });
  return movedBytes;
}

function bridgeError(what: 'INCOMPLETE' | 'PRIVATE' | 'CONTENT', message: string): NodeError {
  return new NodeError(`BRIDGE_${what}`, message, { op: 'bridge' });
}
