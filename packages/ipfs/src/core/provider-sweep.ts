import { assert } from '@tequio/kernel';

/** One key that this node tells the DHT it has. */
export type ProvidedKey = {
  readonly key: Uint8Array;
  /** Place in the keyspace: the first 48 bits of the SHA-256 of the key, by which the DHT sorts. */
  readonly place: number;
  /** When it was last told, in ms since 1970; null: never. */
  toldMs: number | null;
  /** To how many peers. */
  peerCount: number;
  failCount: number;
  /** It is being told now. */
  isTaken: boolean;
};

export type SweepState = {
  readonly keyCount: number;
  /** Told within the interval: what a reader can find. */
  readonly findableCount: number;
  readonly neverToldCount: number;
  readonly overdueCount: number;
  /** When the round that runs will be over at its present pace; null: nothing is due. */
  readonly roundEndsMs: number | null;
};

export type SweepOptions = {
  /** Records are forgotten after 48 hours; told again in less than half of that, one round may fail. */
  readonly intervalMs: number;
  /** Keys of one region are told in one go: their peers are the same ones. A power of two. */
  readonly regionCount: number;
};

export const defaultSweepOptions: SweepOptions = { intervalMs: 22 * 3_600_000, regionCount: 4096 };

const placeBits = 48;
/** A key that failed is tried again so soon, and later each time. */
const retryFirstMs = 60_000;
const retryMax = 10;

/**
 * When which keys are told to the DHT.
 *
 *   keyspace   |--region 0--|--region 1--|--region 2--| ... |      time of a region = its share of the interval
 *              ^ told now     ^ told interval/regions later
 *
 * Rules
 * - The keyspace is swept from one end to the other once an interval: load is even, whatever the number of keys,
 *   and keys that lie together are told together (one walk to the peers that are nearest to all of them).
 * - A new key does not wait for its region: it is told at once, and then takes its region's turn.
 * - What failed is due again soon; a region that could not be told in time (the machine was off) is overdue, and
 *   overdue ones go first, the longest overdue first.
 * - What is told and when is kept by the caller, who gives it back after a restart: nothing is told twice for nothing.
 *
 * - What `pickDue` gives is taken until `markTold`: several may be under way.
 *
 * Cost: O(1) to add; a turn looks at each region once, and at the keys of those that have changed.
 */
export class ProviderSweep {
  readonly #options: SweepOptions;
  readonly #regions: Map<string, ProvidedKey>[];
  /** Never told, in the order in which they came. */
  readonly #fresh = new Map<string, ProvidedKey>();
  readonly #retries = new Map<string, { readonly entry: ProvidedKey; readonly atMs: number }>();
  /** By region: when the key was told that waits longest; infinite: none waits. */
  readonly #oldestMs: Float64Array;
  readonly #startMs: number;
  #keyCount = 0;

  /** @param startMs when region 0 is due first; the same after a restart, so that the sweep goes on where it was */
  constructor(options: SweepOptions, startMs: number) {
    assert(Number.isInteger(Math.log2(options.regionCount)), 'regions are halves of halves of the keyspace');
    this.#options = options;
    this.#startMs = startMs;
    this.#regions = Array.from({ length: options.regionCount }, () => new Map());
    this.#oldestMs = new Float64Array(options.regionCount).fill(Number.POSITIVE_INFINITY);
  }

  get keyCount(): number {
    return this.#keyCount;
  }

  *keys(): Generator<Uint8Array> {
    for (const region of this.#regions) for (const { key } of region.values()) yield key;
  }

  /**
   * @param digest SHA-256 of the key
   * @param toldMs when it was told before a restart; null: not yet, so it is due now
   */
  add(key: Uint8Array, digest: Uint8Array, toldMs: number | null): void {
    const place = placeOf(digest);
    const index = this.#regionOf(place);
    const region = this.#regions[index]!;
    const id = idOf(key);
    if (region.has(id)) return;
    const entry: ProvidedKey = { key, place, toldMs, peerCount: 0, failCount: 0, isTaken: false };
    region.set(id, entry);
    this.#keyCount++;
    if (toldMs === null) this.#fresh.set(id, entry);
    else this.#oldestMs[index] = Math.min(this.#oldestMs[index]!, toldMs);
  }

  remove(key: Uint8Array, digest: Uint8Array): void {
    const id = idOf(key);
    const index = this.#regionOf(placeOf(digest));
    if (this.#regions[index]!.delete(id)) this.#keyCount--;
    this.#fresh.delete(id);
    this.#retries.delete(id);
    this.#measure(index);
  }

  /** What is known of one key; null: it is not provided. */
  tryGet(key: Uint8Array, digest: Uint8Array): Readonly<ProvidedKey> | null {
    return this.#regions[this.#regionOf(placeOf(digest))]!.get(idOf(key)) ?? null;
  }

  /** The keys that are to be told now, nearest to each other, at most so many; empty: none is due. */
  pickDue(nowMs: number, countMax: number): ProvidedKey[] {
    const due = this.#pickUrgent(nowMs, countMax);
    if (due.length === 0) due.push(...this.#pickOverdue(nowMs, countMax));
    for (const entry of due) entry.isTaken = true;
    return due.sort(byPlace);
  }

  #pickUrgent(nowMs: number, countMax: number): ProvidedKey[] {
    const due: ProvidedKey[] = [];
    for (const [id, { entry, atMs }] of this.#retries) {
      if (due.length >= countMax) break;
      if (atMs > nowMs) continue;
      this.#retries.delete(id);
      due.push(entry);
    }
    for (const [id, entry] of this.#fresh) {
      if (due.length >= countMax) break;
      this.#fresh.delete(id);
      due.push(entry);
    }
    return due;
  }

  #pickOverdue(nowMs: number, countMax: number): ProvidedKey[] {
    let best = -1;
    let bestMs = nowMs;
    for (const [index, oldestMs] of this.#oldestMs.entries()) {
      if (oldestMs >= bestMs || oldestMs >= this.#turnBefore(index, nowMs)) continue;
      best = index;
      bestMs = oldestMs;
    }
    if (best < 0) return [];
    const turnMs = this.#turnBefore(best, nowMs);
    const due = [...this.#regions[best]!.values()]
      .filter((entry) => waitsSince(entry) < turnMs)
      .sort(byPlace)
      .slice(0, countMax);
    for (const entry of due) entry.isTaken = true;
    this.#measure(best);
    return due;
  }

  /** When `pickDue` may have something; null: there are no keys that wait. */
  nextDueMs(nowMs: number): number | null {
    if (this.#fresh.size > 0) return nowMs;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { atMs } of this.#retries.values()) nextMs = Math.min(nextMs, atMs);
    for (const [index, oldestMs] of this.#oldestMs.entries()) {
      if (oldestMs === Number.POSITIVE_INFINITY) continue;
      const turnMs = this.#turnBefore(index, nowMs);
      nextMs = Math.min(nextMs, oldestMs < turnMs ? nowMs : turnMs + this.#options.intervalMs);
    }
    return Number.isFinite(nextMs) ? Math.max(nowMs, nextMs) : null;
  }

  /** @param peerCount peers that took the record; 0: it failed */
  markTold(entry: ProvidedKey, peerCount: number, nowMs: number): void {
    const id = idOf(entry.key);
    const index = this.#regionOf(entry.place);
    entry.isTaken = false;
    // It may have been removed meanwhile.
    if (this.#regions[index]!.get(id) !== entry) return;
    if (peerCount > 0) {
      entry.toldMs = nowMs;
      entry.peerCount = peerCount;
      entry.failCount = 0;
      this.#fresh.delete(id);
      this.#retries.delete(id);
    } else {
      entry.failCount++;
      const waitMs = retryFirstMs * 2 ** Math.min(retryMax, entry.failCount - 1);
      this.#retries.set(id, { entry, atMs: nowMs + Math.min(waitMs, this.#options.intervalMs / 4) });
    }
    this.#measure(index);
  }

  state(nowMs: number): SweepState {
    const { intervalMs } = this.#options;
    let findableCount = 0;
    let neverToldCount = 0;
    let overdueCount = 0;
    for (const [index, region] of this.#regions.entries()) {
      const turnMs = this.#turnBefore(index, nowMs);
      for (const { toldMs } of region.values()) {
        if (toldMs === null) neverToldCount++;
        else if (nowMs - toldMs < 2 * intervalMs) findableCount++;
        if (toldMs !== null && toldMs < turnMs) overdueCount++;
      }
    }
    const waiting = neverToldCount + overdueCount;
    const roundEndsMs = waiting === 0 ? null : nowMs + (waiting / Math.max(1, this.#keyCount)) * intervalMs;
    return { keyCount: this.#keyCount, findableCount, neverToldCount, overdueCount, roundEndsMs };
  }

  #measure(index: number): void {
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const entry of this.#regions[index]!.values()) oldestMs = Math.min(oldestMs, waitsSince(entry));
    this.#oldestMs[index] = oldestMs;
  }

  #regionOf(place: number): number {
    return Math.floor((place / 2 ** placeBits) * this.#options.regionCount);
  }

  /** The latest time at which this region was to be told. */
  #turnBefore(region: number, nowMs: number): number {
    const { intervalMs, regionCount } = this.#options;
    const firstMs = this.#startMs + (region / regionCount) * intervalMs;
    return firstMs + Math.floor((nowMs - firstMs) / intervalMs) * intervalMs;
  }
}

/** When a key was told that waits for its turn; infinite: it is being told now, or tried again on its own. */
function waitsSince({ toldMs, failCount, isTaken }: ProvidedKey): number {
  return toldMs === null || isTaken || failCount > 0 ? Number.POSITIVE_INFINITY : toldMs;
}

function placeOf(digest: Uint8Array): number {
  let place = 0;
  for (let i = 0; i < placeBits / 8; i++) place = place * 256 + digest[i]!;
  return place;
}

function byPlace(a: ProvidedKey, b: ProvidedKey): number {
  return a.place - b.place;
}

function idOf(key: Uint8Array): string {
  return String.fromCharCode(...key);
}
