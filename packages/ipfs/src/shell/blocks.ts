/** Blocks as the parts of this package hand them to each other: who keeps them, and who can get them. */
import type { CID } from 'multiformats/cid';

/** Bytes whose hash is in their name. Whoever makes one from outside has checked that. */
export type Block = { readonly cid: CID; readonly bytes: Uint8Array };

/** Where a file has the bytes of a block. */
export type BlockInFile = { readonly cid: CID; readonly offset: number; readonly bytes: number };

export interface BlockReader {
  /**
   * The block's bytes, checked against the CID; they belong to the caller.
   * Null: it is not here, and (for readers that ask others) could not be had before `signal` or their patience ended.
   * @throws NodeError `IPFS_BLOCK_CORRUPT` when what is kept under this name is something else
   */
  get(cid: CID, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array | null>;
  /** Whether it is here; asks nobody else. */
  has(cid: CID): Promise<boolean>;
}

export interface BlockWriter {
  /**
   * Keeps blocks; those that are here already cost nothing. Resolves when the system has the bytes, which are borrowed
   * until then: they may lie in memory that is used again.
   * @throws NodeError `IPFS_STORE_FULL` (quota), DISK_*
   */
  put(blocks: readonly Block[]): Promise<void>;
}
