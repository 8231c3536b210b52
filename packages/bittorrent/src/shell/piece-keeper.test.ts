import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@tequio/simulator';
import { PieceKeeper } from './piece-keeper.ts';

function setUp() {
  const clock = new VirtualClock();
  const kept: (readonly number[])[] = [];
  const keeper = new PieceKeeper(clock, (pieces) => void kept.push(pieces));
  const pass = (ms: number): void => {
    const endMs = clock.nowMs() + ms;
    for (let next = clock.nextMs(); next !== null && next <= endMs; next = clock.nextMs()) clock.fireNext();
    clock.advanceTo(endMs);
  };
  return { keeper, kept, pass, clock };
}

test('pieces of a fifth of a second are kept together, in their order, and none waits longer', () => {
  const { keeper, kept, pass, clock } = setUp();
  keeper.add(7);
  pass(150);
  keeper.add(3);
  assert.deepEqual(kept, []);
  pass(50);
  assert.deepEqual(kept, [[7, 3]]);
  assert.equal(clock.nextMs(), null, 'nothing waits, so no timer runs');
  keeper.add(9);
  pass(200);
  assert.deepEqual(kept, [[7, 3], [9]]);
});

test('many are kept at once, without waiting', () => {
  const { keeper, kept, clock } = setUp();
  for (let piece = 0; piece < 600; piece++) keeper.add(piece);
  assert.deepEqual(
    kept.map((pieces) => pieces.length),
    [256, 256],
  );
  assert.ok(clock.nextMs() !== null);
  keeper.flush();
  assert.deepEqual(
    kept.flat(),
    Array.from({ length: 600 }, (_, piece) => piece),
  );
  assert.equal(clock.nextMs(), null);
});

test('a flush of nothing keeps nothing; what comes while it is kept is for the next time', () => {
  const clock = new VirtualClock();
  const kept: number[][] = [];
  const keeper: PieceKeeper = new PieceKeeper(clock, (pieces) => {
    kept.push([...pieces]);
    if (kept.length === 1) keeper.add(2);
  });
  keeper.flush();
  assert.deepEqual(kept, []);
  keeper.add(1);
  keeper.flush();
  assert.deepEqual(kept, [[1]]);
  keeper.flush();
  assert.deepEqual(kept, [[1], [2]]);
});
