import type { CID } from 'multiformats/cid';
import { keyOf, textOfKey } from '../core/block-key.ts';
import type { Block, BlockReader, BlockWriter } from './blocks.ts';

/** Blocks in memory: for what is made and thrown away, and for tests. */
export class MemoryBlocks implements BlockReader, BlockWriter {
  readonly #blocks = new Map<string, Block>();

  get size(): number {
    return this.#blocks.size;
  }

  /** All blocks, in the order in which they came. */
  values(): IterableIterator<Block> {
    return this.#blocks.values();
  }

  async get(cid: CID): Promise<Uint8Array | null> {
    return this.#blocks.get(textOfKey(keyOf(cid)))?.bytes.slice() ?? null;
  }

  async has(cid: CID): Promise<boolean> {
    return this.#blocks.has(textOfKey(keyOf(cid)));
  }

  async put(blocks: readonly Block[]): Promise<void> {
    for (const { cid, bytes } of blocks) {
      const key = textOfKey(keyOf(cid));
      if (!this.#blocks.has(key)) this.#blocks.set(key, { cid, bytes: bytes.slice() });
    }
  }

  delete(cid: CID): void {
    this.#blocks.delete(textOfKey(keyOf(cid)));
  }
}
