import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bitfield } from '@tequio/kernel';
import { renderPieceMap } from './piece-map.ts';

test('piece map: a full block only for full cells', () => {
  const field = new Bitfield(8);
  for (const piece of [0, 1, 2, 6]) field.set(piece);
  assert.equal(renderPieceMap(field.bytes, 8, 8), '███···█·');
  assert.equal(renderPieceMap(field.bytes, 8, 4), '█▒·▒');
  assert.equal(renderPieceMap(field.bytes, 8, 1), '▒');
  assert.equal(renderPieceMap(field.bytes, 8, 16), '██████······██··');
  assert.equal(renderPieceMap(Bitfield.full(8).bytes, 8, 3), '███');
  assert.equal(renderPieceMap(new Uint8Array(0), 8, 3), '···');
  assert.equal(renderPieceMap(new Uint8Array(0), 0, 3), '···');
  const almost = Bitfield.full(1000);
  almost.clear(999);
  assert.equal(renderPieceMap(almost.bytes, 1000, 2), '█▓');
});
