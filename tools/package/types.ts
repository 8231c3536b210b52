import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { projectRoot } from '../tidy-files.ts';

/**
 * Writes the declarations of the library, and of whatever they name, as a tree that needs no package beside it.
 * @throws Error with the compiler's words
 */
export function writeTypes(folder: string): void {
  const workFolder = mkdtempSync(join(tmpdir(), 'tequio-types-'));
  try {
    const config = join(workFolder, 'tsconfig.json');
    writeFileSync(config, JSON.stringify(configFor(folder)));
    const compiler = join(projectRoot, 'node_modules/typescript/bin/tsc');
    const run = spawnSync(process.execPath, [compiler, '-p', config], { encoding: 'utf8', cwd: projectRoot });
    if (run.status !== 0) throw new Error(`the declarations could not be made:\n${run.stdout}${run.stderr}`);
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
  const paths = globSync('**/*.d.ts', { cwd: folder });
  for (const path of paths) makeRelative(folder, path);
  const reached = reachedFrom(folder, 'tequio/src/index.d.ts');
  for (const path of paths) if (!reached.has(path)) rmSync(join(folder, path));
}

/** Declarations that the library's own lead to: the compiler writes one for every file that it has read. */
function reachedFrom(folder: string, first: string): ReadonlySet<string> {
  const reached = new Set([first]);
  for (const path of reached) {
    const text = readFileSync(join(folder, path), 'utf8');
    for (const [, target] of text.matchAll(/(?:from|import\() ?['"](\.[^'"]+)\.js['"]/g)) {
      reached.add(posix.join(dirname(path), `${target}.d.ts`));
    }
  }
  return reached;
}

function configFor(folder: string): object {
  return {
    extends: join(projectRoot, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rewriteRelativeImportExtensions: true,
      stripInternal: true,
      outDir: folder,
      rootDir: join(projectRoot, 'packages'),
      typeRoots: [join(projectRoot, 'node_modules/@types')],
      // Found by path they are sources of this build; found as packages they would be left out of it.
      paths: pathsOfDoors(),
    },
    include: [],
    files: [join(projectRoot, 'packages/tequio/src/index.ts')],
  };
}

/** `@tequio/kernel` becomes the way to it inside the tree, and `./peer.ts` what it is there. */
function makeRelative(folder: string, path: string): void {
  const text = readFileSync(join(folder, path), 'utf8');
  const own = text.replace(/(['"]\.[^'"\n]*)\.ts(['"])/g, '$1.js$2');
  const changed = own.replace(
    /(['"])@tequio\/([a-z]+)((?:\/[a-z-]+)*)\1/g,
    (_, quote: string, name: string, door: string) => {
      const target = `${name}/src/${doorFile(name, door)}`;
      const way = posix.relative(dirname(path), target);
      return `${quote}${way.startsWith('.') ? way : `./${way}`}${quote}`;
    },
  );
  if (changed !== text) writeFileSync(join(folder, path), changed);
}

function pathsOfDoors(): Record<string, string[]> {
  const paths: Record<string, string[]> = {};
  for (const name of globSync('packages/*/package.json', { cwd: projectRoot }).map(
    (path) => path.split('/')[1]!,
  )) {
    for (const [door, source] of Object.entries(doorsOf(name))) {
      paths[`@tequio/${name}${door.slice(1)}`] = [join(projectRoot, 'packages', name, source)];
    }
  }
  return paths;
}

function doorsOf(name: string): Readonly<Record<string, string>> {
  const { exports = {} } = JSON.parse(
    readFileSync(join(projectRoot, 'packages', name, 'package.json'), 'utf8'),
  ) as { readonly exports?: Readonly<Record<string, string>> };
  return exports;
}

/** The file behind a door of a package, as its manifest says, as JavaScript. */
function doorFile(name: string, door: string): string {
  const source = doorsOf(name)[`.${door}`];
  if (source === undefined) throw new Error(`@tequio/${name}${door} is no door of that package`);
  return source.replace(/^\.\/src\//, '').replace(/\.ts$/, '.js');
}
