/** Feeds a walk with blocks: the next ones are asked for while the last ones are used. */
import type { CID } from 'multiformats/cid';
import type { DagWalk, WalkNode } from '../core/dag-walk.ts';
import type { BlockReader } from './blocks.ts';
import { blockMissing, thrown } from './ipfs-errors.ts';

/**
 * The walk's items, in order.
 * @throws NodeError `IPFS_BLOCK_MISSING` when a block cannot be had, and the walk's fault
 */
export async function* walkDag<Node extends WalkNode, Item>(
  reader: BlockReader,
  walk: DagWalk<Node, Item>,
  signal?: AbortSignal,
): AsyncGenerator<Item, void, undefined> {
  const arrivals = new Arrivals();
  for (;;) {
    for (const { id, cid } of walk.pollWanted()) arrivals.expect(id, getBlock(reader, cid, signal));
    for (let item = walk.pollItem(); item !== null; item = walk.pollItem()) yield item;
    if (walk.fault !== null) throw thrown(walk.fault);
    if (walk.isDone) return;
    // What was handed out may have made room in the window.
    for (const { id, cid } of walk.pollWanted()) arrivals.expect(id, getBlock(reader, cid, signal));
    const { id, bytes } = await arrivals.next();
    walk.handleBlock(id, bytes);
  }
}

/** @throws NodeError `IPFS_BLOCK_MISSING` when it is not here and could not be had */
export async function getBlock(reader: BlockReader, cid: CID, signal?: AbortSignal): Promise<Uint8Array> {
  signal?.throwIfAborted();
  if (isIdentity(cid)) return cid.multihash.digest.slice();
  const bytes = await reader.get(cid, signal === undefined ? {} : { signal });
  if (bytes === null) throw blockMissing(cid);
  return bytes;
}

/** Its content is in the CID itself. */
export function isIdentity(cid: CID): boolean {
  return cid.multihash.code === 0;
}

type Arrival = { readonly id: number; readonly bytes: Uint8Array } | { readonly error: unknown };

/** Blocks that were asked for together, in the order in which they come. */
class Arrivals {
  readonly #come: Arrival[] = [];
  #wake: (() => void) | null = null;

  expect(id: number, block: Promise<Uint8Array>): void {
    block.then(
      (bytes) => this.#handle({ id, bytes }),
      (error: unknown) => this.#handle({ error }),
    );
  }

  /** @throws what the reader threw */
  async next(): Promise<{ readonly id: number; readonly bytes: Uint8Array }> {
    while (this.#come.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    const arrival = this.#come.shift()!;
    if ('error' in arrival) throw arrival.error;
    return arrival;
  }

  #handle(arrival: Arrival): void {
    this.#come.push(arrival);
    this.#wake?.();
    this.#wake = null;
  }
}
