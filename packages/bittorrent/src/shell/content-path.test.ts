import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinPath, trySplitPath } from './content-path.ts';

test('paths of both kinds of systems come apart and together', () => {
  const table: [string, string | null, string?][] = [
    ['/a/b', '/a', 'b'],
    ['/a/b//', '/a', 'b'],
    ['/a', '/', 'a'],
    ['/a\\b', '/', 'a\\b'],
    ['C:\\x\\y', 'C:\\x', 'y'],
    ['C:\\x\\', 'C:\\', 'x'],
    ['c:/x/y', 'c:/x', 'y'],
    ['\\\\host\\share\\d', '\\\\host\\share', 'd'],
    ['/', null],
    ['', null],
    ['a', null],
    ['/a/..', null],
    ['/a/.', null],
    ['C:\\', null],
  ];
  for (const [path, folder, name] of table)
    assert.deepEqual(trySplitPath(path), folder === null ? null : { folder, name }, path);
  assert.equal(joinPath('/a', 'b'), '/a/b');
  assert.equal(joinPath('/', 'b'), '/b');
  assert.equal(joinPath('C:\\', 'b'), 'C:\\b');
});
