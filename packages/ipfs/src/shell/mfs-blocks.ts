/**
 * Folders that are being changed: their blocks stay in memory until the change is to be kept. Of a hundred changes to
 * one folder, the blocks of the last are written, and those of the others never were.
 */
import type { CID } from 'multiformats/cid';
import { linksOf } from '../core/ipld.ts';
import { cidKey } from '../wire/cid.ts';
import type { Block, BlockReader, BlockWriter } from './blocks.ts';

export class MfsBlocks implements BlockReader {
  readonly #store: BlockReader & BlockWriter;
  #pending = new Map<string, Block>();
  /** Of before the last flush: somebody may still be reading a folder as it was then. */
  #before = new Map<string, Block>();
  #pendingBytes = 0;

  constructor(store: BlockReader & BlockWriter) {
    this.#store = store;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  add(block: Block): void {
    const key = cidKey(block.cid);
    if (this.#pending.has(key)) return;
    this.#pending.set(key, block);
    this.#pendingBytes += block.bytes.length;
  }

  async get(cid: CID, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array | null> {
    return this.#find(cid)?.bytes.slice() ?? (await this.#store.get(cid, options));
  }

  async has(cid: CID): Promise<boolean> {
    return this.#find(cid) !== undefined || (await this.#store.has(cid));
  }

  /** Writes what hangs on `root`, and forgets the rest. @throws NodeError of the store; then nothing is forgotten */
  async flush(root: CID): Promise<void> {
    const reached = new Map<string, Block>();
    const waiting = [root];
    for (let cid = waiting.pop(); cid !== undefined; cid = waiting.pop()) {
      const key = cidKey(cid);
      const block = this.#pending.get(key);
      if (block === undefined || reached.has(key)) continue;
      reached.set(key, block);
      const links = linksOf(cid, block.bytes);
      if (links.ok) waiting.push(...links.value);
    }
    if (reached.size > 0) await this.#store.put([...reached.values()]);
    this.#before = this.#pending;
    this.#pending = new Map();
    this.#pendingBytes = 0;
  }

  #find(cid: CID): Block | undefined {
    const key = cidKey(cid);
    return this.#pending.get(key) ?? this.#before.get(key);
  }
}
