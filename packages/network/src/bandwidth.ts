import { assert } from '@tequio/kernel';
import { limits } from './limits.ts';

const { burstMs, burstBytesMin, leadMs, leadBytesMin, patienceMs, turnMs } = limits.bandwidth;

/** How far a count may lag. */
const lagLeads = 4;
/** Or by so many of the largest runs of bytes that are charged lately: whoever comes in small ones has no part else. */
const lagRuns = 2;
const runMemory = 0.98;

/**
 * Rate limits in a tree: all > torrent > peer (or any other classes). One tree for each direction.
 *
 * Rules
 * - A node with a limit is a token bucket that holds at most 50 ms of its rate. Bytes pass when every bucket from the
 *   leaf to the root has something; a request may overdraw it, and then it is closed until the debt is paid. So
 *   requests of any size pass at the right rate, however small the burst.
 * - Fairness, at every node below a limit: each child has a count of what it was served. Who was refused waits; a
 *   child that is ahead of a waiting sibling by more than the lead is refused, so that the sibling comes first. It
 *   does not matter who asks in which order, or how often, and a child that needs less than its share gets all it
 *   asks for while the others share the rest (max-min fairness).
 * - What a child did not use is soon forgotten (its count never lags by more than four leads, or two of the largest
 *   runs of bytes), so nobody saves up.
 * - Who waits and does not come back within 100 ms after it could have, is not waited for: a dead peer blocks nobody.
 * - No limit (null) on the way up: never refuses and counts nothing.
 *
 * Attacker: a peer decides when it wants bytes, not how many it is ahead: by the count it gets at most its share.
 * Cost: O(depth + waiting siblings) a call. No timer and no clock: the caller asks again at `nextMs`.
 */
export class RateLimiter {
  readonly name: string;
  readonly #parent: RateLimiter | null;
  #bytesPerSecond: number | null;
  #tokens = 0;
  #filledMs: number | null = null;

  /** As a child: what it was served, on the scale of its parent's `#virtualBytes`. */
  #servedBytes = 0;
  /** As a child: until then the others wait for it. */
  #waitsUntilMs = 0;
  /** As a parent: where the child that is furthest ahead stood when it was served. */
  #virtualBytes = 0;
  /** As a parent: the largest run of bytes, slowly forgotten. */
  #runBytes = 0;
  /** As a parent: children that were refused last time. */
  readonly #waiting = new Set<RateLimiter>();

  constructor(name: string, bytesPerSecond: number | null = null, parent: RateLimiter | null = null) {
    assert(isLimit(bytesPerSecond), 'a limit is null or above zero');
    this.name = name;
    this.#parent = parent;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** A node below this one. It needs no removal: call `stopWaiting` and drop it. */
  child(name: string, bytesPerSecond: number | null = null): RateLimiter {
    return new RateLimiter(name, bytesPerSecond, this);
  }

  get bytesPerSecond(): number | null {
    return this.#bytesPerSecond;
  }

  /** Null: no limit. Debts are forgotten, so that a higher limit is felt at once. */
  setLimit(bytesPerSecond: number | null): void {
    assert(isLimit(bytesPerSecond), 'a limit is null or above zero');
    this.#bytesPerSecond = bytesPerSecond;
    this.#tokens = Math.max(0, this.#tokens);
  }

  /** True when neither this node nor one above has a limit: then there is no need to ask. */
  get isUnlimited(): boolean {
    return this.#rateAbove() === null;
  }

  /** What the narrowest bucket from here to the root holds at most; infinite without a limit. */
  get burstBytes(): number {
    const rate = this.#rateAbove();
    return rate === null ? Number.POSITIVE_INFINITY : burstOf(rate);
  }

  /** Takes `bytes` from this bucket and all above. False: nothing was taken; ask again at `nextMs`. */
  tryTake(bytes: number, nowMs: number): boolean {
    if (this.isUnlimited) return true;
    const atMs = this.nextMs(nowMs);
    if (atMs > nowMs) {
      this.#wait(nowMs, atMs + patienceMs);
      return false;
    }
    this.charge(bytes, nowMs);
    return true;
  }

  /** Counts bytes that have passed without being asked about (what a peer had sent already); may leave a debt. */
  charge(bytes: number, nowMs: number): void {
    for (let node: RateLimiter | null = this; node !== null; node = node.#parent) {
      if (node.#bytesPerSecond !== null) {
        node.#fill(nowMs);
        node.#tokens -= bytes;
      }
      if (node.#parent !== null) node.#parent.#serve(node, bytes);
    }
  }

  /** When `tryTake` may succeed: `nowMs` for at once. */
  nextMs(nowMs: number): number {
    let atMs = nowMs;
    for (let node: RateLimiter | null = this; node !== null; node = node.#parent) {
      if (node.#bytesPerSecond !== null) atMs = Math.max(atMs, node.#openMs(nowMs));
      const parent: RateLimiter | null = node.#parent;
      if (atMs === nowMs && parent !== null && parent.#holdsBack(node, nowMs)) atMs = nowMs + turnMs;
    }
    return atMs;
  }

  /** Nothing to send any more, or gone: the others need not wait for it. */
  stopWaiting(): void {
    let node: RateLimiter = this;
    for (;;) {
      const parent: RateLimiter | null = node.#parent;
      if (parent === null) return;
      parent.#waiting.delete(node);
      // Its siblings still wait for what the parent waits for.
      if (parent.#waiting.size > 0) return;
      node = parent;
    }
  }

  /**
   * Lines up at every parent whose children compete for what is refused: not above a bucket that is closed itself
   * (then more from above would not help), nor where a sibling comes first (it competes above for both).
   */
  #wait(nowMs: number, untilMs: number): void {
    let node: RateLimiter = this;
    for (;;) {
      const parent: RateLimiter | null = node.#parent;
      if (parent === null || parent.isUnlimited) return;
      if (node.#bytesPerSecond !== null && node.#openMs(nowMs) > nowMs) return;
      node.#waitsUntilMs = untilMs;
      parent.#waiting.add(node);
      if (parent.#holdsBack(node, nowMs)) return;
      node = parent;
    }
  }

  #serve(child: RateLimiter, bytes: number): void {
    this.#runBytes = Math.max(bytes, this.#runBytes * runMemory);
    child.#servedBytes = Math.max(child.#servedBytes, this.#virtualBytes - this.#lagBytes(this.#leadBytes()));
    this.#virtualBytes = Math.max(this.#virtualBytes, child.#servedBytes);
    child.#servedBytes += bytes;
    this.#waiting.delete(child);
  }

  /** True when a sibling waits that `child` is too far ahead of. */
  #holdsBack(child: RateLimiter, nowMs: number): boolean {
    if (this.#waiting.size === 0) return false;
    const lead = this.#leadBytes();
    const floor = this.#virtualBytes - this.#lagBytes(lead);
    for (const sibling of this.#waiting) {
      if (sibling.#waitsUntilMs < nowMs) this.#waiting.delete(sibling);
      else if (child.#servedBytes - Math.max(sibling.#servedBytes, floor) > lead) return true;
    }
    return false;
  }

  /**
   * Shared by all who compete, so that together they can use what the bucket gathers between two looks of the caller,
   * and yet none is far ahead when they are many.
   */
  #leadBytes(): number {
    return Math.max(leadBytesMin, ((this.#rateAbove() ?? 0) * leadMs) / 1000 / (this.#waiting.size + 1));
  }

  #lagBytes(lead: number): number {
    return Math.max(lagLeads * lead, lagRuns * this.#runBytes);
  }

  /** The lowest limit from here to the root, or null. */
  #rateAbove(): number | null {
    let rate = this.#bytesPerSecond;
    for (let node = this.#parent; node !== null; node = node.#parent) {
      if (node.#bytesPerSecond !== null) rate = Math.min(rate ?? node.#bytesPerSecond, node.#bytesPerSecond);
    }
    return rate;
  }

  /** When this bucket has something. */
  #openMs(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens > 0 ? nowMs : nowMs + ((1 - this.#tokens) * 1000) / this.#bytesPerSecond!;
  }

  #fill(nowMs: number): void {
    const rate = this.#bytesPerSecond!;
    const burst = burstOf(rate);
    const passedMs = this.#filledMs === null ? Number.POSITIVE_INFINITY : Math.max(0, nowMs - this.#filledMs);
    this.#tokens = Math.min(burst, this.#tokens + (rate * passedMs) / 1000);
    this.#filledMs = Math.max(nowMs, this.#filledMs ?? nowMs);
  }
}

function burstOf(rate: number): number {
  return Math.max(burstBytesMin, (rate * burstMs) / 1000);
}

function isLimit(bytesPerSecond: number | null): boolean {
  return bytesPerSecond === null || bytesPerSecond > 0;
}
