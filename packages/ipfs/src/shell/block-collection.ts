/**
 * Removes what no root leads to, while others put, pin and read.
 *
 *   boundary ─> mark from pins, roots of others (MFS) and holds ─> no new root? ─> sweep ─> compact
 *                 ^──────────────── a root was named meanwhile ──────────┘
 *
 * Marks are one bit for each block's number; blocks with a number from the boundary on stay (core/block-holds.ts). What
 * names a root while a sweep runs waits for its end, so that what it then finds is what will stay.
 */
import { NodeError } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { inlineBytes, keyOf } from '../core/block-key.ts';
import { linksOf } from '../core/ipld.ts';
import { NumberSet } from '../core/number-set.ts';
import { blockLimits } from '../limits.ts';
import { recordBytesOf } from '../wire/block-record.ts';
import { codecs } from '../wire/cid.ts';
import type { Appended } from './block-segments.ts';
import type { BlockStore } from './block-store.ts';

/** Roots that stay. */
export type Roots = {
  /** With all that hangs on them; nothing of it may be missing. */
  readonly recursive: Iterable<CID>;
  /** Alone. */
  readonly direct: Iterable<CID>;
  /** With all of what hangs on them that is here. */
  readonly partial: Iterable<CID>;
};

export type CollectionReport = {
  readonly removedCount: number;
  readonly removedBytes: number;
  /** Of the store's files. */
  readonly freedBytes: number;
  /** Blocks that stay and are looked at: those below the boundary. */
  readonly markedCount: number;
};

export type CollectionOptions = {
  readonly signal?: AbortSignal;
  /** Each block that is removed. */
  readonly onRemoved?: (key: Uint8Array) => void;
};

/** See the top of the file. */
export class BlockCollector {
  readonly #store: BlockStore;
  readonly #rootsOf: () => Roots;
  #running: Promise<CollectionReport> | null = null;
  #sweep: Promise<void> | null = null;

  /** @param rootsOf asked when a collection begins, and again before each sweep */
  constructor(store: BlockStore, rootsOf: () => Roots) {
    this.#store = store;
    this.#rootsOf = rootsOf;
  }

  /**
   * One at a time: who asks while one runs gets its report.
   * @throws NodeError `IPFS_PIN_INCOMPLETE`: nothing was removed; `IPFS_BLOCK_CORRUPT`, DISK_*
   */
  collect(options: CollectionOptions = {}): Promise<CollectionReport> {
    this.#running ??= this.#collect(options).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** Resolves when no sweep is running. Then, and before anything else is waited for, a root may be named. */
  async notSweeping(): Promise<void> {
    while (this.#sweep !== null) await this.#sweep;
  }

  async #collect({ signal, onRemoved }: CollectionOptions): Promise<CollectionReport> {
    const { index, holds, segments } = this.#store;
    const beforeBytes = segments.diskBytes;
    const boundary = holds.begin(index.nextNumber);
    let finish = (): void => undefined;
    try {
      const marks = new GraphWalk(this.#store, signal ?? null);
      while ((await this.#mark(marks)) || holds.hasRoots);
      // Nothing is waited for between the last look at the roots and this.
      this.#sweep = new Promise((resolve) => {
        finish = resolve;
      });
      const { count, bytes } = await this.#removeUnmarked(marks.seen, boundary, onRemoved, signal ?? null);
      this.#sweep = null;
      finish();
      index.forgetUnusedFiles();
      await this.#compact(signal ?? null);
      return {
        removedCount: count,
        removedBytes: bytes,
        freedBytes: Math.max(0, beforeBytes - segments.diskBytes),
        markedCount: marks.count,
      };
    } finally {
      this.#sweep = null;
      finish();
      holds.end();
    }
  }

  /** @returns false when every root was marked before */
  async #mark(marks: GraphWalk): Promise<boolean> {
    const before = marks.count;
    const { recursive, direct, partial } = this.#rootsOf();
    const named = this.#store.holds.takeRoots();
    const missing = await marks.walk([...recursive]);
    if (missing !== null) throw incompleteError(missing);
    for (const cid of direct) marks.add(cid);
    await marks.walk([...partial, ...named]);
    return marks.count > before;
  }

  async #removeUnmarked(
    marked: NumberSet,
    boundary: number,
    onRemoved: ((key: Uint8Array) => void) | undefined,
    signal: AbortSignal | null,
  ): Promise<{ count: number; bytes: number }> {
    const { index } = this.#store;
    let after: Uint8Array | null = null;
    let [count, bytes] = [0, 0];
    for (;;) {
      signal?.throwIfAborted();
      const page = index.page(after, blockLimits.stepCount);
      const last = page.at(-1);
      if (last === undefined) return { count, bytes };
      after = last.key;
      const garbage = page.filter(({ number }) => number < boundary && !marked.has(number));
      if (garbage.length > 0) {
        const keys = garbage.map(({ key }) => key);
        const removed = index.remove(keys, () => true);
        count += removed.count;
        bytes += removed.bytes;
        if (onRemoved !== undefined) for (const key of keys) onRemoved(key);
      }
      await this.#store.rest();
    }
  }

  /** Segments that are mostly unused are written anew. */
  async #compact(signal: AbortSignal | null): Promise<void> {
    const { index, segments } = this.#store;
    const mostlyUnused = [...index.segments.values()]
      .filter(({ usedBytes, bytes }) => usedBytes < bytes * blockLimits.usedPartMin)
      .map(({ id }) => id);
    // What is moved must not go to where it would be moved from again.
    if (mostlyUnused.includes(segments.active)) segments.startNext();
    for (const id of mostlyUnused) {
      if (id === segments.active || !(await this.#moveAll(id, signal))) continue;
      index.dropSegment(id);
      await segments.remove(id);
    }
  }

  /** @returns false when something of it could not be moved: then it stays, and a verification will name what */
  async #moveAll(id: number, signal: AbortSignal | null): Promise<boolean> {
    const { index, segments } = this.#store;
    const bytes = index.segments.get(id)?.usedCount === 0 ? 0 : (index.segments.get(id)?.bytes ?? 0);
    let waiting: Appended[] = [];
    let waitingBytes = 0;
    const move = async (): Promise<void> => {
      const batch = waiting;
      [waiting, waitingBytes] = [[], 0];
      await segments.append(batch);
    };
    const end = await segments.walk(
      id,
      0,
      bytes,
      ({ key, check }, payload, at) => {
        const row = index.find(key);
        if (row === null || row.place !== id || row.at !== at) return;
        if (!this.#store.isSound(key, payload, check)) return;
        waiting.push({ key: key.slice(), payload: payload.slice(), check, from: { place: id, at } });
        waitingBytes += recordBytesOf(key.length, payload.length);
        return waitingBytes < blockLimits.batchBytesMax ? undefined : move();
      },
      signal,
    );
    await move();
    await segments.sync();
    return end === bytes && index.segments.get(id)?.usedCount === 0;
  }
}

/** Goes through graphs, each block once however many ways lead to it. */
export class GraphWalk {
  readonly seen = new NumberSet();
  readonly #store: BlockStore;
  readonly #signal: AbortSignal | null;
  #count = 0;

  constructor(store: BlockStore, signal: AbortSignal | null) {
    this.#store = store;
    this.#signal = signal;
  }

  /** Blocks seen. */
  get count(): number {
    return this.#count;
  }

  /** @returns whether the block is here: `new` when it was not seen before */
  add(cid: CID): 'new' | 'seen' | 'missing' {
    const row = this.#store.index.find(keyOf(cid));
    if (row === null) return 'missing';
    if (!this.seen.add(row.number)) return 'seen';
    this.#count++;
    return 'new';
  }

  /**
   * Marks all that hangs on the roots, and goes on where something is missing.
   * @param visit each block, once; also those without bytes of their own
   * @returns the first that is missing, or null. @throws NodeError `IPFS_BLOCK_CORRUPT`, DISK_*
   */
  async walk(roots: readonly CID[], visit?: (cid: CID) => void): Promise<CID | null> {
    let missing: CID | null = null;
    const waiting = [...roots].reverse();
    const take = (): CID[] => {
      const batch: CID[] = [];
      while (batch.length < blockLimits.readsAtOnce) {
        const cid = waiting.pop();
        if (cid === undefined) break;
        const state = inlineBytes(cid) !== null ? 'new' : this.add(cid);
        if (state === 'missing') missing ??= cid;
        if (state !== 'new') continue;
        visit?.(cid);
        if (cid.code !== codecs.raw) batch.push(cid);
      }
      return batch;
    };
    for (let batch = take(), round = 0; batch.length > 0; batch = take()) {
      this.#signal?.throwIfAborted();
      const found = await Promise.all(batch.map((cid) => this.#linksOf(cid)));
      for (const [i, links] of [...found.entries()].reverse()) {
        if (links === null) missing ??= batch[i]!;
        else for (let at = links.length - 1; at >= 0; at--) waiting.push(links[at]!);
      }
      if (++round % 64 === 0) await this.#store.rest();
    }
    return missing;
  }

  async #linksOf(cid: CID): Promise<CID[] | null> {
    const bytes = await this.#store.get(cid);
    // What is no block of its codec has no links that anybody could follow.
    const links = bytes === null ? null : linksOf(cid, bytes);
    return links === null || links.ok ? (links?.value ?? null) : [];
  }
}

function incompleteError(missing: CID): NodeError {
  return new NodeError(
    'IPFS_PIN_INCOMPLETE',
    `Block ${missing} of something pinned is missing, so that what hangs on it is not known, and nothing was removed. ` +
      'Fetch it (pin again), or remove the pin.',
    { op: 'collect', data: { cid: missing.toString() } },
  );
}
