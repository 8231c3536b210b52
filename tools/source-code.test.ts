import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, lexSource, lineOf } from './source-code.ts';

const codeOf = (text: string): string => lexSource(text).code;

test('comments, strings and regular expressions become spaces of the same length', () => {
  const text = "a; // b 'c'\n/* d\n` */ e('f\\'g') + \"h\" / i / 2; x = /[/'\"]\\//g.test(j);";
  const code = codeOf(text);
  assert.equal(code.length, text.length);
  assert.equal(code.split('\n').length, 3);
  for (const gone of ['b', 'c', 'd', 'f', 'g', 'h'])
    assert.ok(!/\w/.test(gone) || !code.includes(`${gone} `), gone);
  assert.match(code, /e\(' {4}'\) \+ " " \/ i \/ 2; x = \/ +\/g\.test\(j\);/);
});

test('templates keep the code of their expressions, also nested', () => {
  const code = codeOf('`a @{b(`c @{d} e`) + { f: 1 }.f} g` + h'.replaceAll('@', '$'));
  assert.equal(code.replace(/\s+/g, ''), '`@{b(`@{d}`)+{f:1}.f}`+h'.replaceAll('@', '$'));
});

test('a slash after a value divides, after an operator it begins a regular expression', () => {
  assert.equal(codeOf('x = a / b / c;'), 'x = a / b / c;');
  assert.equal(codeOf('f(a) / 2; // x').trimEnd(), 'f(a) / 2;');
  assert.equal(codeOf("return /'/; 'x'"), "return / /; ' '");
});

test('unfinished text ends quietly', () => {
  for (const text of ["'abc", '`a ${', '/* x', '/ab', '"a\\', '`'])
    assert.equal(codeOf(text).length, text.length);
});

test('imports of every form are found, in comments and strings none', () => {
  const source = lexSource(
    [
      "import a from './a.ts';",
      "import './b.ts';",
      "import type { C } from '@tequio/kernel';",
      "export * from './d.ts';",
      "const e = await import('node:fs');",
      "new Worker(new URL('./f.ts', import.meta.url));",
      "new URL('../data/', import.meta.url);",
      "// import './g.ts';",
      'const h = "import \'./h.ts\'";',
      "Array.from('x');",
    ].join('\n'),
  );
  assert.deepEqual(
    importsOf(source).map(({ at, specifier }) => [lineOf(source.text, at), specifier]),
    [
      [1, './a.ts'],
      [2, './b.ts'],
      [3, '@tequio/kernel'],
      [4, './d.ts'],
      [5, 'node:fs'],
      [6, './f.ts'],
    ],
  );
});
