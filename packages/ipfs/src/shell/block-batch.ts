/** Small blocks on their way to the store, so that it is not called for each. */
import type { Block, BlockWriter } from './blocks.ts';

const batchBytes = 1 << 20;
const batchCount = 1000;

export class BlockBatch {
  readonly #store: BlockWriter;
  #blocks: Block[] = [];
  #bytes = 0;

  constructor(store: BlockWriter) {
    this.#store = store;
  }

  add(block: Block): void {
    this.#blocks.push(block);
    this.#bytes += block.bytes.length;
  }

  /** To be called after adding, where one can wait. @throws NodeError of the store */
  async flushIfFull(): Promise<void> {
    if (this.#bytes >= batchBytes || this.#blocks.length >= batchCount) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#blocks.length === 0) return;
    const blocks = this.#blocks;
    this.#blocks = [];
    this.#bytes = 0;
    await this.#store.put(blocks);
  }
}
