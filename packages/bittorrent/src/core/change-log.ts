/**
 * Which of many things have changed since somebody looked last. Readers come with the version that they were given;
 * nothing is remembered of them.
 *
 *   marks, in order:   a  b  a  c  -b       a reader that stood at the second mark hears: a, c changed, b removed
 *   versions:         11 12 13 14 15        superseded marks (a at 11, b at 12) are skipped
 *
 * Invariants: `#latest` holds, for whatever was marked since `#floor`, the version of its last mark; the log is sorted
 * by version. Superseded marks are swept out when they are more than the others, removals are forgotten when they are
 * too many: a reader from before the forgetting (`#floor`) is told everything.
 *
 * Versions begin with the time, so that one of an earlier run is always too old.
 * Cost: O(1) a mark, over time; O(marks since) a look. Memory: three words a thing.
 */
export const changeLogLimits = {
  /** Removals that are remembered. */
  removedCountMax: 10_000,
  /** Below this many marks nothing is swept out. */
  sweepCountMin: 256,
} as const;

export type Changes<Key> = {
  readonly version: number;
  /** `changed` is all that there is. */
  readonly full: boolean;
  readonly changed: readonly Key[];
  readonly removed: readonly Key[];
};

type Mark<Key> = { readonly key: Key; readonly version: number; readonly removed: boolean };

export class ChangeLog<Key> {
  #log: Mark<Key>[] = [];
  readonly #latest = new Map<Key, Mark<Key>>();
  #removedCount = 0;
  #version: number;
  /** A reader of an older version is told everything. */
  #floor: number;

  /** @param firstVersion above all of earlier runs: milliseconds since 1970 will do */
  constructor(firstVersion: number) {
    this.#version = Math.max(1, Math.floor(firstVersion));
    this.#floor = this.#version;
  }

  get version(): number {
    return this.#version;
  }

  /** It is new, or has changed. */
  mark(key: Key): void {
    this.#push({ key, version: ++this.#version, removed: false });
  }

  /** It is gone. */
  remove(key: Key): void {
    this.#push({ key, version: ++this.#version, removed: true });
    this.#removedCount++;
    if (this.#removedCount > changeLogLimits.removedCountMax) this.#forgetRemoved();
  }

  /** @param all what there is now */
  since(version: number, all: Iterable<Key>): Changes<Key> {
    if (version < this.#floor || version > this.#version)
      return { version: this.#version, full: true, changed: [...all], removed: [] };
    const changed: Key[] = [];
    const removed: Key[] = [];
    for (let at = this.#firstAfter(version); at < this.#log.length; at++) {
      const mark = this.#log[at]!;
      if (this.#latest.get(mark.key) === mark) (mark.removed ? removed : changed).push(mark.key);
    }
    return { version: this.#version, full: false, changed, removed };
  }

  #push(mark: Mark<Key>): void {
    if (this.#latest.get(mark.key)?.removed === true) this.#removedCount--;
    this.#latest.set(mark.key, mark);
    this.#log.push(mark);
    if (this.#log.length > changeLogLimits.sweepCountMin + 2 * this.#latest.size) this.#sweep();
  }

  #sweep(): void {
    this.#log = this.#log.filter((mark) => this.#latest.get(mark.key) === mark);
  }

  #forgetRemoved(): void {
    for (const mark of this.#latest.values()) {
      if (!mark.removed) continue;
      this.#latest.delete(mark.key);
      this.#floor = Math.max(this.#floor, mark.version);
    }
    this.#removedCount = 0;
    this.#sweep();
  }

  /** Index of the first mark that is younger. */
  #firstAfter(version: number): number {
    let [low, high] = [0, this.#log.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#log[middle]!.version <= version) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
