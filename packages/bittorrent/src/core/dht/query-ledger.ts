/**
 * Queries that we sent and that were not answered yet. An answer counts only with the transaction id that was made for
 * it and from the address and port that were asked; anything else is a stranger's and is passed over. Who was asked by
 * a name that a proxy looks up answers from an address that is not known beforehand: there the port must be the same.
 *
 *   (sent) -> waiting -> late (1 s) -> failed (8 s)
 *                 \________ \___________-> answered
 *
 * All wait equally long, so both queues are in the order of sending and the next deadline is at their head.
 */
import { type Endpoint, isStandInAddress } from '@tequio/kernel';
import type { NodeInfo } from '../../wire/dht-node-info.ts';
import { dhtLimits } from './dht-limits.ts';

/** One query under way; `Purpose` is what its sender wants to know when it ends. */
export type Query<Purpose> = {
  readonly endpoint: Endpoint;
  readonly place: string;
  /** Who is expected there; null: whoever it is. */
  readonly node: NodeInfo | null;
  readonly purpose: Purpose;
  readonly sentMs: number;
  isLate: boolean;
  hasEnded: boolean;
};

const { lateMs, timeoutMs, queryCountMax } = dhtLimits;

export class QueryLedger<Purpose> {
  /** By the transaction's four bytes as a number; in the order of sending. */
  readonly #queries = new Map<number, Query<Purpose>>();
  /** Those that are not late yet, in the order of sending, behind `#lateAt`. */
  #prompt: Query<Purpose>[] = [];
  #lateAt = 0;

  get count(): number {
    return this.#queries.size;
  }

  get isFull(): boolean {
    return this.#queries.size >= queryCountMax;
  }

  /** False when the transaction is in use already. */
  add(transaction: Uint8Array, query: Query<Purpose>): boolean {
    const key = keyOf(transaction);
    if (this.#queries.has(key)) return false;
    this.#queries.set(key, query);
    this.#prompt.push(query);
    return true;
  }

  /** The query that this answers, which ends with it; null: nobody asked that. */
  tryEnd(transaction: Uint8Array, place: string): Query<Purpose> | null {
    if (transaction.length !== 4) return null;
    const key = keyOf(transaction);
    const query = this.#queries.get(key);
    if (query === undefined || (query.place !== place && !isNameOf(query, place))) return null;
    this.#queries.delete(key);
    query.hasEnded = true;
    return query;
  }

  /** The next query that has just become late; null: none. */
  tryLate(nowMs: number): Query<Purpose> | null {
    this.#skipEnded();
    const query = this.#prompt[this.#lateAt];
    if (query === undefined || query.sentMs + lateMs > nowMs) return null;
    this.#lateAt++;
    query.isLate = true;
    return query;
  }

  /** The next query that has waited too long, and ends with that; null: none. */
  tryFailed(nowMs: number): Query<Purpose> | null {
    for (const [key, query] of this.#queries) {
      if (query.sentMs + timeoutMs > nowMs) return null;
      this.#queries.delete(key);
      query.hasEnded = true;
      return query;
    }
    return null;
  }

  nextTimeoutMs(): number | null {
    this.#skipEnded();
    const prompt = this.#prompt[this.#lateAt];
    const lateAtMs = prompt === undefined ? Number.POSITIVE_INFINITY : prompt.sentMs + lateMs;
    for (const query of this.#queries.values()) return Math.min(lateAtMs, query.sentMs + timeoutMs);
    return prompt === undefined ? null : lateAtMs;
  }

  #skipEnded(): void {
    while (this.#lateAt < this.#prompt.length && this.#prompt[this.#lateAt]!.hasEnded) this.#lateAt++;
    if (this.#lateAt < 64 && this.#lateAt < this.#prompt.length) return;
    this.#prompt = this.#prompt.slice(this.#lateAt);
    this.#lateAt = 0;
  }
}

/** Was it asked by a name, which may be that of this place? */
function isNameOf(query: Query<unknown>, place: string): boolean {
  return (
    isStandInAddress(query.endpoint.address) &&
    place.length === query.place.length &&
    place.slice(-2) === query.place.slice(-2)
  );
}

function keyOf(transaction: Uint8Array): number {
  return ((transaction[0]! << 24) | (transaction[1]! << 16) | (transaction[2]! << 8) | transaction[3]!) >>> 0;
}
