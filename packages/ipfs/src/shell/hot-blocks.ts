/**
 * Blocks that are asked for again and again, in memory: a gateway's visitors want the same few. A block is checked when
 * it is read; from its second reading on it is kept, as long as it is in the store and others are not wanted more.
 *
 *   get ─> in memory, and in the store still? that : reader ─> twice of late? kept
 */
import { keyOf, textOfKey } from '../core/block-key.ts';
import { RecentKeys } from '../core/recent-keys.ts';
import { blockLimits } from '../limits.ts';
import type { BlockReader } from './blocks.ts';

/** See the top of the file. */
export class HotBlocks {
  readonly #store: BlockReader;
  readonly #bytesMax: number;
  /** The one that was not asked for the longest comes first. */
  readonly #blocks = new Map<string, Uint8Array>();
  readonly #seen = new RecentKeys(blockLimits.hotSeenCount);
  #bytes = 0;

  /** @param store what is here: a block that leaves it is no longer given. @param bytesMax of the blocks kept */
  constructor(store: BlockReader, bytesMax: number = blockLimits.hotBytesMax) {
    this.#store = store;
    this.#bytesMax = bytesMax;
  }

  /** Of the blocks that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What `reader` has, and what is kept. Its bytes are shared: they are for reading alone. */
  before(reader: BlockReader): BlockReader {
    return {
      has: (cid) => reader.has(cid),
      get: async (cid, options) => {
        const key = textOfKey(keyOf(cid));
        const kept = this.#blocks.get(key);
        if (kept !== undefined && (await this.#store.has(cid))) {
          this.#renew(key, kept);
          return kept;
        }
        this.#drop(key);
        const bytes = await reader.get(cid, options);
        if (bytes === null) return null;
        if (this.#seen.has(key)) this.#keep(key, bytes);
        else this.#seen.add(key);
        return bytes;
      },
    };
  }

  #renew(key: string, bytes: Uint8Array): void {
    // Others may have had it dropped meanwhile.
    if (!this.#blocks.delete(key)) return;
    this.#blocks.set(key, bytes);
  }

  #keep(key: string, bytes: Uint8Array): void {
    if (bytes.length > this.#bytesMax) return;
    this.#drop(key);
    this.#blocks.set(key, bytes);
    this.#bytes += bytes.length;
    for (const oldest of this.#blocks.keys()) {
      if (this.#bytes <= this.#bytesMax && this.#blocks.size <= blockLimits.hotCountMax) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#blocks.get(key)?.length ?? 0;
    this.#blocks.delete(key);
  }
}
