/**
 * Walks a graph of blocks from its root, each block before what it links to, its links in their order: which blocks
 * are wanted now, and what comes next.
 *
 *   the way ahead:   [come] [asked] [asked] [waiting] [waiting] ...
 *                       |     '--- window ----'
 *                       '-- expanded: gives items, and its children take its place
 *
 * Blocks are asked for in order, ahead of what is handed out, but never more than the window: memory is bounded. A
 * block is expanded only when all before it is done. So the order is the same however blocks arrive, and a rule such
 * as "each block once" can be kept while walking.
 */
import type { Fault, Result } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';

/** A block on the way, and whatever else the walk must know of it. */
export type WalkNode = { readonly cid: CID };

export type Expansion<Node extends WalkNode, Item> = {
  readonly items: readonly Item[];
  readonly children: readonly Node[];
};

export interface WalkRule<Node extends WalkNode, Item> {
  /** What a block gives. The bytes are the rule's to give away. */
  expand(node: Node, block: Uint8Array): Result<Expansion<Node, Item>>;
  /** Whether a block is passed over with all below it; once true of a block, always true of it. */
  skips?(node: Node): boolean;
}

export type WantedBlock = { readonly id: number; readonly cid: CID };

type Part<Node> = { readonly node: Node; next: Part<Node> | null; asked: boolean; block: Uint8Array | null };

export class DagWalk<Node extends WalkNode, Item> {
  readonly #rule: WalkRule<Node, Item>;
  readonly #windowBlocks: number;
  readonly #asked = new Map<number, Part<Node>>();
  readonly #items: Item[] = [];
  #itemIndex = 0;
  #first: Part<Node> | null;
  /** All before it are asked for. */
  #firstWaiting: Part<Node> | null;
  /** Parts that are asked for, or have come and are not expanded. */
  #heldCount = 0;
  #nextId = 0;
  #fault: Fault | null = null;

  /** @param windowBlocks blocks that are asked for or held at once */
  constructor(root: Node, rule: WalkRule<Node, Item>, windowBlocks = 16) {
    this.#rule = rule;
    this.#windowBlocks = windowBlocks;
    this.#first = { node: root, next: null, asked: false, block: null };
    this.#firstWaiting = this.#first;
  }

  /** Nothing is left to wait for or to hand out. */
  get isDone(): boolean {
    return this.#first === null && this.#itemIndex === this.#items.length;
  }

  /** Why it cannot go on; nothing more is wanted then. */
  get fault(): Fault | null {
    return this.#fault;
  }

  /** Blocks that are wanted from now on, each once, the most urgent first. */
  pollWanted(): WantedBlock[] {
    const wanted: WantedBlock[] = [];
    this.#advance();
    while (this.#fault === null && this.#firstWaiting !== null && this.#heldCount < this.#windowBlocks) {
      const part = this.#firstWaiting;
      this.#firstWaiting = nextWaiting(part.next);
      if (this.#rule.skips?.(part.node) === true) continue;
      part.asked = true;
      this.#heldCount++;
      const id = this.#nextId++;
      this.#asked.set(id, part);
      wanted.push({ id, cid: part.node.cid });
    }
    return wanted;
  }

  /** A wanted block has come, and is what its CID says. The bytes are given away. */
  handleBlock(id: number, block: Uint8Array): void {
    const part = this.#asked.get(id);
    this.#asked.delete(id);
    if (part !== undefined) part.block = block;
  }

  /** What comes next, or null: not here yet, done, or faulty. */
  pollItem(): Item | null {
    if (this.#itemIndex === this.#items.length) this.#advance();
    if (this.#itemIndex === this.#items.length) return null;
    return this.#items[this.#itemIndex++]!;
  }

  /** Expands what is first and here, until there is something to hand out. */
  #advance(): void {
    while (this.#itemIndex === this.#items.length && this.#first !== null && this.#fault === null) {
      const part = this.#first;
      if (this.#rule.skips?.(part.node) === true) {
        this.#remove(part);
        continue;
      }
      if (part.block === null) return;
      const expansion = this.#rule.expand(part.node, part.block);
      if (!expansion.ok) {
        this.#fault = expansion.fault;
        return;
      }
      this.#items.length = 0;
      this.#itemIndex = 0;
      for (const item of expansion.value.items) this.#items.push(item);
      this.#remove(part);
      this.#insert(expansion.value.children);
    }
  }

  /** The first part leaves. What was asked for in its name is not waited for. */
  #remove(part: Part<Node>): void {
    this.#first = part.next;
    if (part.asked) this.#heldCount--;
    if (this.#firstWaiting === part) this.#firstWaiting = nextWaiting(part.next);
  }

  #insert(children: readonly Node[]): void {
    for (let i = children.length - 1; i >= 0; i--)
      this.#first = { node: children[i]!, next: this.#first, asked: false, block: null };
    if (children.length > 0) this.#firstWaiting = this.#first;
  }
}

function nextWaiting<Node>(from: Part<Node> | null): Part<Node> | null {
  let part = from;
  while (part?.asked === true) part = part.next;
  return part;
}
