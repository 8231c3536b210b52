import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globCharsMax, isSelected, matchesGlob } from './file-select.ts';

const path = 'Torrent/Season 1/Part (1) [HD].mkv';

test('globs name files as people expect', () => {
  const yes: readonly (readonly [string, string])[] = [
    [path, '*.mkv'],
    [path, '*.MKV'],
    [path, 'Season 1/*'],
    [path, 'Torrent/Season 1/*'],
    [path, '/Torrent/**'],
    [path, '**/*.mkv'],
    [path, '**/Part*'],
    [path, 'Part (1) [[]HD].mkv'],
    [path, 'Part ?1? *'],
    [path, '*.{avi,mkv}'],
    [path, 'Part ([0-9])*'],
    [path, 'Part ([!2-9])*'],
    ['single.iso', '*.iso'],
    ['a/b/c/d.txt', 'a/**/d.txt'],
    ['a/d.txt', 'a/**/d.txt'],
    ['t/[x.txt', '[x.txt'],
    ['t/a{b.txt', 'a{b.txt'],
    ['t/año.txt', 'A?O.TXT'],
    ['t/a-b.txt', 'a[-x]b.txt'],
  ];
  for (const [name, glob] of yes) assert.ok(matchesGlob(name, glob), `${glob} names ${name}`);
  const no: readonly (readonly [string, string])[] = [
    [path, '*.mk'],
    [path, 'Season 1'],
    [path, 'Season 2/*'],
    [path, 'Torrent/*'],
    [path, 'Part ([!1])*'],
    ['a/bxtxt', '*.txt'],
    ['a/b/c.txt', 'a/*.txt'],
    ['a/b.txt', ''],
  ];
  for (const [name, glob] of no) assert.ok(!matchesGlob(name, glob), `${glob} does not name ${name}`);
});

test('no glob selects everything, several select what any of them names', () => {
  assert.ok(isSelected(path, []));
  assert.ok(isSelected(path, ['nothing', '*.mkv']));
  assert.ok(!isSelected(path, ['nothing', '*.avi']));
});

test('whatever the user writes is a pattern or names nothing', () => {
  const odd = [
    '[',
    '[]',
    '[!]',
    '[z-a]',
    '{',
    '}',
    '{{a}',
    '{a,b',
    '(',
    ')',
    '\\',
    '[\\]',
    '[\\d]',
    '[^]',
    '+',
    '[[:alpha:]]',
    '{a,{b,c}}',
    '[a',
    '**',
    '***/x',
    '[é-ü]',
    '[&&x]',
    '[\\w-z]',
    '{,}',
  ];
  for (const glob of odd) assert.equal(typeof matchesGlob(path, glob), 'boolean', glob);
  assert.equal(matchesGlob(path, '*'.repeat(globCharsMax + 1)), false);
});

test('a glob of many stars takes no longer than its length says', () => {
  const startMs = performance.now();
  assert.equal(matchesGlob('a'.repeat(250), `${'*a'.repeat(400)}b`), false);
  assert.equal(matchesGlob('a'.repeat(250), `${'{a,b}'.repeat(150)}*c`), false);
  assert.equal(matchesGlob(`${'a/'.repeat(120)}x`, `${'**/a*'.repeat(100)}y`), false);
  // An expression that goes back would take longer than the universe has been there.
  assert.ok(performance.now() - startMs < 2000);
});
