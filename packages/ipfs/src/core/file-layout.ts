/**
 * How the leaves of a file hang together. Leaves come in order, one by one; a block is made as soon as it is full, so
 * the memory in use is one unfinished block a level.
 *
 *   balanced: all leaves at one depth          trickle: leaves first, then four trees of depth 1, four of depth 2, ...
 *
 *        root                                     root ── leaf leaf leaf
 *       /    \                                         ├─ (leaf leaf leaf) x 4
 *     node   node                                      ├─ (leaf leaf leaf, (leaf leaf leaf) x 4) x 4
 *     / \    / \                                       └─ ...
 */
import { encodeUnixfs, noMetadata, type UnixfsMetadata } from '../wire/unixfs.ts';
import type { BlockMaker, DagRoot } from './block-maker.ts';

export interface FileLayout {
  addLeaf(leaf: DagRoot): void;
  /** After the last leaf. @param metadata for the root; a root that is a raw leaf cannot hold any */
  finish(metadata?: UnixfsMetadata): DagRoot;
}

/** Children of a block that is not made yet. */
class OpenNode {
  readonly children: DagRoot[] = [];
  fileBytes = 0;

  add(child: DagRoot): void {
    this.children.push(child);
    this.fileBytes += child.fileBytes;
  }

  make(maker: BlockMaker, metadata: UnixfsMetadata): DagRoot {
    const data = encodeUnixfs({
      mode: metadata.mode,
      modified: metadata.modified,
      kind: 'file',
      fileBytes: this.fileBytes,
      childBytes: this.children.map((child) => child.fileBytes),
    });
    const links = this.children.map(({ cid, dagBytes }) => ({ cid, name: '', dagBytes }));
    return maker.addNode(links, data, this.fileBytes);
  }
}

/** A file without content, or with a mode or time but a single leaf, is one block of its own. */
export function makeSmallFile(
  maker: BlockMaker,
  content: Uint8Array,
  { mode, modified }: UnixfsMetadata,
): DagRoot {
  const data = content.length === 0 ? null : content;
  const fileBytes = content.length;
  return maker.addNode([], encodeUnixfs({ kind: 'file', data, fileBytes, mode, modified }), fileBytes);
}

export class BalancedLayout implements FileLayout {
  readonly #maker: BlockMaker;
  readonly #linkCountMax: number;
  /** The unfinished block of each level, leaves' parents first. */
  readonly #levels: OpenNode[] = [];

  constructor(maker: BlockMaker, linkCountMax: number) {
    this.#maker = maker;
    this.#linkCountMax = linkCountMax;
  }

  addLeaf(leaf: DagRoot): void {
    this.#add(0, leaf);
  }

  finish(metadata: UnixfsMetadata = noMetadata): DagRoot {
    // A level that gets one more may overflow into a new one: the count is taken anew each time.
    for (let level = 0; level < this.#levels.length - 1; level++)
      this.#add(level + 1, this.#levels[level]!.make(this.#maker, noMetadata));
    const root = this.#levels.at(-1)!;
    // A level is begun only when the one below is full, so only a lone leaf is an only child up here.
    return root.children.length === 1 ? root.children[0]! : root.make(this.#maker, metadata);
  }

  /** A full block is made when its next sibling comes: then there is surely a level above it. */
  #add(level: number, child: DagRoot): void {
    const node = (this.#levels[level] ??= new OpenNode());
    if (node.children.length < this.#linkCountMax) {
      node.add(child);
      return;
    }
    this.#levels[level] = new OpenNode();
    this.#levels[level].add(child);
    this.#add(level + 1, node.make(this.#maker, noMetadata));
  }
}

/** Trees of one depth before the next depth begins. */
const trickleRepeat = 4;

/** A block on the way down to the place of the next leaf. */
type TrickleNode = {
  readonly node: OpenNode;
  /** Depth of the trees below it is less than this. */
  readonly depthMax: number;
  /** Trees below it, finished or begun. */
  treeCount: number;
};

export class TrickleLayout implements FileLayout {
  readonly #maker: BlockMaker;
  readonly #linkCountMax: number;
  /** From the root to where the next leaf goes. */
  readonly #way: TrickleNode[] = [{ node: new OpenNode(), depthMax: Number.POSITIVE_INFINITY, treeCount: 0 }];

  constructor(maker: BlockMaker, linkCountMax: number) {
    this.#maker = maker;
    this.#linkCountMax = linkCountMax;
  }

  addLeaf(leaf: DagRoot): void {
    let here = this.#way.at(-1)!;
    while (here.treeCount > 0 || here.node.children.length >= this.#linkCountMax) {
      const depth = 1 + Math.floor(here.treeCount / trickleRepeat);
      if (depth < here.depthMax) {
        here.treeCount++;
        here = { node: new OpenNode(), depthMax: depth, treeCount: 0 };
        this.#way.push(here);
      } else here = this.#closeLast();
    }
    here.node.add(leaf);
  }

  finish(metadata: UnixfsMetadata = noMetadata): DagRoot {
    while (this.#way.length > 1) this.#closeLast();
    return this.#way[0]!.node.make(this.#maker, metadata);
  }

  /** Makes the lowest block and gives it to the one above, which is returned. */
  #closeLast(): TrickleNode {
    const { node } = this.#way.pop()!;
    const above = this.#way.at(-1)!;
    above.node.add(node.make(this.#maker, noMetadata));
    return above;
  }
}
