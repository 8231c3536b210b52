import assert from 'node:assert/strict';
import { test } from 'node:test';
import { en } from './en.ts';
import { es } from './es.ts';
import { fillMessage } from './message.ts';

test('gaps are filled, numbers in the way of the language, forms by its rule', () => {
  assert.equal(fillMessage('{n|one file|{n} files}', { n: 1 }, 'en'), 'one file');
  assert.equal(fillMessage('{n|one file|{n} files}', { n: 12345 }, 'en'), '12,345 files');
  assert.equal(
    fillMessage('{n|un archivo|{n} archivos} de {x}', { n: 12345, x: '{n}' }, 'es'),
    '12.345 archivos de {n}',
  );
  assert.throws(() => fillMessage('{n}', {}, 'en'), RangeError);
});

test('both languages have the same gaps in every sentence', () => {
  const gapsOf = (text: string): string[] => [...text.matchAll(/\{(\w+)/g)].map(([, name]) => name!).sort();
  for (const key of Object.keys(en) as (keyof typeof en)[]) {
    assert.deepEqual([...new Set(gapsOf(es[key]))], [...new Set(gapsOf(en[key]))], key);
  }
  assert.deepEqual(Object.keys(es).sort(), Object.keys(en).sort());
});

test('no sentence is left in English', () => {
  const same = (Object.keys(en) as (keyof typeof en)[]).filter((key) => en[key] === es[key]);
  assert.deepEqual(same, [
    'nav.torrents',
    'home.bittorrent',
    'range.second',
    'list.title',
    'detail.hash',
    'priority.normal',
    'settings.none',
    'nav.ipfs',
    'ipfs.cid',
    'ipfs.hash',
    'ipfs.bytes',
  ]);
});
