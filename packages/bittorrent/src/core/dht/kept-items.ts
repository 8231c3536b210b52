/** Our own items (BEP 44): nodes forget them after two hours, so we put them again every hour. */
import { type Hashes, toLatin1 } from '@tequio/kernel';
import { type DhtItem, targetOf } from '../../wire/dht-item.ts';
import { dhtLimits } from './dht-limits.ts';

export class KeptItems {
  readonly #hashes: Hashes;
  /** By target; in the order in which they are due. */
  readonly #items = new Map<string, { readonly item: DhtItem; readonly dueMs: number }>();

  constructor(hashes: Hashes) {
    this.#hashes = hashes;
  }

  get count(): number {
    return this.#items.size;
  }

  /** Keeps the item alive, in place of what was kept under its target; false: too many. It was put just now. */
  keep(item: DhtItem, nowMs: number): boolean {
    const key = toLatin1(targetOf(item, this.#hashes));
    if (!this.#items.has(key) && this.#items.size >= dhtLimits.keptItemCountMax) return false;
    this.#items.delete(key);
    this.#items.set(key, { item, dueMs: nowMs + dhtLimits.republishMs });
    return true;
  }

  forget(target: Uint8Array): void {
    this.#items.delete(toLatin1(target));
  }

  /** The item to put again now, due again in an hour; null: none. */
  tryDue(nowMs: number): DhtItem | null {
    for (const { item, dueMs } of this.#items.values()) {
      if (dueMs > nowMs) return null;
      this.keep(item, nowMs);
      return item;
    }
    return null;
  }

  nextTimeoutMs(): number {
    for (const { dueMs } of this.#items.values()) return dueMs;
    return Number.POSITIVE_INFINITY;
  }
}
