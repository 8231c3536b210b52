import { type Hashes, NodeError, type Slab } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { matchesCid } from '../core/block-hash.ts';
import type { Block, BlockWriter } from './blocks.ts';
import { inlineLeafHasher, type LeafHasher } from './leaf-hasher.ts';

/** Larger than the largest block. */
const slabBytes = 4 << 20;
const batchBlockCountMax = 4096;
const sha256Code = 0x12;

export type VerifiedBlocksDeps = {
  readonly hashes: Hashes;
  readonly blocks: BlockWriter;
  /** Absent: this thread hashes. */
  readonly leafHasher?: LeafHasher;
};

/**
 * Strangers' blocks on their way into the store: hashed (on other threads, when there are some), compared with their
 * CIDs, then kept. Several batches are under way at once, and no more.
 */
export class VerifiedBlocks {
  readonly #deps: VerifiedBlocksDeps;
  readonly #hasher: LeafHasher;
  readonly #underWay = new Set<Promise<void>>();
  #error: unknown = null;
  #slab: Slab | null = null;
  #ranges: number[] = [];
  #cids: CID[] = [];

  constructor(deps: VerifiedBlocksDeps) {
    this.#deps = deps;
    this.#hasher = deps.leafHasher ?? inlineLeafHasher(deps.hashes);
  }

  /**
   * Takes a copy. Waits while too much is under way.
   * @throws NodeError `IPFS_BLOCK_CORRUPT` when this block, or one before it, is not what its CID says; of the store
   */
  async add(cid: CID, bytes: Uint8Array): Promise<void> {
    this.#throwIfFailed();
    if (cid.multihash.code !== sha256Code || bytes.length > slabBytes) {
      if (!matchesCid(this.#deps.hashes, cid, bytes)) throw blockCorrupt(cid);
      await this.#deps.blocks.put([{ cid, bytes }]);
      return;
    }
    const at = this.#ranges.at(-1) ?? 0;
    if (at + bytes.length > slabBytes || this.#cids.length >= batchBlockCountMax) {
      await this.#send();
      await this.add(cid, bytes);
      return;
    }
    this.#slab ??= this.#hasher.allocate(slabBytes);
    this.#slab.copyFrom(bytes, 0, bytes.length, at);
    this.#ranges.push(at, at + bytes.length);
    this.#cids.push(cid);
  }

  /** All that was added is checked and in the store. To be called also after an error. @throws as {@link add} */
  async finish(): Promise<void> {
    if (this.#error === null) await this.#send();
    await Promise.all(this.#underWay);
    if (this.#slab !== null) this.#hasher.free(this.#slab);
    this.#slab = null;
    this.#throwIfFailed();
  }

  #throwIfFailed(): void {
    if (this.#error !== null) throw this.#error;
  }

  async #send(): Promise<void> {
    const slab = this.#slab;
    if (slab === null) return;
    const [ranges, cids] = [this.#ranges, this.#cids];
    this.#slab = null;
    this.#ranges = [];
    this.#cids = [];
    const work = this.#work(slab, ranges, cids)
      .catch((error: unknown) => void (this.#error ??= error))
      .finally(() => {
        this.#hasher.free(slab);
        this.#underWay.delete(work);
      });
    this.#underWay.add(work);
    if (this.#underWay.size > this.#hasher.slabCount) await Promise.race(this.#underWay);
  }

  async #work(slab: Slab, ranges: readonly number[], cids: readonly CID[]): Promise<void> {
    const digests = await this.#hasher.hash(slab, ranges);
    const blocks: Block[] = cids.map((cid, index) => {
      const { digest } = cid.multihash;
      for (let i = 0; i < 32; i++) if (digest[i] !== digests[32 * index + i]) throw blockCorrupt(cid);
      return { cid, bytes: slab.bytes.subarray(ranges[2 * index]!, ranges[2 * index + 1]!) };
    });
    await this.#deps.blocks.put(blocks);
  }
}

export function blockCorrupt(cid: CID): NodeError {
  return new NodeError('IPFS_BLOCK_CORRUPT', `Block ${cid} is something else than its CID says.`, {
    op: 'check',
    data: { cid: cid.toString() },
  });
}
