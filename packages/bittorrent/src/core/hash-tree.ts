/**
 * The hash trees of a v2 torrent's files (BEP 52): what each piece must hash to, and hashes for others.
 *
 * A file has one tree over its 16 KiB blocks. Of it are kept:
 *   root           from the `info`, always known
 *   piece layer    one hash a piece, known from the torrent file, or piece by piece through hash requests
 *   above it       made the first time that somebody asks for a proof, one hash a piece, then kept
 *   leaves         of recently checked pieces only, the oldest forgotten first
 *
 * Rules. Nothing enters the piece layer unproven: a range counts when it and its uncles lead to the root,
 * and the height is the file's, never the message's. A file of one piece or less has no piece layer; its
 * root is its piece's. With pieces of one block the piece layer is the leaf layer, and leaves need not be
 * kept apart. In a longer file every piece, the last one too, is padded with zero leaves to a full piece.
 *
 * Served are ranges of the two layers that BEP 52 obliges to (leaves and pieces); any range is checked
 * against the file's real layer before a byte is allocated, and its length is capped by the decoder. A
 * length that is no power of two is good only when the layer ends there.
 *
 * Memory: 32 bytes a piece (64 once a proof was served), and `leavesBytesMax`.
 */
import { assert, Bitfield, type Hashes, toHex } from '@tequio/kernel';
import {
  ceilLog2,
  type HashRange,
  type HashRequest,
  hashMessageLimits,
  uncleCountOf,
} from '../wire/hash-messages.ts';
import { blockBytes, type TorrentInfo } from '../wire/torrent-info.ts';
import {
  merkleLayers,
  merkleRoot,
  nodeAt,
  nodeBytes,
  nodesOf,
  pieceLayerMatches,
  pieceLeafCount,
  proofMatches,
  treeHeight,
  treeWidth,
} from './merkle.ts';

export const hashTreeLimits = {
  /** Leaves kept of recent pieces: those of 2 GiB of content. */
  leavesBytesMax: 4 * 1024 * 1024,
};

/** Hashes of a piece layer that are asked for at once (a chunk); the last chunk of a file is shorter. */
export const layerChunkLength = hashMessageLimits.requestLengthMax;

/**
 * What a hash request gets: the hashes, or the piece whose leaves are needed first, or null: to be rejected.
 */
export type HashAnswer =
  | { readonly type: 'hashes'; readonly range: HashRange }
  | { readonly type: 'leaves'; readonly piece: number }
  | null;

type FileTree = {
  /** Place in the torrent's files. */
  readonly file: number;
  readonly root: Uint8Array;
  readonly firstPiece: number;
  readonly pieceCount: number;
  readonly blockCount: number;
  /** Layers from the leaves to the root. */
  readonly height: number;
  /** Layer whose nodes are pieces: `height` when there is one piece. */
  readonly pieceLayer: number;
  /** 32 bytes a piece; null: not one is known. */
  nodes: Uint8Array | null;
  /** One bit a chunk of `nodes`. */
  readonly knownChunks: Bitfield;
  /** From the piece layer to the root; null: not made yet. */
  layers: Uint8Array[] | null;
};

export class HashTree {
  readonly #hashes: Hashes;
  readonly #pieceBytes: number;
  /** In the order of their pieces. Files without hashes (empty, pads) are not among them. */
  readonly #trees: FileTree[] = [];
  readonly #byFile = new Map<number, FileTree>();
  /** By hex of the root; the first of files that are alike. */
  readonly #byRoot = new Map<string, FileTree>();
  /** Piece -> leaves, the most recent last. */
  readonly #leaves = new Map<number, Uint8Array>();
  readonly #leavesBytesMax: number;
  #leavesBytes = 0;
  #unknownChunkCount = 0;

  /**
   * @param pieceLayers as the metainfo has them, checked against the roots already; those of other lengths
   * are left out
   */
  constructor(
    hashes: Hashes,
    info: Pick<TorrentInfo, 'pieceBytes' | 'files'>,
    pieceLayers: ReadonlyMap<string, Uint8Array> = new Map(),
    leavesBytesMax: number = hashTreeLimits.leavesBytesMax,
  ) {
    this.#hashes = hashes;
    this.#pieceBytes = info.pieceBytes;
    this.#leavesBytesMax = leavesBytesMax;
    for (const file of info.files) {
      if (file.piecesRoot === null || file.bytes === 0) continue;
      const tree = createFileTree(file.index, file.piecesRoot, file.offset, file.bytes, info.pieceBytes);
      this.#trees.push(tree);
      this.#byFile.set(file.index, tree);
      const name = toHex(tree.root);
      if (!this.#byRoot.has(name)) this.#byRoot.set(name, tree);
      this.#unknownChunkCount += tree.knownChunks.bitCount;
      const layer = pieceLayers.get(name);
      if (layer?.length === tree.pieceCount * nodeBytes) this.#acceptLayer(tree, layer);
    }
    this.#trees.sort((a, b) => a.firstPiece - b.firstPiece);
  }

  /** True when every piece's root is known. */
  get isComplete(): boolean {
    return this.#unknownChunkCount === 0;
  }

  /** Place of the file in the torrent's files, or -1 when the piece has no v2 hash. */
  fileOf(piece: number): number {
    return this.#treeOf(piece)?.file ?? -1;
  }

  /** What the piece must hash to over {@link leafCountOf} leaves: 32 bytes, a view; null while not known. */
  expectedRootOf(piece: number): Uint8Array | null {
    const tree = this.#treeOf(piece);
    if (tree === null) return null;
    if (tree.pieceCount === 1) return tree.root;
    const index = piece - tree.firstPiece;
    if (!tree.knownChunks.has(Math.floor(index / layerChunkLength))) return null;
    return tree.nodes!.subarray(index * nodeBytes, (index + 1) * nodeBytes);
  }

  /** Leaves below the piece's root, padding included: a power of two. 0 when the piece has no v2 hash. */
  leafCountOf(piece: number): number {
    const tree = this.#treeOf(piece);
    return tree === null ? 0 : 2 ** tree.pieceLayer;
  }

  /** Blocks of the piece with content: leaves that are not padding. */
  blockCountOf(piece: number): number {
    const tree = this.#treeOf(piece);
    return tree === null ? 0 : blockCountIn(tree, piece);
  }

  /** The file's piece layer, 32 bytes a piece: a view. Null: not all known, or a file that has none. */
  pieceLayerOf(file: number): Uint8Array | null {
    const tree = this.#byFile.get(file);
    return tree === undefined || tree.pieceCount === 1 || !tree.knownChunks.isFull ? null : tree.nodes;
  }

  /** Takes a whole piece layer that was kept somewhere, when it leads to the file's root. Copied. */
  tryLoadPieceLayer(file: number, layer: Uint8Array): boolean {
    const tree = this.#byFile.get(file);
    if (tree === undefined || tree.pieceCount === 1 || layer.length !== tree.pieceCount * nodeBytes)
      return false;
    if (!pieceLayerMatches(this.#hashes, layer, this.#pieceBytes, tree.root)) return false;
    if (!tree.knownChunks.isFull) this.#acceptLayer(tree, layer.slice());
    return true;
  }

  /**
   * The parts of piece layers that are not known, in the torrent's order, each with the request that asks
   * for it.
   */
  missingChunks(): {
    readonly firstPiece: number;
    readonly pieceCount: number;
    readonly request: HashRequest;
  }[] {
    const missing = [];
    for (const tree of this.#trees) {
      for (
        let chunk = tree.knownChunks.nextClear(0);
        chunk >= 0;
        chunk = tree.knownChunks.nextClear(chunk + 1)
      ) {
        const index = chunk * layerChunkLength;
        const pieceCount = Math.min(layerChunkLength, tree.pieceCount - index);
        // One hash alone has no agreed proof; its neighbour is padding and costs nothing.
        const length = Math.max(2, treeWidth(pieceCount));
        const proofLayers = tree.height - tree.pieceLayer - 1;
        const request = { root: tree.root, baseLayer: tree.pieceLayer, index, length, proofLayers };
        missing.push({ firstPiece: tree.firstPiece + index, pieceCount, request });
      }
    }
    return missing;
  }

  /**
   * Takes a chunk of a piece layer that answers a request of {@link missingChunks}.
   * @param firstPiece of the chunk: names the file, for two files may have the same root
   * @returns false when the hashes do not lead to the file's root: they are false, and so is who sent them
   */
  tryInsertChunk(firstPiece: number, range: HashRange): boolean {
    const tree = this.#treeOf(firstPiece);
    assert(tree !== null && tree.pieceCount > 1, 'the chunk was asked for');
    const { index, length } = range.request;
    assert(index === firstPiece - tree.firstPiece && index % layerChunkLength === 0, 'the range is a chunk');
    const height = tree.height - tree.pieceLayer;
    if (!proofMatches(this.#hashes, range.hashes, index, range.uncles, height, tree.root)) return false;
    tree.nodes ??= new Uint8Array(tree.pieceCount * nodeBytes);
    const count = Math.min(length, tree.pieceCount - index);
    tree.nodes.set(range.hashes.subarray(0, count * nodeBytes), index * nodeBytes);
    if (tree.knownChunks.set(index / layerChunkLength)) this.#unknownChunkCount--;
    return true;
  }

  /** Requests for all leaves of a piece whose root is known; none when its root is its only leaf. */
  leafRequestsOf(piece: number): HashRequest[] {
    const tree = this.#treeOf(piece);
    if (tree === null || tree.pieceLayer === 0) return [];
    const leafCount = 2 ** tree.pieceLayer;
    const length = Math.min(hashMessageLimits.requestLengthMax, leafCount);
    const requests = [];
    for (let at = 0; at < blockCountIn(tree, piece); at += length) {
      const index = (piece - tree.firstPiece) * leafCount + at;
      requests.push({ root: tree.root, baseLayer: 0, index, length, proofLayers: tree.pieceLayer - 1 });
    }
    return requests;
  }

  /** True when the leaves in an answer to one of {@link leafRequestsOf} lead to the piece's root. */
  provesLeaves(piece: number, range: HashRange): boolean {
    const root = this.expectedRootOf(piece);
    const leafCount = this.leafCountOf(piece);
    if (root === null) return false;
    const index = range.request.index % leafCount;
    return proofMatches(this.#hashes, range.hashes, index, range.uncles, treeHeight(leafCount), root);
  }

  /** Remembers the leaves of a piece whose root was found right: 32 bytes a block, given away. */
  setLeaves(piece: number, leaves: Uint8Array): void {
    const tree = this.#treeOf(piece);
    if (tree === null || tree.pieceLayer === 0) return;
    assert(leaves.length === blockCountIn(tree, piece) * nodeBytes, 'there is a leaf for each block');
    this.#leavesBytes += leaves.length - (this.#leaves.get(piece)?.length ?? 0);
    this.#leaves.delete(piece);
    this.#leaves.set(piece, leaves);
    for (const [oldest, bytes] of this.#leaves) {
      if (this.#leavesBytes <= this.#leavesBytesMax || oldest === piece) break;
      this.#leaves.delete(oldest);
      this.#leavesBytes -= bytes.length;
    }
  }

  /** Leaves of a piece, 32 bytes a block, while they are remembered. */
  leavesOf(piece: number): Uint8Array | null {
    return this.#leaves.get(piece) ?? null;
  }

  /** Answers a decoded hash request from what is known; see {@link HashAnswer}. */
  answer(request: HashRequest): HashAnswer {
    const tree = this.#byRoot.get(toHex(request.root));
    if (tree === undefined || !fitsTree(tree, request)) return null;
    if (request.baseLayer === tree.pieceLayer) return this.#answerPieces(tree, request);
    return request.baseLayer === 0 ? this.#answerLeaves(tree, request) : null;
  }

  #answerPieces(tree: FileTree, request: HashRequest): HashAnswer {
    if (!tree.knownChunks.isFull) return null;
    const { index, length } = request;
    const hashes = nodesOf(this.#hashes, tree.nodes!, tree.pieceLayer, index, length);
    return { type: 'hashes', range: { request, hashes, uncles: this.#uncles(tree, request, null) } };
  }

  #answerLeaves(tree: FileTree, request: HashRequest): HashAnswer {
    const { index, length } = request;
    if (request.proofLayers >= tree.pieceLayer && !tree.knownChunks.isFull) return null;
    const leafCount = 2 ** tree.pieceLayer;
    const hashes = new Uint8Array(length * nodeBytes);
    const first = Math.floor(index / leafCount);
    const last = Math.min(tree.pieceCount - 1, Math.floor((index + length - 1) / leafCount));
    for (let i = first; i <= last; i++) {
      const leaves = this.#leaves.get(tree.firstPiece + i);
      if (leaves === undefined) return { type: 'leaves', piece: tree.firstPiece + i };
      const from = Math.max(0, index - i * leafCount);
      const part = leaves.subarray(from * nodeBytes, (index + length - i * leafCount) * nodeBytes);
      hashes.set(part, (i * leafCount + from - index) * nodeBytes);
    }
    const own = first >= tree.pieceCount ? new Uint8Array(0) : this.#leaves.get(tree.firstPiece + first)!;
    return { type: 'hashes', range: { request, hashes, uncles: this.#uncles(tree, request, own) } };
  }

  /** @param leaves of the piece that holds the range, when the range is one of leaves */
  #uncles(tree: FileTree, request: HashRequest, leaves: Uint8Array | null): Uint8Array {
    const { baseLayer, index, length, proofLayers } = request;
    const uncles = new Uint8Array(uncleCountOf(length, proofLayers) * nodeBytes);
    const lowest = ceilLog2(length);
    for (let above = lowest; above <= proofLayers; above++) {
      const layer = baseLayer + above;
      const node = Math.floor(index / 2 ** above);
      const sibling = node % 2 === 0 ? node + 1 : node - 1;
      uncles.set(this.#node(tree, layer, sibling, leaves), (above - lowest) * nodeBytes);
    }
    return uncles;
  }

  #node(tree: FileTree, layer: number, index: number, leaves: Uint8Array | null): Uint8Array {
    if (layer >= tree.pieceLayer) {
      tree.layers ??= merkleLayers(this.#hashes, tree.nodes!, tree.pieceLayer);
      return nodeAt(this.#hashes, tree.layers[layer - tree.pieceLayer]!, layer, index);
    }
    const width = 2 ** layer;
    const from = (index * width) % 2 ** tree.pieceLayer;
    const below = leaves!.subarray(from * nodeBytes, (from + width) * nodeBytes);
    return merkleRoot(this.#hashes, below, 0, width);
  }

  #acceptLayer(tree: FileTree, layer: Uint8Array): void {
    if (tree.pieceCount === 1) return;
    this.#unknownChunkCount -= tree.knownChunks.bitCount - tree.knownChunks.setCount;
    tree.knownChunks.setAll();
    tree.nodes = layer;
  }

  /** Binary search: the last tree that begins at or before the piece, if it reaches it. */
  #treeOf(piece: number): FileTree | null {
    let [low, high] = [0, this.#trees.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#trees[middle]!.firstPiece <= piece) low = middle + 1;
      else high = middle;
    }
    const tree = this.#trees[low - 1];
    return tree !== undefined && piece < tree.firstPiece + tree.pieceCount ? tree : null;
  }
}

function createFileTree(
  file: number,
  root: Uint8Array,
  offset: number,
  bytes: number,
  pieceBytes: number,
): FileTree {
  const blockCount = Math.ceil(bytes / blockBytes);
  const pieceCount = Math.ceil(bytes / pieceBytes);
  const chunkCount = pieceCount === 1 ? 0 : Math.ceil(pieceCount / layerChunkLength);
  return {
    file,
    root,
    firstPiece: offset / pieceBytes,
    pieceCount,
    blockCount,
    height: treeHeight(blockCount),
    pieceLayer: treeHeight(pieceLeafCount(bytes, pieceBytes)),
    nodes: null,
    knownChunks: new Bitfield(chunkCount),
    layers: null,
  };
}

function blockCountIn(tree: FileTree, piece: number): number {
  const leafCount = 2 ** tree.pieceLayer;
  return Math.min(leafCount, tree.blockCount - (piece - tree.firstPiece) * leafCount);
}

/** True when the range and its proof lie inside the file's tree, below the root. */
function fitsTree(tree: FileTree, request: HashRequest): boolean {
  const { baseLayer, index, length, proofLayers } = request;
  if (baseLayer + proofLayers >= tree.height) return false;
  const end = index + length;
  const isSubtree = 2 ** ceilLog2(length) === length;
  return isSubtree
    ? end <= 2 ** (tree.height - baseLayer)
    : end === Math.ceil(tree.blockCount / 2 ** baseLayer);
}
