/** The change log against one that remembers, for each reader, the whole state that it saw last. */
import assert from 'node:assert/strict';
import { Prng } from '@tequio/kernel';
import { ChangeLog, changeLogLimits } from './change-log.ts';

/** What a reader must be able to keep up to date with nothing but the answers. */
type Reader = { version: number; readonly seen: Map<number, number> };

/** @returns how often a reader had to be told everything */
export function fuzzChangeLog(seed: number, stepCount: number): number {
  const prng = new Prng(seed);
  const log = new ChangeLog<number>(1000 + prng.below(1000));
  /** Key -> its value now. */
  const truth = new Map<number, number>();
  const readers: Reader[] = Array.from({ length: 4 }, () => ({ version: 0, seen: new Map() }));
  const keyCount = 1 + prng.below(400);
  let fullCount = 0;
  for (let step = 0; step < stepCount; step++) {
    const key = prng.below(keyCount);
    const what = prng.below(10);
    if (what < 6) {
      truth.set(key, step);
      log.mark(key);
    } else if (what < 8 && truth.delete(key)) log.remove(key);
    else if (what === 8) fullCount += look(readers[prng.below(readers.length)]!, log, truth);
  }
  for (const reader of readers) fullCount += look(reader, log, truth);
  return fullCount;
}

function look(reader: Reader, log: ChangeLog<number>, truth: Map<number, number>): number {
  const { version, full, changed, removed } = log.since(reader.version, truth.keys());
  assert.equal(new Set([...changed, ...removed]).size, changed.length + removed.length, 'each once');
  const before = new Map(reader.seen);
  if (full) reader.seen.clear();
  for (const key of removed) reader.seen.delete(key);
  for (const key of changed) {
    // A key that was removed and has come back is named as changed.
    reader.seen.set(key, truth.get(key)!);
    if (!full) assert.notEqual(before.get(key), truth.get(key), 'nothing is named that has not changed');
  }
  reader.version = version;
  assert.deepEqual([...reader.seen].sort(byKey), [...truth].sort(byKey));
  assert.ok(full || removed.length <= changeLogLimits.removedCountMax);
  return full ? 1 : 0;
}

function byKey(a: readonly [number, number], b: readonly [number, number]): number {
  return a[0] - b[0];
}
