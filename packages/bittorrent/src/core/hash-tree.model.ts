/**
 * The naive twin of hash-tree.ts: every node of every file's tree, padding too, in memory, and what is known
 * as plain sets. It says what the real one must answer; it knows the truth from the start and only pretends
 * not to.
 */
import { bytesEqual, type Hashes } from '@tequio/kernel';
import type { HashRange, HashRequest } from '../wire/hash-messages.ts';

export type ModelFile = { readonly firstPiece: number; readonly leaves: readonly Uint8Array[] };

type ModelTree = {
  readonly firstPiece: number;
  readonly pieceCount: number;
  readonly blockCount: number;
  /** `rows[layer][index]`, leaves first, root last. */
  readonly rows: Uint8Array[][];
  readonly pieceLayer: number;
  readonly known: Set<number>;
};

export class HashTreeModel {
  readonly trees: ModelTree[];
  readonly #leavesBytesMax: number;
  #leafPieces: number[] = [];

  constructor(hashes: Hashes, files: readonly ModelFile[], blocksPerPiece: number, leavesBytesMax: number) {
    this.#leavesBytesMax = leavesBytesMax;
    this.trees = files.map(({ firstPiece, leaves }) => {
      const rows = [[...leaves]];
      while (Math.log2(rows[0]!.length) % 1 !== 0) rows[0]!.push(new Uint8Array(32));
      while (rows[rows.length - 1]!.length > 1) {
        const below = rows[rows.length - 1]!;
        const row = [];
        for (let i = 0; i < below.length; i += 2)
          row.push(hashes.sha256(Uint8Array.from([...below[i]!, ...below[i + 1]!])));
        rows.push(row);
      }
      const pieceCount = Math.ceil(leaves.length / blocksPerPiece);
      const pieceLayer = pieceCount === 1 ? rows.length - 1 : Math.log2(blocksPerPiece);
      return {
        firstPiece,
        pieceCount,
        blockCount: leaves.length,
        rows,
        pieceLayer,
        known: new Set<number>(),
      };
    });
  }

  treeOf(piece: number): ModelTree | null {
    return (
      this.trees.find((tree) => piece >= tree.firstPiece && piece < tree.firstPiece + tree.pieceCount) ?? null
    );
  }

  rootOf(piece: number): Uint8Array | null {
    const tree = this.treeOf(piece);
    if (tree === null) return null;
    const index = piece - tree.firstPiece;
    if (tree.pieceCount === 1) return tree.rows[tree.rows.length - 1]![0]!;
    return tree.known.has(index) ? tree.rows[tree.pieceLayer]![index]! : null;
  }

  leavesOf(piece: number): Uint8Array[] {
    const tree = this.treeOf(piece)!;
    const leafCount = 2 ** tree.pieceLayer;
    const from = (piece - tree.firstPiece) * leafCount;
    return tree.rows[0]!.slice(from, Math.min(from + leafCount, tree.blockCount));
  }

  markLeaves(piece: number): void {
    if (this.treeOf(piece)!.pieceLayer === 0) return;
    this.#leafPieces = [...this.#leafPieces.filter((other) => other !== piece), piece];
    const bytes = () => this.#leafPieces.reduce((sum, other) => sum + this.leavesOf(other).length * 32, 0);
    while (this.#leafPieces.length > 1 && bytes() > this.#leavesBytesMax) this.#leafPieces.shift();
  }

  hasLeaves(piece: number): boolean {
    return this.#leafPieces.includes(piece);
  }

  /** The truth that an honest peer with everything sends, or null when the range is not in the tree. */
  truthOf(request: HashRequest): HashRange | null {
    const tree = this.trees.find((other) => bytesEqual(other.rows[other.rows.length - 1]![0]!, request.root));
    const row = tree?.rows[request.baseLayer];
    if (tree === undefined || row === undefined) return null;
    const { baseLayer, index, length, proofLayers } = request;
    if (baseLayer + proofLayers > tree.rows.length - 2) return null;
    const realCount = Math.ceil(tree.blockCount / 2 ** baseLayer);
    if (Math.log2(length) % 1 === 0 ? index + length > row.length : index + length !== realCount) return null;
    const uncles = [];
    for (let above = Math.ceil(Math.log2(length)); above <= proofLayers; above++)
      uncles.push(tree.rows[baseLayer + above]![Math.floor(index / 2 ** above) ^ 1]!);
    return { request, hashes: joined(row.slice(index, index + length)), uncles: joined(uncles) };
  }

  /** What is to be answered: the truth, as far as it is known. */
  answer(
    request: HashRequest,
  ): { type: 'hashes'; range: HashRange } | { type: 'leaves'; piece: number } | null {
    const range = this.truthOf(request);
    const tree = this.trees.find((other) => bytesEqual(other.rows[other.rows.length - 1]![0]!, request.root));
    if (range === null || tree === undefined) return null;
    const isAllKnown = tree.known.size === tree.pieceCount || tree.pieceCount === 1;
    if (request.baseLayer === tree.pieceLayer) return isAllKnown ? { type: 'hashes', range } : null;
    if (request.baseLayer !== 0) return null;
    if (request.proofLayers >= tree.pieceLayer && !isAllKnown) return null;
    for (let leaf = request.index; leaf < request.index + request.length; leaf++) {
      const piece = tree.firstPiece + Math.floor(leaf / 2 ** tree.pieceLayer);
      if (leaf < tree.pieceCount * 2 ** tree.pieceLayer && !this.hasLeaves(piece))
        return { type: 'leaves', piece };
    }
    return { type: 'hashes', range };
  }
}

export function joined(nodes: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(nodes.flatMap((node) => [...node]));
}
