import type { Clock, Timer } from '@tequio/kernel';

/** What will happen, in a binary heap by time; events of one time happen in the order in which they were set. */
class Event implements Timer {
  readonly atMs: number;
  readonly sequence: number;
  #callback: (() => void) | null;

  constructor(atMs: number, sequence: number, callback: () => void) {
    this.atMs = atMs;
    this.sequence = sequence;
    this.#callback = callback;
  }

  get cancelled(): boolean {
    return this.#callback === null;
  }

  cancel(): void {
    this.#callback = null;
  }

  fire(): void {
    const callback = this.#callback;
    this.#callback = null;
    callback?.();
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}

/** Virtual time: it stands still while code runs, and jumps to the next event when `fireNext` is called. */
export class VirtualClock implements Clock {
  /** Virtual runs begin on 2026-01-01: never on the real date, or a run could not be repeated. */
  readonly #startWallMs = Date.UTC(2026, 0, 1);
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #sequence = 0;
  #firedCount = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#startWallMs + Math.floor(this.#nowMs);
  }

  /** Events that have happened. */
  get firedCount(): number {
    return this.#firedCount;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.setTimerAt(this.#nowMs + Math.max(0, delayMs), callback);
  }

  /** At an absolute time, or now when that has passed. */
  setTimerAt(atMs: number, callback: () => void): Timer {
    const event = new Event(Math.max(atMs, this.#nowMs), this.#sequence++, callback);
    this.#push(event);
    return event;
  }

  /** When the next event is due, or null when nothing will happen any more. */
  nextMs(): number | null {
    this.#dropCancelled();
    return this.#heap[0]?.atMs ?? null;
  }

  /** Moves time to the next event and lets it happen; false when there is none. */
  fireNext(): boolean {
    this.#dropCancelled();
    const event = this.#heap[0];
    if (event === undefined) return false;
    this.#popTop();
    this.#nowMs = event.atMs;
    this.#firedCount++;
    event.fire();
    return true;
  }

  /** Moves time on, over no event. */
  advanceTo(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, Math.min(ms, this.nextMs() ?? ms));
  }

  #dropCancelled(): void {
    while (this.#heap[0]?.cancelled) this.#popTop();
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #popTop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    const length = heap.length;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
