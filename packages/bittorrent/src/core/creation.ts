/**
 * How a torrent is made of files: the plan (order, layout, piece size), the collection of hashes, the
 * finished dictionary.
 *
 * The same files and options give the same info-hash on every system, whatever order the file system lists
 * them in: files stand in the order of a BEP 52 tree, for v1 as well. A hybrid pads its files to whole
 * pieces, so that both halves describe the same pieces (BEP 47, BEP 52). Names that would not survive on
 * another system, or that a reader would take for padding, are refused rather than changed: the torrent must
 * fit the files as they lie there.
 */
import {
  assert,
  compareBytes,
  encodeUtf8,
  type Fault,
  failed,
  type Hashes,
  ok,
  type Result,
  toHex,
  tryFromHex,
} from '@tequio/kernel';
import { type BencodeInput, encodeBencode } from '../wire/bencode.ts';
import { merkleRoot, nodeBytes, pieceLayerHeight } from '../wire/merkle.ts';
import { encodeMetainfo, isTorrentUrl } from '../wire/metainfo.ts';
import { metainfoLimits } from '../wire/metainfo-fault.ts';
import { padNamePrefix } from '../wire/metainfo-v1.ts';
import { withPads } from '../wire/metainfo-v2.ts';
import { blockBytes, type TorrentFile } from '../wire/torrent-info.ts';
import { type ListedFile, uniquePaths } from '../wire/unique-paths.ts';
import { ContentLayout } from './content-layout.ts';

/**
 * Pieces that a torrent of chosen piece size has at most, as long as they need not be larger than the next
 * limit.
 */
const wishedPieceCountMax = 1500;
const wishedPieceBytesMax = 16 * 1024 * 1024;
const sha1Bytes = 20;

export type CreationVersion = 'v1' | 'v2' | 'hybrid';

export type CreationInput = {
  /** Of the file or folder. */
  readonly name: string;
  /** One file without a folder: `files` has one entry. */
  readonly isSingle: boolean;
  /** `path` below the folder, with `/`; the name for a single file. In any order. */
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly executable: boolean }[];
  readonly version: CreationVersion;
  /** Null: chosen. */
  readonly pieceBytes: number | null;
  /** Every file begins with a piece, in v1 as well, and pieces are no smaller than this; null: as usual. */
  readonly chunkBytes?: number | null;
};

export type CreationPlan = {
  readonly name: string;
  readonly isSingle: boolean;
  readonly version: CreationVersion;
  readonly listed: readonly ListedFile[];
  /** Paths begin with the folder's name; pads among them. */
  readonly files: readonly TorrentFile[];
  readonly layout: ContentLayout;
  /** Without pads. */
  readonly contentBytes: number;
};

/** What stands in the torrent besides the files. */
export type CreationText = {
  readonly trackers: readonly (readonly string[])[];
  readonly webSeeds: readonly string[];
  readonly private: boolean;
  readonly source: string | null;
  /** BEP 38: info-hashes in hex; of those of version 2 the first 20 bytes stand in the torrent, as on the wire. */
  readonly similar: readonly string[];
  readonly collections: readonly string[];
  readonly comment: string | null;
  readonly createdBy: string | null;
  readonly createdAt: number | null;
};

/** Faults `BITTORRENT_CREATE_*`, blame `user`. */
export function planCreation(input: CreationInput): Result<CreationPlan> {
  const contentBytes = input.files.reduce((sum, file) => sum + file.bytes, 0);
  if (contentBytes === 0)
    return refused('EMPTY', `There is no content in "${input.name}" to make a torrent of.`);
  const chunkBytes = input.chunkBytes ?? null;
  const pieceBytes = input.pieceBytes ?? Math.max(pickPieceBytes(contentBytes), chunkBytes ?? 0);
  if (chunkBytes !== null && (!isPieceBytes(chunkBytes) || pieceBytes < chunkBytes))
    return refused(
      'PIECE_SIZE',
      `Pieces must be at least as large as chunks, which have ${chunkBytes} bytes.`,
    );
  if (!isPieceBytes(pieceBytes))
    return refused('PIECE_SIZE', 'The piece size must be a power of two from 16 KiB to 512 MiB.');
  const plain = sortedFiles(input);
  // A pad behind the last of several files as well, as libtorrent writes it: equal content then has an equal
  // info-hash.
  const padTail = input.version === 'v2' || input.files.length > 1;
  const listed = input.version === 'v1' && chunkBytes === null ? plain : withPads(plain, pieceBytes, padTail);
  const unfit = findUnfitName(input, plain);
  if (unfit !== null) return refused('NAME', unfit);
  const { files } = uniquePaths(listed, input.isSingle ? null : input.name);
  const layout = new ContentLayout(files, pieceBytes, {
    isV1: input.version !== 'v2',
    isV2: input.version !== 'v1',
  });
  if (layout.pieceCount > metainfoLimits.pieceCountMax)
    return refused(
      'PIECE_SIZE',
      `That would be ${layout.pieceCount} pieces; ${metainfoLimits.pieceCountMax} are allowed.`,
    );
  const { name, isSingle, version } = input;
  return ok({ name, isSingle, version, listed, files, layout, contentBytes });
}

/** A power of two that gives some hundred to 1500 pieces, between 16 KiB and 16 MiB. */
export function pickPieceBytes(contentBytes: number): number {
  let pieceBytes = blockBytes;
  while (contentBytes / pieceBytes > wishedPieceCountMax && pieceBytes < wishedPieceBytesMax) pieceBytes *= 2;
  while (contentBytes / pieceBytes > metainfoLimits.pieceCountMax) pieceBytes *= 2;
  return pieceBytes;
}

function isPieceBytes(pieceBytes: number): boolean {
  const isInRange = pieceBytes >= blockBytes && pieceBytes <= metainfoLimits.pieceBytesMax;
  return isInRange && Number.isInteger(Math.log2(pieceBytes));
}

/**
 * In the order of a file tree: by the bytes of each element. A zero byte sorts before all that a name can
 * hold.
 */
function sortedFiles(input: CreationInput): ListedFile[] {
  const keyed = input.files.map((file) => ({ file, key: encodeUtf8(file.path.replaceAll('/', '\0')) }));
  keyed.sort((a, b) => compareBytes(a.key, b.key));
  return keyed.map(({ file }) => ({
    elements: file.path.split('/'),
    bytes: file.bytes,
    pad: false,
    executable: file.executable,
    hidden: false,
    link: null,
    piecesRoot: null,
  }));
}

/**
 * A sentence about the first name that readers of the torrent would have to change; null when there is none.
 */
function findUnfitName(input: CreationInput, files: readonly ListedFile[]): string | null {
  const folder: ListedFile = { ...files[0]!, elements: [input.name] };
  const changes = [...uniquePaths([folder], null).changes, ...uniquePaths(files, input.name).changes];
  const change = changes[0];
  if (change !== undefined)
    return `"${change.was}" cannot be kept under this name everywhere (${change.reason}): rename it, for example to "${change.is}".`;
  const deep = files.find((file) => file.elements.length > metainfoLimits.pathDepthMax);
  if (deep !== undefined) return `"${deep.elements.join('/')}" lies in too many folders.`;
  const pad = files.find((file) => file.elements[file.elements.length - 1]!.startsWith(padNamePrefix));
  if (pad !== undefined) return `"${pad.elements.join('/')}" would be taken for padding: rename it.`;
  return null;
}

/** The hashes of a plan's pieces as they come in, in any order. */
export class CreationHashes {
  readonly #plan: CreationPlan;
  readonly #sha1s: Uint8Array;
  readonly #roots: Uint8Array;
  #doneCount = 0;

  constructor(plan: CreationPlan) {
    this.#plan = plan;
    const { pieceCount } = plan.layout;
    this.#sha1s = new Uint8Array(plan.version === 'v2' ? 0 : pieceCount * sha1Bytes);
    this.#roots = new Uint8Array(plan.version === 'v1' ? 0 : pieceCount * nodeBytes);
  }

  get isComplete(): boolean {
    return this.#doneCount === this.#plan.layout.pieceCount;
  }

  /** Once for each piece. */
  handlePiece(piece: number, sha1: Uint8Array | null, root: Uint8Array | null): void {
    assert(this.#plan.version === 'v2' || sha1 !== null, 'a v1 piece has its SHA-1');
    assert(this.#plan.version === 'v1' || root !== null, 'a v2 piece has its root');
    if (this.#plan.version !== 'v2') this.#sha1s.set(sha1!, piece * sha1Bytes);
    if (this.#plan.version !== 'v1') this.#roots.set(root!, piece * nodeBytes);
    this.#doneCount++;
  }

  /** One SHA-1 after the other. */
  get sha1s(): Uint8Array {
    return this.#sha1s;
  }

  /** The roots of a file's pieces: its piece layer. Empty for an empty file. */
  layerOf(file: number): Uint8Array {
    const pieces = this.#plan.layout.piecesOf(file);
    return pieces === null
      ? new Uint8Array(0)
      : this.#roots.subarray(pieces.first * nodeBytes, (pieces.last + 1) * nodeBytes);
  }
}

/** The torrent file. Faults `BITTORRENT_CREATE_URL`, `BITTORRENT_CREATE_SIMILAR`. */
export function assembleTorrent(
  plan: CreationPlan,
  collected: CreationHashes,
  text: CreationText,
  hashes: Hashes,
): Result<Uint8Array> {
  assert(collected.isComplete, 'all pieces are hashed');
  const bad = [...text.trackers.flat(), ...text.webSeeds].find((url) => !isTorrentUrl(url));
  if (bad !== undefined) return refused('URL', `"${bad}" is not an address that a torrent can have.`);
  const noHash = text.similar.find((hash) => !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(hash));
  if (noHash !== undefined)
    return refused('SIMILAR', `"${noHash}" is no info-hash: it must be 40 or 64 hex digits.`);
  const roots = rootsOf(plan, collected, hashes);
  const info: Record<string, BencodeInput | undefined> = {
    name: plan.name,
    similar:
      text.similar.length === 0 ? undefined : text.similar.map((hash) => tryFromHex(hash.slice(0, 40))!),
    collections: text.collections.length === 0 ? undefined : text.collections,
    'piece length': plan.layout.pieceBytes,
    private: text.private ? 1 : undefined,
    source: text.source ?? undefined,
  };
  if (plan.version !== 'v2') {
    info['pieces'] = collected.sha1s;
    if (plan.isSingle) {
      info['length'] = plan.contentBytes;
      info['attr'] = plan.listed[0]!.executable ? 'x' : undefined;
    } else info['files'] = plan.listed.map(fileV1);
  }
  if (plan.version !== 'v1') {
    info['meta version'] = 2;
    info['file tree'] = fileTree(plan, roots);
  }
  const pieceLayers =
    plan.version === 'v1' ? new Map<string, Uint8Array>() : layersOf(plan, collected, roots);
  return ok(encodeMetainfo({ ...text, infoBytes: encodeBencode(info), pieceLayers }));
}

function fileV1(file: ListedFile): BencodeInput {
  const attributes = file.pad ? 'p' : file.executable ? 'x' : undefined;
  return { attr: attributes, length: file.bytes, path: file.elements };
}

/** Roots by file index; null for pads and empty files. */
function rootsOf(plan: CreationPlan, collected: CreationHashes, hashes: Hashes): (Uint8Array | null)[] {
  const { pieceBytes } = plan.layout;
  return plan.files.map((file) => {
    if (plan.version === 'v1' || file.pad || file.bytes === 0) return null;
    const layer = collected.layerOf(file.index);
    // A file of one piece: the piece's root, over a tree of the file's own size, is the file's.
    return file.bytes <= pieceBytes ? layer.slice() : merkleRoot(hashes, layer, pieceLayerHeight(pieceBytes));
  });
}

function layersOf(
  plan: CreationPlan,
  collected: CreationHashes,
  roots: readonly (Uint8Array | null)[],
): Map<string, Uint8Array> {
  const layers = new Map<string, Uint8Array>();
  for (const file of plan.files)
    if (!file.pad && file.bytes > plan.layout.pieceBytes)
      layers.set(toHex(roots[file.index]!), collected.layerOf(file.index));
  return layers;
}

type TreeNode = Map<string, TreeNode | BencodeInput>;

function fileTree(plan: CreationPlan, roots: readonly (Uint8Array | null)[]): BencodeInput {
  const tree: TreeNode = new Map();
  plan.listed.forEach((file, index) => {
    if (file.pad) return;
    let node = tree;
    for (const element of file.elements) {
      let child = node.get(element) as TreeNode | undefined;
      if (child === undefined) node.set(element, (child = new Map()));
      node = child;
    }
    node.set('', {
      attr: file.executable ? 'x' : undefined,
      length: file.bytes,
      'pieces root': roots[index] ?? undefined,
    });
  });
  return tree as BencodeInput;
}

function refused(code: string, message: string): { readonly ok: false; readonly fault: Fault } {
  return failed({ code: `BITTORRENT_CREATE_${code}`, message, blame: 'user', penalty: 0 });
}
