/**
 * `node tools/tidy.ts`: checks what the formatter and the linter do not: sizes, names, left-overs, dead files and
 * missing words. There are no exceptions and no syntax for any.
 */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { argv, exit, stdout } from 'node:process';
import { importsOf, lexSource, lineOf, type SourceCode } from './source-code.ts';
import { listFiles, projectRoot } from './tidy-files.ts';
import { functionsOf, publicExportsOf } from './tidy-functions.ts';

export const tidyLimits = {
  /** Code is wrapped at 110 by the formatter, which leaves comments and strings alone. */
  columns: 120,
  fileLines: 500,
  /** Functions inside are counted for themselves. */
  functionLines: 70,
  /** An exported function or class of a package's door that is longer needs a docstring. */
  undocumentedLines: 6,
} as const;

type Report = (path: string, line: number, message: string) => void;

/** @param files path from the root to text, of every text file that is to be checked */
export function checkTidy(files: ReadonlyMap<string, string>): string[] {
  const problems: string[] = [];
  const report: Report = (path, line, message) => void problems.push(`${path}:${line} ${message}`);
  const sources = new Map<string, SourceCode>();
  for (const [path, text] of files) {
    checkName(path, report);
    checkWords(path, text, report);
    if (!isCode(path)) continue;
    checkLines(path, text, report);
    if (!/\.tsx?$/.test(path)) continue;
    const source = lexSource(text);
    sources.set(path, source);
    checkLeftOvers(path, source, report);
    checkFunctions(path, source, report);
  }
  const packages = packageDoors(files);
  for (const [name, doors] of packages) {
    if (!files.has(`packages/${name}/README.md`)) report(`packages/${name}`, 1, 'has no README.md');
    const reached = reachedFrom(doors, sources);
    for (const path of sources.keys())
      if (path.startsWith(`packages/${name}/src/`) && !isTest(path) && !reached.has(path))
        report(path, 1, 'nothing that the package exports needs this file');
    checkDocumented(doors, sources, report);
  }
  return problems;
}

function isCode(path: string): boolean {
  return /\.(?:tsx?|mjs|py)$/.test(path);
}

function isTest(path: string): boolean {
  return /\.(?:test|fuzz|model|bench|fixture)\.ts$|\/testing\//.test(path);
}

function checkName(path: string, report: Report): void {
  for (const part of path.split('/')) {
    if (/^\.?[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9-]+)*$/.test(part)) continue;
    if (/^(?:README|DESIGN|LICENSE|CHANGELOG|CONTRIBUTING|SECURITY)(?:\.[a-z]+)*$/.test(part)) continue;
    report(path, 1, `"${part}" is not in kebab-case`);
  }
}

/** Put together here, so that this file does not hold them. */
const leftOpen = new RegExp(
  `\\b(?:${['TO', 'FIX', 'X'].map((a, i) => a + ['DO', 'ME', 'XX'][i]).join('|')})\\b`,
);

function checkWords(path: string, text: string, report: Report): void {
  for (const [index, line] of text.split('\n').entries()) {
    const found = leftOpen.exec(line);
    if (found !== null) report(path, index + 1, `${found[0]}: do it, or write an issue`);
  }
}

function checkLines(path: string, text: string, report: Report): void {
  const lines = text.split('\n');
  const lineCount = text.endsWith('\n') ? lines.length - 1 : lines.length;
  if (lineCount > tidyLimits.fileLines)
    report(
      path,
      lineCount,
      `${lineCount} lines, and ${tidyLimits.fileLines} are the most: which noun leaves?`,
    );
  for (const [index, line] of lines.entries()) {
    // Columns as a reader sees them: a character of two code units is one.
    const columns = [...line].length;
    if (columns <= tidyLimits.columns || cannotBreak(line)) continue;
    report(path, index + 1, `${columns} columns, and ${tidyLimits.columns} are the most`);
  }
}

/** A line that holds one thing that has no place to break: an address, a long string or a regular expression. */
function cannotBreak(line: string): boolean {
  return /https?:\/\/\S{20}/.test(line) || /(['"`]).{50,}\1/.test(line) || /\/\S{60,}\/[a-z]*/.test(line);
}

function checkLeftOvers(path: string, { code }: SourceCode, report: Report): void {
  const rules: [RegExp, string][] = [
    [/\b(?:test|it|describe|suite|t)\.only\b|\bonly:\s*true\b/g, 'runs one test and leaves out the others'],
    [/\bdebugger\b/g, 'left from debugging'],
  ];
  if (path.startsWith('packages/') && !isTest(path) && !/^packages\/[^/]+\/examples\//.test(path))
    rules.push([/(?<![.\w])console\s*\./g, 'a package speaks through its log, its events or its output']);
  for (const [pattern, why] of rules)
    for (const match of code.matchAll(pattern))
      report(path, lineOf(code, match.index), `${match[0]}: ${why}`);
}

function checkFunctions(path: string, source: SourceCode, report: Report): void {
  for (const { name, at, lineCount } of functionsOf(source)) {
    // A suite is a list of tests, each of which is a function of its own.
    if (lineCount <= tidyLimits.functionLines || (isTest(path) && /^(?:describe|suite)$/.test(name)))
      continue;
    report(
      path,
      lineOf(source.text, at),
      `${name || 'a function'} has ${lineCount} lines, and ${tidyLimits.functionLines} are the most`,
    );
  }
}

/** For each package the files that its package.json exports. */
function packageDoors(files: ReadonlyMap<string, string>): Map<string, string[]> {
  const packages = new Map<string, string[]>();
  for (const [path, text] of files) {
    const name = /^packages\/([^/]+)\/package\.json$/.exec(path)?.[1];
    if (name === undefined) continue;
    const { exports = {} } = JSON.parse(text) as { exports?: Record<string, string> };
    // A page is not imported: its first script is its door, and so is its service worker.
    const scripts = ['main.tsx', 'pwa/service-worker.ts'].map((script) => `packages/${name}/src/${script}`);
    const doors = Object.values(exports).map((target) => posix.join(`packages/${name}`, target));
    packages.set(name, [...doors, ...scripts.filter((script) => files.has(script))]);
  }
  return packages;
}

/** All files that these need, also as a worker's source. */
function reachedFrom(doors: readonly string[], sources: ReadonlyMap<string, SourceCode>): Set<string> {
  const reached = new Set<string>();
  const waiting = [...doors];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const source = sources.get(path);
    if (source === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const { specifier } of importsOf(source))
      if (specifier.startsWith('.')) waiting.push(posix.join(posix.dirname(path), specifier));
  }
  return reached;
}

/** What a package exports, and is longer than a line or two, says what it is for. */
function checkDocumented(
  doors: readonly string[],
  sources: ReadonlyMap<string, SourceCode>,
  report: Report,
): void {
  for (const { path, name, at, lineCount, documented } of publicExportsOf(doors, sources))
    if (!documented && lineCount > tidyLimits.undocumentedLines)
      report(path, lineOf(sources.get(path)!.text, at), `${name} is public and has no docstring`);
}

if (argv[1] === import.meta.filename) {
  const paths = listFiles().filter(
    (path) =>
      /\.(?:tsx?|mjs|py|md|json|sh|yml)$|^\.ci\//.test(path) &&
      !/\/vectors\/.*\.json$|^package-lock\.json$|^bench\/results\//.test(path),
  );
  const files = new Map(paths.map((path) => [path, readFileSync(projectRoot + path, 'utf8')]));
  const problems = checkTidy(files);
  for (const problem of problems) stdout.write(`${problem}\n`);
  stdout.write(`tidy: ${files.size} files, ${problems.length} problems\n`);
  exit(problems.length === 0 ? 0 : 1);
}
