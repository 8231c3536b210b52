/**
 * What the user wants to keep. A recursive pin keeps all that hangs on its block, a direct one the block alone; what a
 * recursive pin keeps besides its root is pinned indirectly. A CID has one pin: a recursive one takes a direct one's
 * place. A pin that is recorded outlives a power failure, with every block that it keeps.
 */
import { NodeError } from '@tequio/kernel';
import { CID } from 'multiformats/cid';
import { inlineBytes, keyOf } from '../core/block-key.ts';
import { linksOf } from '../core/ipld.ts';
import { blockLimits } from '../limits.ts';
import { type BlockCollector, GraphWalk, type Roots } from './block-collection.ts';
import type { BlockStore } from './block-store.ts';
import type { BlockReader } from './blocks.ts';
import { isBroken } from './ipfs-errors.ts';

export type PinMode = 'recursive' | 'direct';

export type Pin = { readonly cid: CID; readonly mode: PinMode; readonly name: string };

export type PinOptions = {
  /** Default recursive. */
  readonly mode?: PinMode;
  readonly name?: string;
  readonly signal?: AbortSignal;
  /** Where blocks come from that are not here; what it gives is put. Default: nowhere. */
  readonly source?: BlockReader;
  /** So many blocks are here. */
  readonly onProgress?: (blockCount: number) => void;
};

export type PinCheck = { readonly pin: Pin; readonly missing: readonly CID[] };

/** See the top of the file. */
export class Pins {
  readonly #store: BlockStore;

  constructor(store: BlockStore) {
    this.#store = store;
  }

  /** What a collection must leave. */
  roots(): Pick<Roots, 'recursive' | 'direct'> {
    const pins = this.list();
    return {
      recursive: pins.filter(({ mode }) => mode === 'recursive').map(({ cid }) => cid),
      direct: pins.filter(({ mode }) => mode === 'direct').map(({ cid }) => cid),
    };
  }

  /**
   * Keeps the block, and by default all that hangs on it. The name of a pin that is there already is replaced.
   * @throws NodeError `IPFS_BLOCK_MISSING`, `IPFS_PIN_RECURSIVE` (asked for a direct one), `IPFS_PIN_NAME`, DISK_*
   */
  async add(cid: CID, collector: BlockCollector, options: PinOptions = {}): Promise<void> {
    const { mode = 'recursive', name } = options;
    checkName(name ?? '');
    const known = this.find(cid);
    if (known?.mode === 'recursive' && mode === 'direct') throw recursiveError(cid);
    if (known?.mode === mode) return this.#record({ cid, mode, name: name ?? known.name });
    await collector.notSweeping();
    const hold = this.#store.hold();
    try {
      if (mode === 'recursive') this.#store.holds.addRoot(hold, cid);
      await this.#fetchAll(cid, mode, options);
      await this.#store.segments.settled();
      await this.#store.segments.sync();
      this.#record({ cid, mode, name: name ?? known?.name ?? '' });
    } finally {
      this.#store.holds.release(hold);
    }
  }

  /**
   * Pins `to` as `from` is pinned, and by default lets `from` go.
   * @throws NodeError `IPFS_PIN_NONE` when `from` is not pinned recursively; as {@link add}
   */
  async update(
    from: CID,
    to: CID,
    collector: BlockCollector,
    options: Omit<PinOptions, 'mode'> & { readonly keepOld?: boolean } = {},
  ): Promise<void> {
    const known = this.find(from);
    if (known?.mode !== 'recursive') throw noneError(from);
    await this.add(to, collector, { ...options, name: options.name ?? known.name });
    if (options.keepOld !== true && !from.equals(to)) this.#forget(from);
  }

  /** @throws NodeError `IPFS_PIN_NONE`; `IPFS_PIN_RECURSIVE` when a direct one was meant and it is not */
  remove(cid: CID, mode: PinMode = 'recursive'): void {
    const known = this.find(cid);
    if (known === null) throw noneError(cid);
    if (mode === 'direct' && known.mode === 'recursive') throw recursiveError(cid);
    this.#forget(cid);
  }

  find(cid: CID): Pin | null {
    const row = this.#store.index.database.get('SELECT * FROM pins WHERE cid = ?', cid.bytes);
    return row === null ? null : pinOf(row);
  }

  /** Recursive and direct ones, in the order of their CIDs' bytes. */
  list(): readonly Pin[] {
    return this.#store.index.database.all('SELECT * FROM pins ORDER BY cid').map(pinOf);
  }

  /** Every block that recursive pins keep besides their roots, once, with the pin that was found to keep it. */
  async indirect(visit: (cid: CID, root: CID) => void, signal: AbortSignal | null = null): Promise<void> {
    const pins = this.list().filter(({ mode }) => mode === 'recursive');
    const roots = new Set(pins.map(({ cid }) => cid.toString()));
    const graph = new GraphWalk(this.#store, signal);
    for (const { cid: root } of pins)
      await graph.walk([root], (cid) => {
        if (!roots.has(cid.toString())) visit(cid, root);
      });
  }

  /** Each recursive pin with what is missing or broken of it. */
  async *verify(signal: AbortSignal | null = null): AsyncGenerator<PinCheck> {
    for (const pin of this.list()) {
      const missing: CID[] = [];
      if (pin.mode === 'direct') {
        if (!(await this.#store.has(pin.cid))) missing.push(pin.cid);
      } else await this.#checkGraph(pin.cid, missing, signal);
      yield { pin, missing };
    }
  }

  async #checkGraph(root: CID, missing: CID[], signal: AbortSignal | null): Promise<void> {
    await walkGraph(this.#store, root, signal, async (cid) => {
      const bytes = await this.#store.get(cid).catch((error: unknown) => {
        if (isBroken(error)) return null;
        throw error;
      });
      if (bytes === null) missing.push(cid);
      return bytes;
    });
  }

  async #fetchAll(root: CID, mode: PinMode, { signal, source, onProgress }: PinOptions): Promise<void> {
    if (source === undefined) {
      const missing =
        mode === 'direct'
          ? (await this.#store.has(root))
            ? null
            : root
          : await new GraphWalk(this.#store, signal ?? null).walk([root]);
      if (missing !== null) throw missingError(missing);
      return;
    }
    let count = 0;
    const get = async (cid: CID): Promise<Uint8Array> => {
      const here = await this.#store.get(cid).catch(() => null);
      const bytes = here ?? (await source.get(cid, signal === undefined ? {} : { signal }));
      if (bytes === null) throw missingError(cid);
      if (here === null) await this.#store.put([{ cid, bytes }]);
      onProgress?.(++count);
      return bytes;
    };
    if (mode === 'direct') await get(root);
    else await walkGraph(this.#store, root, signal ?? null, get);
  }

  #record({ cid, mode, name }: Pin): void {
    const { index } = this.#store;
    index.durably(() =>
      index.database.run(
        'INSERT OR REPLACE INTO pins VALUES (?, ?, ?, ?)',
        keyOf(cid),
        cid.bytes,
        mode,
        name,
      ),
    );
  }

  #forget(cid: CID): void {
    this.#store.index.database.run('DELETE FROM pins WHERE cid = ?', cid.bytes);
  }
}

/** Each block of a graph once, several at a time; `get` null: what hangs on it is not known. */
async function walkGraph(
  store: BlockStore,
  root: CID,
  signal: AbortSignal | null,
  get: (cid: CID) => Promise<Uint8Array | null>,
): Promise<void> {
  const seen = new Set<string>();
  const waiting = [root];
  while (waiting.length > 0) {
    signal?.throwIfAborted();
    const batch: CID[] = [];
    while (batch.length < blockLimits.readsAtOnce) {
      const cid = waiting.pop();
      if (cid === undefined) break;
      const text = cid.toString();
      if (!seen.has(text)) batch.push(cid);
      seen.add(text);
    }
    const found = await Promise.all(batch.map((cid) => inlineBytes(cid) ?? get(cid)));
    for (const [i, bytes] of found.entries()) {
      const links = bytes === null ? null : linksOf(batch[i]!, bytes);
      if (links?.ok === true) waiting.push(...links.value.toReversed());
    }
    await store.rest();
  }
}

function pinOf(row: Readonly<Record<string, unknown>>): Pin {
  const mode = row['mode'] === 'direct' ? 'direct' : 'recursive';
  return { cid: CID.decode(row['cid'] as Uint8Array), mode, name: String(row['name']) };
}

function checkName(name: string): void {
  if (new TextEncoder().encode(name).length <= blockLimits.pinNameBytesMax) return;
  throw new NodeError('IPFS_PIN_NAME', `A pin's name has at most ${blockLimits.pinNameBytesMax} bytes.`, {
    op: 'pin',
  });
}

function missingError(cid: CID): NodeError {
  return new NodeError('IPFS_BLOCK_MISSING', `Block ${cid} is not here, and could not be had.`, {
    op: 'pin',
    retry: true,
    data: { cid: cid.toString() },
  });
}

function noneError(cid: CID): NodeError {
  return new NodeError('IPFS_PIN_NONE', `${cid} is not pinned.`, {
    op: 'unpin',
    data: { cid: cid.toString() },
  });
}

function recursiveError(cid: CID): NodeError {
  return new NodeError('IPFS_PIN_RECURSIVE', `${cid} is pinned recursively.`, {
    op: 'pin',
    data: { cid: cid.toString() },
  });
}
