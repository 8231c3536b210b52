import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { TestSlabs } from './linear-disk.fixture.ts';
import { ReadCache, type ReadExtent, readExtentBytes } from './read-cache.ts';

test('the least recently used extent gives way first, those in use never', () => {
  const slabs = new TestSlabs();
  const cache = new ReadCache(slabs, 3 * readExtentBytes);
  const open = (piece: number): ReadExtent | null => {
    const extent = cache.tryOpen(1, piece, 0, readExtentBytes, piece);
    if (extent !== null) cache.markReady(extent);
    return extent;
  };
  const [first] = [open(0), open(1), open(2)];
  assert.ok(cache.tryGet(1, 0, 0) !== null);
  open(3);
  assert.equal(cache.tryGet(1, 1, 0), null, 'the least recently used one');
  assert.ok(cache.tryGet(1, 0, 0) !== null);
  for (const piece of [0, 2, 3]) cache.use(cache.tryGet(1, piece, 0)!);
  for (let piece = 4; piece < 7; piece++) cache.use(open(piece)!);
  assert.equal(open(9), null, 'twice the limit, all in use');
  assert.equal(cache.usedBytes, 6 * readExtentBytes);
  cache.release(first!);
  assert.ok(open(9) !== null);
  assert.equal(cache.tryGet(1, 0, 0), null);
});

test('what is forgotten while it is read or sent is freed by the last who needs it', () => {
  const slabs = new TestSlabs();
  const cache = new ReadCache(slabs, 10 * readExtentBytes);
  const loading = cache.tryOpen(1, 0, 0, 100, 1)!;
  const used = cache.tryOpen(1, 1, 0, 100, 2)!;
  cache.tryOpen(2, 1, 0, 100, 3);
  cache.markReady(used);
  cache.use(used);
  cache.forget(1);
  assert.equal(cache.tryGet(1, 0, 0), null);
  assert.ok(cache.tryGet(2, 1, 0) !== null, 'another torrent keeps its own');
  assert.equal(cache.usedBytes, 300);
  cache.markReady(loading);
  assert.equal(cache.usedBytes, 200);
  cache.release(used);
  assert.equal(cache.usedBytes, 100);
});

test('a read that fails after it was forgotten takes nothing from the one begun since', () => {
  const slabs = new TestSlabs();
  const cache = new ReadCache(slabs, 10 * readExtentBytes);
  const old = cache.tryOpen(1, 0, 0, 100, 1)!;
  cache.forget(1);
  const anew = cache.tryOpen(1, 0, 0, 100, 2)!;
  cache.drop(old);
  assert.equal(cache.tryGet(1, 0, 0), anew);
  cache.markReady(anew);
  cache.forget(1);
  assert.equal(cache.usedBytes, 0);
  assert.equal(slabs.live.size, 0);
});

test('under any operations memory is bounded and balanced', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const prng = new Prng(seed);
    const slabs = new TestSlabs();
    const cache = new ReadCache(slabs, 4000);
    const loading: ReadExtent[] = [];
    const inUse: ReadExtent[] = [];
    const take = (list: ReadExtent[]): ReadExtent => list.splice(prng.below(list.length), 1)[0]!;
    for (let step = 0; step < 300; step++) {
      const [owner, piece] = [prng.below(2), prng.below(8)];
      const action = prng.below(10);
      if (action < 5) {
        const known = cache.tryGet(owner, piece, 0);
        if (known?.isReady) {
          cache.use(known);
          inUse.push(known);
        } else if (known === null) {
          const extent = cache.tryOpen(owner, piece, 0, prng.between(1, 1000), step);
          if (extent !== null) loading.push(extent);
        }
      } else if (action < 7 && loading.length > 0) cache.markReady(take(loading));
      else if (action < 8 && loading.length > 0) cache.drop(take(loading));
      else if (action < 9 && inUse.length > 0) cache.release(take(inUse));
      else if (prng.chance(0.3)) cache.forget(owner, prng.chance(0.5) ? piece : null);
      assert.ok(cache.usedBytes <= 8000, `seed ${seed}`);
      assert.equal(cache.usedBytes, slabs.liveBytes, `seed ${seed}`);
      for (const { slab } of [...loading, ...inUse]) assert.ok(slabs.live.has(slab), `seed ${seed}`);
    }
    for (const owner of [0, 1]) cache.forget(owner);
    for (const extent of loading) cache.markReady(extent);
    for (const extent of inUse) cache.release(extent);
    assert.equal(slabs.live.size, 0, `seed ${seed}`);
  }
});
