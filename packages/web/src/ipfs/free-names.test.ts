import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { freeName, withFreeNames } from './free-names.ts';

test('a name that is taken gets a number before its extension', () => {
  const taken = new Set(['a.jpg', 'b', 'b (2)', '.env', 'x.tar.gz']);
  for (const [name, free] of [
    ['new.jpg', 'new.jpg'],
    ['a.jpg', 'a (2).jpg'],
    ['b', 'b (3)'],
    ['.env', '.env (2)'],
    ['x.tar.gz', 'x.tar (2).gz'],
  ] as const)
    equal(freeName(name, taken), free);
});

test('a folder that is taken keeps its files together', () => {
  const files = [{ path: 'a/1' }, { path: 'a/2/3' }, { path: 'b' }];
  const paths = withFreeNames(files, new Set(['a'])).map(({ path }) => path);
  deepEqual(paths, ['a (2)/1', 'a (2)/2/3', 'b']);
});
