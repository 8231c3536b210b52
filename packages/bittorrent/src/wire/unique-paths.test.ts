import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { foldedPath } from './file-name.ts';
import { type ListedFile, uniquePaths } from './unique-paths.ts';

function listed(path: string, more: Partial<ListedFile> = {}): ListedFile {
  const plain = { bytes: 1, pad: false, executable: false, hidden: false, link: null, piecesRoot: null };
  return { elements: path.split('/'), ...plain, ...more };
}

function pathsOf(paths: readonly string[], folder: string | null = null): string[] {
  return uniquePaths(
    paths.map((path) => listed(path)),
    folder,
  ).files.map((file) => file.path);
}

function link(path: string, target: string): ListedFile {
  return listed(path, { bytes: 0, link: target === '' ? [] : target.split('/') });
}

function targetsOf(files: readonly ListedFile[]): (string | null)[] {
  return uniquePaths(files, 'd').files.map((file) => file.symlink);
}

test('the first of equal names keeps it, others get the first free number', () => {
  assert.deepEqual(pathsOf(['bar.txt', 'bar.txt', 'bar.txt']), ['bar.txt', 'bar.1.txt', 'bar.2.txt']);
  assert.deepEqual(pathsOf(['bar.txt', 'bar.txt', 'bar.1.txt']), ['bar.txt', 'bar.2.txt', 'bar.1.txt']);
  assert.deepEqual(pathsOf(['README', 'readme', 'Readme.1']), ['README', 'readme.2', 'Readme.1']);
  assert.deepEqual(pathsOf(['a:b', 'a?b'], 'd'), ['d/a_b', 'd/a_b.1']);
  assert.deepEqual(pathsOf(['..', '.'], 'd'), ['d/_', 'd/_.1']);
});

test('a file that is also a folder is renamed, folders are not', () => {
  assert.deepEqual(pathsOf(['a', 'A', 'a/b']), ['a.1', 'A.2', 'a/b']);
  assert.deepEqual(pathsOf(['x/y/z', 'x/Y']), ['x/y/z', 'x/Y.1']);
});

test('changes say what was, what is and why; pads take part in nothing', () => {
  const { files, changes } = uniquePaths(
    [
      listed('.pad/5', { pad: true }),
      listed('ok'),
      listed('.pad/5', { pad: true }),
      listed('a:b'),
      listed('OK'),
    ],
    'd',
  );
  assert.deepEqual(
    files.map((file) => file.path),
    ['d/.pad/5', 'd/ok', 'd/.pad/5', 'd/a_b', 'd/OK.1'],
  );
  assert.deepEqual(changes, [
    { was: 'a:b', is: 'a_b', reason: 'character not allowed on Windows' },
    { was: 'OK', is: 'OK.1', reason: 'name used twice' },
  ]);
  assert.deepEqual(
    files.map((file) => file.offset),
    [0, 1, 2, 3, 4],
  );
});

test('links lead to files and folders of the torrent, from its root or from their own folder', () => {
  const targets = targetsOf([
    link('SDL2', 'Versions/A/SDL2'),
    listed('Versions/A/SDL2'),
    link('Versions/Current', 'A'),
    link('up', 'Versions/A/../A/SDL2'),
    link('deep/x', '../SDL2'),
  ]);
  assert.deepEqual(targets, [
    'd/Versions/A/SDL2',
    null,
    'd/Versions/A',
    'd/Versions/A/SDL2',
    'd/Versions/A/SDL2',
  ]);
});

test('links through links are followed, circles and ways out are not', () => {
  assert.deepEqual(targetsOf([listed('A/f'), link('cur', 'A'), link('x', 'cur/f')]), [null, 'd/A', 'd/A/f']);
  assert.deepEqual(targetsOf([link('a', 'b'), link('b', 'a'), listed('c')]), [null, null, null]);
  const lost = ['../c', '../../etc/passwd', 'none', '', 'c/below', '..', 'self', '.'].map((target) =>
    link('self', target),
  );
  assert.deepEqual(targetsOf([listed('c'), ...lost.slice(0, 1)]), [null, null]);
  for (const one of lost) assert.deepEqual(targetsOf([listed('c'), one]), [null, null], one.link!.join('/'));
  // Into the folder that the link lies in.
  assert.deepEqual(targetsOf([listed('a/f'), link('a/again', 'a')]), [null, null]);
});

test('a link to a file that got another name leads to the new name; a link is never a folder on a path', () => {
  assert.deepEqual(targetsOf([listed('x'), listed('X'), link('l', 'X')]), [null, null, 'd/X.1']);
  const { files } = uniquePaths([link('a', 'b'), listed('b/f'), listed('a/evil')], 'd');
  assert.deepEqual(
    files.map((file) => file.path),
    ['d/a.1', 'd/b/f', 'd/a/evil'],
  );
});

test('paths differ after folding and no file is a folder, whatever is listed', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const prng = new Prng(seed);
    const elements = ['a', 'A', 'b', 'a.1', 'b.1', '..', 'con', 'a.', 'c:', 'c_', '_'];
    const files = Array.from({ length: prng.between(1, 30) }, () => {
      const path = Array.from({ length: prng.between(1, 3) }, () => prng.pick(elements)).join('/');
      return prng.chance(0.2) ? link(path, prng.pick(elements)) : listed(path);
    });
    const folded = uniquePaths(files, 'd').files.map((file) => foldedPath(file.path));
    assert.equal(new Set(folded).size, folded.length, `seed ${seed}`);
    const all = new Set(folded);
    for (const path of folded)
      for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1))
        assert.ok(!all.has(path.slice(0, slash)), `seed ${seed}: ${path}`);
    for (const file of uniquePaths(files, 'd').files)
      if (file.symlink !== null) {
        const isThere = folded.some(
          (path) => path === foldedPath(file.symlink!) || path.startsWith(`${foldedPath(file.symlink!)}/`),
        );
        assert.ok(isThere, `seed ${seed}: ${file.symlink}`);
      }
  }
});

test('fifty thousand files of one name take no quadratic time', () => {
  const paths = pathsOf(Array.from({ length: 50_000 }, () => 'same.txt'));
  assert.equal(new Set(paths).size, 50_000);
  assert.equal(paths[49_999], 'same.49999.txt');
});
