/** Reads every block, in the order in which they lie, and drops those that are no longer what they should be. */

import type { CID } from 'multiformats/cid';
import { cidOfKey } from '../core/block-key.ts';
import { blockLimits } from '../limits.ts';
import type { SegmentRow } from './block-index.ts';
import type { BlockStore } from './block-store.ts';
import { isBroken } from './ipfs-errors.ts';

export type VerificationProgress = {
  readonly checkedCount: number;
  readonly totalCount: number;
  readonly corruptCount: number;
};

export type VerificationReport = {
  readonly checkedCount: number;
  /** As CIDv1 of raw bytes. Dropped, but for those in a file that is gone: it may come back. */
  readonly corrupt: readonly CID[];
};

export type VerificationOptions = {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerificationProgress) => void;
};

/** @throws NodeError DISK_*; the signal's reason */
export async function verifyBlocks(
  store: BlockStore,
  options: VerificationOptions = {},
): Promise<VerificationReport> {
  const run = new Verification(store, options);
  for (const segment of [...store.index.segments.values()]) await run.checkSegment(segment);
  await run.checkFiles();
  return run.report();
}

class Verification {
  readonly #store: BlockStore;
  readonly #options: VerificationOptions;
  readonly #totalCount: number;
  readonly #corrupt: CID[] = [];
  #checkedCount = 0;

  constructor(store: BlockStore, options: VerificationOptions) {
    this.#store = store;
    this.#options = options;
    this.#totalCount = store.index.count().count;
  }

  async checkSegment({ id, bytes }: SegmentRow): Promise<void> {
    const { index, segments } = this.#store;
    const suspects: CID[] = [];
    const end = await segments.walk(
      id,
      0,
      bytes,
      ({ key, check }, payload, at) => {
        const row = index.find(key);
        if (row === null || row.place !== id || row.at !== at) return;
        if (this.#store.isSound(key, payload, check)) this.#count(1);
        else suspects.push(cidOfKey(key.slice()));
      },
      this.#options.signal ?? null,
    );
    for (const cid of suspects) await this.#checkOne(cid);
    // Behind a record whose head is broken only the index knows where the next one begins.
    if (end < bytes) for (const { key } of index.blocksIn(id, end)) await this.#checkOne(cidOfKey(key));
  }

  async checkFiles(): Promise<void> {
    let after: Uint8Array | null = null;
    for (;;) {
      const page = this.#store.index.page(after, blockLimits.stepCount);
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.key;
      for (const { key, place } of page) if (place < 0) await this.#checkOne(cidOfKey(key));
      await this.#store.rest();
    }
  }

  report(): VerificationReport {
    return { checkedCount: this.#checkedCount, corrupt: this.#corrupt };
  }

  /** Reading it is the check, and drops it. */
  async #checkOne(cid: CID): Promise<void> {
    this.#options.signal?.throwIfAborted();
    try {
      if ((await this.#store.get(cid)) === null) return;
    } catch (error) {
      if (!isBroken(error)) throw error;
      this.#corrupt.push(cid);
    }
    this.#count(1);
  }

  #count(count: number): void {
    this.#checkedCount += count;
    if (this.#checkedCount % blockLimits.stepCount !== 0 && this.#checkedCount < this.#totalCount) return;
    this.#options.onProgress?.({
      checkedCount: this.#checkedCount,
      totalCount: this.#totalCount,
      corruptCount: this.#corrupt.length,
    });
  }
}
