import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseName, joinPath, parentFolder } from './path-text.ts';

test('paths of both kinds of systems', () => {
  assert.deepEqual(['/a/b', '/a', '/'].map(parentFolder), ['/a', '/', '/']);
  assert.deepEqual(['/a/b', '/a', '/', '/x/y\\z'].map(baseName), ['b', 'a', '', 'y\\z']);
  assert.equal(parentFolder('C:\\Users\\ana'), 'C:\\Users');
  assert.equal(parentFolder('C:\\Users'), 'C:\\');
  assert.equal(baseName('C:\\Users\\ana'), 'ana');
  assert.equal(joinPath('/', 'a'), '/a');
  assert.equal(joinPath('/a', 'b'), '/a/b');
  assert.equal(joinPath('C:\\a', 'b'), 'C:\\a\\b');
});
