import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowOf } from '../testing/fake-engine.ts';
import { emptyNote } from '../torrents/torrent-note.ts';
import { fillIn } from './completion.ts';

test('arguments are filled in once: a name is never a command, nor a pattern', () => {
  const row = { ...rowOf('ab'), name: '{folder} $(rm -rf /); "x"', folder: '/data' };
  const note = { ...emptyNote, tags: ['a', 'b'], category: null };
  assert.equal(fillIn('{name}', { row, note }), '{folder} $(rm -rf /); "x"');
  assert.equal(fillIn('--id={id},{tags},{category},{unknown}', { row, note }), '--id=ab,a,b,,{unknown}');
  assert.equal(fillIn('{path}', { row: { ...row, name: 'n' }, note }), '/data/n');
});
