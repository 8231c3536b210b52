import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lexSource } from './source-code.ts';
import { checkTidy } from './tidy.ts';
import { functionsOf } from './tidy-functions.ts';

/** A package whose door is `src/index.ts`, with the given files besides. */
function projectWith(files: Record<string, string>): Map<string, string> {
  return new Map(
    Object.entries({
      'packages/kernel/package.json': '{ "exports": { ".": "./src/index.ts" } }',
      'packages/kernel/README.md': 'words',
      'packages/kernel/src/index.ts': "export * from './bytes.ts';\n",
      'packages/kernel/src/bytes.ts': 'export const empty = 0;\n',
      ...files,
    }),
  );
}

function assertFound(files: Record<string, string>, expected: RegExp): void {
  const found = checkTidy(projectWith(files));
  assert.equal(found.length, 1, found.join('\n') || 'nothing found');
  assert.match(found[0]!, expected);
}

const bytes = 'packages/kernel/src/bytes.ts';
const lines = (count: number): string => '  x();\n'.repeat(count);

test('a tidy project passes', () => {
  const wide = `const url = 'https://example.org/${'a'.repeat(120)}';\n`;
  const long = `/** Says. */\nexport function f() {\n${lines(20)}}\n`;
  assert.deepEqual(checkTidy(projectWith({ [bytes]: wide + long })), []);
});

describe('each rule catches its case', () => {
  test('columns', () => assertFound({ [bytes]: `// ${'word '.repeat(24)}\n` }, /bytes\.ts:1 123 columns/));
  test('columns count characters, not code units', () => {
    assert.deepEqual(checkTidy(projectWith({ [bytes]: `// ${'🌽 '.repeat(50)}\n` })), []);
  });
  test('lines of a file', () => assertFound({ [bytes]: 'x();\n'.repeat(501) }, /501 lines/));
  test('lines of a function', () =>
    assertFound({ [bytes]: `const f = () => {\n${lines(70)}};\n` }, /f has 72 lines/));
  test('a function inside is counted for itself', () => {
    const inner = `  const g = () => {\n${lines(60)}  };\n`;
    const outer = (own: number): string => `const f = () => {\n${inner}${lines(own)}};\n`;
    assert.deepEqual(checkTidy(projectWith({ [bytes]: outer(60) })), []);
    assertFound({ [bytes]: outer(67) }, /f has 71 lines/);
  });
  test('words left open', () => assertFound({ 'docs/a.md': `# ${'TO'}${'DO'} later\n` }, /docs\/a\.md:1/));
  test('only', () =>
    assertFound({ 'packages/kernel/src/bytes.test.ts': "test.only('x', f);\n" }, /test\.only/));
  test('console', () => assertFound({ [bytes]: "console.log('x');\n" }, /console/));
  test('names of files', () => assertFound({ 'docs/MyPage.md': '' }, /"MyPage\.md" is not in kebab-case/));
  test('names of folders', () => assertFound({ 'docs/my_pages/a.md': '' }, /"my_pages"/));
  test('dead files', () =>
    assertFound({ 'packages/kernel/src/dead.ts': '' }, /nothing that the package exports/));
  test('dead files that only a test needs', () => {
    const files = {
      'packages/kernel/src/dead.ts': '',
      'packages/kernel/src/x.test.ts': "import './dead.ts';\n",
    };
    assertFound(files, /dead\.ts:1 nothing/);
  });
  test('a worker is no dead file', () => {
    const files = {
      [bytes]:
        "new Worker(new URL('./worker.ts', import.meta.url));\nnew URL(`./built.@{ending}`, import.meta.url);\n".replace(
          '@',
          '$',
        ),
      'packages/kernel/src/worker.ts': '',
      'packages/kernel/src/built.ts': '',
    };
    assert.deepEqual(checkTidy(projectWith(files)), []);
  });
  test('docstrings of functions', () =>
    assertFound({ [bytes]: `export function f() {\n${lines(6)}}\n` }, /f is public and has no docstring/));
  test('docstrings of classes', () =>
    assertFound({ [bytes]: `export class C {\n${lines(6)}}\n` }, /C is public and has no docstring/));
  test('docstrings are not asked of what the door keeps in', () => {
    const files = {
      'packages/kernel/src/index.ts': "export { a } from './bytes.ts';\n",
      [bytes]: `export const a = 1;\nexport function f() {\n${lines(6)}}\n`,
    };
    assert.deepEqual(checkTidy(projectWith(files)), []);
  });
  test('a package without README', () => {
    const project = projectWith({});
    project.delete('packages/kernel/README.md');
    assert.deepEqual(checkTidy(project), ['packages/kernel:1 has no README.md']);
  });
});

describe('functions are found in every form', () => {
  const forms: [string, string][] = [
    ['function f() {\n}', 'f'],
    ['async function f(a: number): Promise<void> {\n}', 'f'],
    ['function f<T>(a: T): { a: number } {\n}', 'f'],
    ['function f(a: T): a is U {\n}', 'f'],
    ['class C {\n  m(a = (1)) {\n}\n}', 'm'],
    ['class C {\n  #m(): string[] | null {\n}\n}', '#m'],
    ['class C {\n  constructor() {\n}\n}', 'constructor'],
    ['function f(a: T): U | null {\n}\nexport class C<T> implements I {\n}', 'f'],
    ['const f = () => {\n};', 'f'],
    ['const f = async (a: number): Promise<void> => {\n};', 'f'],
    ['const f = x => {\n};', 'f'],
    ["describe('a', () => {\n});", 'describe'],
    ['call(() => {\n});', ''],
  ];
  for (const [text, name] of forms)
    test(text.split('\n')[0]!, () => {
      assert.deepEqual(
        functionsOf(lexSource(text)).map((f) => f.name),
        [name],
      );
    });

  for (const text of [
    'if (a) {\n}',
    'for (;;) {\n}',
    'const a = { b: 1 };',
    'class C {}',
    'type T = { a: 1 };',
    'try {\n} catch (e) {\n}',
  ])
    test(`none in ${text.split('\n')[0]}`, () => assert.deepEqual(functionsOf(lexSource(text)), []));
});
