/**
 * `node tools/layers.ts`: checks that every import follows the arrows of docs/arrows.md, that no room names what it
 * must do without, and that there is no cycle between files or packages. There are no exceptions and no syntax for any.
 */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { argv, exit, stdout } from 'node:process';
import {
  applicationRooms,
  applications,
  asyncNames,
  binRule,
  describesPorts,
  furniture,
  isTestFile,
  nodeNames,
  packageRules,
  promiseType,
  type RoomRule,
  systemModules,
  testLibraries,
  workshopRule,
  worldNames,
} from './layers-rules.ts';
import { importsOf, lexSource, lineOf, type SourceCode } from './source-code.ts';
import { listFiles, projectRoot } from './tidy-files.ts';

export type Violation = { readonly path: string; readonly line: number; readonly message: string };

/** What of a package.json matters here. */
export type PackageFile = {
  readonly exports: readonly string[];
  readonly dependencies: readonly string[];
};

type Room = { readonly packageName: string; readonly name: string; readonly rule: RoomRule };
type Place = {
  readonly path: string;
  readonly source: SourceCode;
  readonly room: Room;
  readonly test: boolean;
};

/**
 * @param files path (with `/`, from the project's root) to text, of every TypeScript file
 * @param packages folder name below packages/ to what its package.json says
 */
export function checkLayers(
  files: ReadonlyMap<string, string>,
  packages: ReadonlyMap<string, PackageFile>,
): Violation[] {
  const violations: Violation[] = [];
  const fileGraph = new Map<string, string[]>();
  const packageGraph = new Map<string, string[]>();
  for (const [path, text] of files) {
    const room = roomOf(path);
    if (room === null) {
      violations.push({ path, line: 1, message: 'is in no room that tools/layers-rules.ts knows' });
      continue;
    }
    const place: Place = { path, source: lexSource(text), room, test: isTestFile(path) };
    const report = (at: number, message: string): void =>
      void violations.push({ path, line: lineOf(text, at), message });
    for (const { at, specifier } of importsOf(place.source)) {
      const problem = checkImport(place, specifier, packages);
      if (problem !== null) report(at, `imports ${specifier}: ${problem}`);
      noteEdge(place, specifier, fileGraph, packageGraph);
    }
    if (!place.test) checkNames(place, report);
  }
  for (const [what, graph] of [
    ['files', fileGraph],
    ['packages', packageGraph],
  ] as const)
    for (const cycle of cyclesIn(graph))
      violations.push({ path: cycle[0]!, line: 1, message: `cycle of ${what}: ${cycle.join(' -> ')}` });
  return violations;
}

/** The room of a file, or null. */
export function roomOf(path: string): Room | null {
  if (path.startsWith('bin/')) return { packageName: 'bin', name: 'bin', rule: binRule };
  if (/^(?:tools|bench|e2e)\//.test(path))
    return { packageName: 'workshop', name: 'tools, bench and e2e', rule: workshopRule };
  const [, packageName, top, ...rest] = path.split('/');
  if (packageName === undefined) return null;
  const single = packageRules[packageName];
  if (single !== undefined) return { packageName, name: packageName, rule: single };
  if (!applications.includes(packageName)) return null;
  const name = top !== 'src' ? 'service' : applicationRoomOf(rest);
  const rule = applicationRooms[name];
  return rule === undefined ? null : { packageName, name, rule };
}

function applicationRoomOf(rest: readonly string[]): string {
  if (rest.length > 1) return rest[0]!;
  if (/^contract(?:-[a-z-]+)?\.ts$/.test(rest[0]!)) return 'contract';
  return furniture.includes(rest[0]!) ? 'furniture' : 'service';
}

/** What is wrong with an import, as the end of a sentence, or null. */
function checkImport(
  place: Place,
  specifier: string,
  packages: ReadonlyMap<string, PackageFile>,
): string | null {
  if (specifier.startsWith('node:')) return checkNodeImport(place, specifier.slice(5));
  if (specifier.startsWith('.')) return checkRelativeImport(place, specifier);
  if (specifier.startsWith('@tequio/')) return checkPackageImport(place, specifier.slice(8), packages);
  return checkLibraryImport(place, specifier, packages);
}

function checkNodeImport({ room, test }: Place, name: string): string | null {
  if (test || room.rule.node === 'all') return null;
  const module = name.split('/')[0]!;
  if (room.rule.node === 'none') return `${room.name} has no node: import. ${room.rule.why}`;
  return systemModules.includes(module)
    ? 'only runtime imports sockets, files, threads, processes and the database'
    : null;
}

function checkRelativeImport(place: Place, specifier: string): string | null {
  const target = posix.join(posix.dirname(place.path), specifier);
  if (!specifier.endsWith('.ts')) return target.startsWith('packages/') ? null : 'leaves its package';
  const there = roomOf(target);
  if (there === null || there.packageName !== place.room.packageName)
    return 'another package is imported by its name, not by a path';
  if (place.test) return null;
  if (isTestFile(target)) return 'sources do not import tests, models or simulations';
  if (there.name === place.room.name || place.room.rule.own.includes(there.name)) return null;
  return `${place.room.name} does not import ${there.name}. ${place.room.rule.why}`;
}

function checkPackageImport(
  { room, test }: Place,
  name: string,
  packages: ReadonlyMap<string, PackageFile>,
): string | null {
  const [target, ...rest] = name.split('/') as [string, ...string[]];
  const door = rest.length === 0 ? '.' : `./${rest.join('/')}`;
  const exported = packages.get(target)?.exports ?? [];
  if (!exported.some((pattern) => matchesExport(pattern, door)))
    return `packages/${target} has no such export`;
  if (target === room.packageName && !test) return 'a package does not import itself by name';
  if (
    test &&
    room.rule !== workshopRule &&
    ['kernel', 'simulator', 'runtime', room.packageName].includes(target)
  )
    return null;
  if (door.startsWith('./compliance')) return 'only tests import compliance suites';
  const application = applications.includes(target);
  const wanted = rest.length === 0 ? target : `${target}/${rest.join('/')}`;
  const general = rest.length === 0 ? '*' : `*/${rest.join('/')}`;
  if (room.rule.packages.includes(wanted)) return null;
  // Its doors are one room, apart only so that not all of it is loaded; those of an application differ in kind.
  if (!application && room.rule.packages.includes(target)) return null;
  if (application && room.rule.packages.includes(general)) return null;
  return `${room.name} does not import ${wanted}. ${room.rule.why}`;
}

function checkLibraryImport(
  { room, test }: Place,
  specifier: string,
  packages: ReadonlyMap<string, PackageFile>,
): string | null {
  const parts = specifier.split('/');
  const library = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
  if (test && testLibraries.includes(library)) return null;
  const known = packages.get(room.packageName)?.dependencies ?? [];
  if (known.includes(library)) return null;
  return `not a dependency of ${room.rule === workshopRule ? 'the project' : `packages/${room.packageName}`}`;
}

function matchesExport(pattern: string, door: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === door;
  return door.startsWith(pattern.slice(0, star)) && door.endsWith(pattern.slice(star + 1));
}

/** Names of the world, and of waiting, in rooms that must do without. */
function checkNames({ path, source, room }: Place, report: (at: number, message: string) => void): void {
  const { rule, name } = room;
  const forbidden = [...(rule.world ? [] : worldNames), ...(rule.node === 'none' ? nodeNames : [])];
  for (const { pattern, what } of forbidden)
    for (const match of source.code.matchAll(pattern))
      report(match.index, `${match[0].trim()} is ${what}: ${name} is given it. ${rule.why}`);
  if (!rule.sync) return;
  const patterns = describesPorts(path) ? asyncNames : [...asyncNames, promiseType];
  for (const { pattern, what } of patterns)
    for (const match of source.code.matchAll(pattern))
      report(match.index, `${what}: nothing waits in ${name}. ${rule.why}`);
}

function noteEdge(
  { path, room, test }: Place,
  specifier: string,
  fileGraph: Map<string, string[]>,
  packageGraph: Map<string, string[]>,
): void {
  if (specifier.startsWith('.') && specifier.endsWith('.ts'))
    add(fileGraph, path, posix.join(posix.dirname(path), specifier));
  const target = /^@tequio\/([^/]+)/.exec(specifier)?.[1];
  if (target !== undefined && target !== room.packageName && !test)
    add(packageGraph, room.packageName, target);
}

function add(graph: Map<string, string[]>, from: string, to: string): void {
  const edges = graph.get(from);
  if (edges === undefined) graph.set(from, [to]);
  else if (!edges.includes(to)) edges.push(to);
}

/** One cycle for every edge that leads back while walking in depth: none exactly when the graph has none. */
function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const visit = (node: string): void => {
    if (done.has(node)) return;
    const back = way.indexOf(node);
    if (back >= 0) {
      cycles.push([...way.slice(back), node]);
      return;
    }
    way.push(node);
    for (const next of graph.get(node) ?? []) visit(next);
    way.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return cycles;
}

function readPackages(paths: readonly string[]): Map<string, PackageFile> {
  const packages = new Map<string, PackageFile>();
  for (const path of paths) {
    const name = /^(?:packages\/([^/]+)\/)?package\.json$/.exec(path);
    if (name === null) continue;
    const json = JSON.parse(readFileSync(projectRoot + path, 'utf8')) as {
      exports?: Record<string, unknown>;
      dependencies?: Record<string, string>;
      devDependencies?: Record<string, string>;
    };
    // The project's own are those of the workshop.
    packages.set(name[1] ?? 'workshop', {
      exports: Object.keys(json.exports ?? {}),
      dependencies: Object.keys((name[1] === undefined ? json.devDependencies : json.dependencies) ?? {}),
    });
  }
  return packages;
}

if (argv[1] === import.meta.filename) {
  const paths = listFiles();
  const sources = paths.filter((path) => /^(?:packages|bin|tools|bench|e2e)\/.*\.tsx?$/.test(path));
  const files = new Map(sources.map((path) => [path, readFileSync(projectRoot + path, 'utf8')]));
  const violations = checkLayers(files, readPackages(paths));
  for (const { path, line, message } of violations) stdout.write(`${path}:${line} ${message}\n`);
  stdout.write(`layers: ${files.size} files, ${violations.length} violations\n`);
  exit(violations.length === 0 ? 0 : 1);
}
