import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesIn, linesOf, openAtFirst, treeOf } from './file-tree.ts';

const files = ['album/02.flac', 'album/scans/front.png', 'album/01.flac', 'read me.txt'].map(
  (path, index) => ({
    index,
    path,
    bytes: 10 ** index,
  }),
);

test('folders gather what is in them, and come before files', () => {
  const root = treeOf(files);
  assert.equal(root.bytes, 1111);
  const names = (open: Iterable<string>): string[] =>
    linesOf(root, new Set(open), 100).lines.map(({ depth, node }) => `${' '.repeat(depth)}${node.name}`);
  assert.deepEqual(names([]), ['album', 'read me.txt']);
  assert.deepEqual(names(['album/']), ['album', ' scans', ' 02.flac', ' 01.flac', 'read me.txt']);
  assert.deepEqual([...openAtFirst(root)], ['album/', 'album/scans/']);
  assert.deepEqual([...openAtFirst(root, 4)], []);
  const [album] = root.children;
  assert.deepEqual(
    filesIn(album!)
      .map(({ index }) => index)
      .sort(),
    [0, 1, 2],
  );
});

test('hostile paths: very deep, very many, and like names of an object', () => {
  const deep = treeOf([{ index: 0, path: `${'a/'.repeat(5000)}b`, bytes: 1 }]);
  assert.equal(linesOf(deep, openAtFirst(deep), 1000).lines.length, 25);
  const many = treeOf(
    Array.from({ length: 100_000 }, (_, index) => ({ index, path: `f/${index}`, bytes: 1 })),
  );
  const shown = linesOf(many, new Set(['f/']), 500);
  assert.deepEqual([shown.lines.length, shown.isMore], [500, true]);
  assert.equal(filesIn(many).length, 100_000);
  assert.equal(
    treeOf([{ index: 0, path: '__proto__/constructor', bytes: 1 }]).children[0]?.name,
    '__proto__',
  );
});
