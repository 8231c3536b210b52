/** Programs in C of this folder, built when they are needed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const libraries = { limit: ['-pthread', '-lcrypto'], leeches: [], announces: [], relay: [] } as const;

export type NativeName = keyof typeof libraries;

/** What is wrong, by name, where one could not be built. */
const refusals = new Map<NativeName, string>();

/** @returns the program, in `folder`; null: there is no compiler, or a library is missing (see `refusalOf`) */
export function tryBuildNative(name: NativeName, folder: string): string | null {
  const source = fileURLToPath(new URL(`./native/${name}.c`, import.meta.url));
  const program = join(folder, name);
  const built = spawnSync('cc', ['-O2', '-o', program, source, ...libraries[name]], { encoding: 'utf8' });
  if (built.status === 0) return program;
  refusals.set(name, built.error?.message ?? built.stderr.split('\n')[0] ?? '');
  return null;
}

/** @throws Error with the compiler's own words */
export function buildNative(name: NativeName, folder: string): string {
  const program = tryBuildNative(name, folder);
  if (program === null) throw new Error(`bench/native/${name}.c needs a C compiler: ${refusals.get(name)}`);
  return program;
}

/** Of the compiler; null: there is none. */
export function compilerVersion(): string | null {
  const said = spawnSync('cc', ['--version'], { encoding: 'utf8' });
  return said.status === 0 ? `cc ${/\d+\.\d+\.\d+/.exec(said.stdout)?.[0] ?? ''}` : null;
}
