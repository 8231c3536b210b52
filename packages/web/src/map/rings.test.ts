import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinArcs, unwrap } from './rings.ts';

test('arcs are joined, forwards and backwards', () => {
  const arcs = [
    [
      [0, 0],
      [2, 1],
    ],
    [
      [0, 4],
      [2, -3],
    ],
  ] as const;
  assert.deepEqual(joinArcs([0, ~1], arcs, [10, 1], [-5, 0]), [
    [-5, 0],
    [15, 1],
    [15, 1],
    [-5, 4],
  ]);
});

test('a ring over the edge of the map stays in one piece', () => {
  const around = unwrap([
    [170, 60],
    [-170, 60],
    [-170, 70],
    [170, 70],
  ]);
  assert.deepEqual(
    around.map(([x]) => x),
    [170, 190, 190, 170],
  );
});

test('a ring around a pole is closed by way of it', () => {
  const antarctica = unwrap([
    [-180, -80],
    [-60, -70],
    [60, -70],
    [179, -80],
  ]);
  assert.deepEqual(antarctica.slice(-2), [
    [179, -90],
    [-180, -90],
  ]);
});
