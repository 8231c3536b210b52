import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fittingColumns, trackList } from './fitting-columns.ts';

const columns = [100, 100, 50].map((width) => ({ width }));

test('columns are left out, the last first, until the others find room', () => {
  assert.equal(fittingColumns(columns, 466 + 280).length, 3);
  assert.equal(fittingColumns(columns, 466 + 279).length, 2);
  assert.equal(fittingColumns(columns, 466 + 110).length, 1);
  assert.equal(fittingColumns(columns, 300).length, 0);
  assert.equal(trackList(columns.slice(0, 1)), '40px minmax(200px, 1fr) 110px 100px');
  assert.equal(trackList([]), '40px minmax(200px, 1fr) 110px');
});
