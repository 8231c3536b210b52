/**
 * Reads a file, or a range of it, out of its blocks: which blocks are wanted now, and which content comes next.
 *
 *   parts in the order of the content:   content  content  [asked]  [asked]  [waiting] ...
 *                                        '-- handed out --'  '--- window ---'
 *
 * A block in the middle of the tree is replaced by its children that the range touches. Blocks are asked for in
 * order, ahead of what is handed out, but never more than the window: memory is bounded whatever the file's size.
 * The tree is a stranger's: sizes that it claims are compared with what comes, and depth has a ceiling. What it
 * cannot do is make more be read than the range has bytes (and blocks of no content: they are skipped unread).
 */
import { type Fault, ok, type Result } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { refused } from '../faults.ts';
import { ipfsLimits } from '../limits.ts';
import { contentBytesOf, readUnixfsNode, type UnixfsNode } from './unixfs-node.ts';

export type FileWalkOptions = {
  /** First byte; beyond the end: nothing is read. */
  readonly from?: number;
  /** Byte after the last; beyond the end: up to the end. */
  readonly to?: number;
  /** Blocks that are asked for or held at once. */
  readonly windowBlocks?: number;
};

export type WantedBlock = { readonly id: number; readonly cid: CID };

type Part = {
  next: Part | null;
  /** Place of its first byte in the file. */
  readonly start: number;
  /** What its parent says of its length; null: the root, of which nobody has said anything. */
  readonly bytes: number | null;
  readonly depth: number;
  readonly cid: CID;
  state: 'waiting' | 'asked' | 'content';
  content: Uint8Array | null;
};

export class FileWalk {
  readonly #from: number;
  readonly #to: number;
  readonly #windowBlocks: number;
  readonly #asked = new Map<number, Part>();
  #first: Part | null;
  /** All before it are asked for or have come. */
  #firstWaiting: Part | null;
  /** Parts from the first on that are asked for or have come. */
  #heldCount = 0;
  #nextId = 0;
  #fileBytes: number | null = null;
  #fault: Fault | null = null;

  constructor(root: CID, options: FileWalkOptions = {}) {
    this.#from = options.from ?? 0;
    this.#to = options.to ?? Number.POSITIVE_INFINITY;
    this.#windowBlocks = options.windowBlocks ?? 16;
    this.#first = newPart(0, null, 0, root, null);
    this.#firstWaiting = this.#first;
  }

  /** Of the whole file; null until its root has come. */
  get fileBytes(): number | null {
    return this.#fileBytes;
  }

  get isDone(): boolean {
    return this.#first === null;
  }

  /** Why the file cannot be read on; nothing more is wanted then. */
  get fault(): Fault | null {
    return this.#fault;
  }

  /** Blocks that are wanted from now on, each once, the most urgent first. */
  pollWanted(): WantedBlock[] {
    const wanted: WantedBlock[] = [];
    if (this.#fault !== null) return wanted;
    while (this.#firstWaiting !== null && this.#heldCount < this.#windowBlocks) {
      const part = this.#firstWaiting;
      const id = this.#nextId++;
      part.state = 'asked';
      this.#asked.set(id, part);
      this.#heldCount++;
      this.#moveOn(part);
      wanted.push({ id, cid: part.cid });
    }
    return wanted;
  }

  /** A wanted block has come, and is what its CID says. The bytes are given away. */
  handleBlock(id: number, block: Uint8Array): Result<void> {
    const part = this.#asked.get(id);
    if (part === undefined || this.#fault !== null) return ok(undefined);
    this.#asked.delete(id);
    const node = readUnixfsNode(part.cid, block);
    const fault = node.ok ? this.#place(part, node.value) : node.fault;
    if (fault === null) return ok(undefined);
    this.#fault = fault;
    return { ok: false, fault };
  }

  /** The next bytes of the range, or null: not here yet, or done. */
  pollContent(): Uint8Array | null {
    while (this.#first !== null && this.#first.state === 'content') {
      const part = this.#first;
      this.#first = part.next;
      this.#heldCount--;
      const cut = this.#cut(part);
      if (cut.length > 0) return cut;
    }
    return null;
  }

  #cut({ start, content }: Part): Uint8Array {
    const from = Math.max(0, this.#from - start);
    const to = Math.min(content!.length, this.#to - start);
    return from >= to ? content!.subarray(0, 0) : content!.subarray(from, to);
  }

  /** Its content and children in the place of the part. */
  #place(part: Part, node: UnixfsNode): Fault | null {
    if (node.kind !== 'file' && node.kind !== 'raw')
      return faultOf(`${part.cid} is a ${node.kind}, not a file.`);
    const bytes = contentBytesOf(node);
    if (!Number.isSafeInteger(bytes) || (node.fileBytes !== null && node.fileBytes !== bytes))
      return faultOf(`${part.cid} says that it has ${node.fileBytes} bytes, and has ${bytes}.`);
    if (part.bytes !== null && part.bytes !== bytes)
      return faultOf(`${part.cid} should have ${part.bytes} bytes, and has ${bytes}.`);
    if (part.bytes === null) this.#fileBytes = bytes;
    if (part.depth >= ipfsLimits.fileDepthMax) return faultOf(`${part.cid} lies too deep in its file.`);
    part.state = 'content';
    part.content = node.data ?? noBytes;
    this.#insertChildren(part, node);
    return null;
  }

  #insertChildren(parent: Part, node: UnixfsNode): void {
    let last = parent;
    let start = parent.start + (node.data?.length ?? 0);
    let firstNew: Part | null = null;
    for (const [index, link] of node.links.entries()) {
      const bytes = node.childBytes[index]!;
      const touches = bytes > 0 && start < this.#to && start + bytes > this.#from;
      if (touches) {
        last.next = newPart(start, bytes, parent.depth + 1, link.cid, last.next);
        last = last.next;
        firstNew ??= last;
      }
      start += bytes;
    }
    // Later parts that were asked for already keep their place in the window.
    if (firstNew !== null && (this.#firstWaiting === null || firstNew.start < this.#firstWaiting.start))
      this.#firstWaiting = firstNew;
  }

  /** To the next part that is not asked for. */
  #moveOn(part: Part): void {
    let next = part.next;
    while (next !== null && next.state !== 'waiting') next = next.next;
    this.#firstWaiting = next;
  }
}

const noBytes = new Uint8Array(0);

function newPart(start: number, bytes: number | null, depth: number, cid: CID, next: Part | null): Part {
  return { next, start, bytes, depth, cid, state: 'waiting', content: null };
}

function faultOf(message: string): Fault {
  return refused('UNIXFS_FILE', message).fault;
}
