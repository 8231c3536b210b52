import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Ends with a slash. */
export const projectRoot: string = fileURLToPath(new URL('..', import.meta.url));

/** Every file of the project that git knows or would take, by path from the root, sorted. */
export function listFiles(): string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const run = spawnSync('git', args, { cwd: projectRoot, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`git ls-files: ${run.stderr}`);
  const paths = new Set(run.stdout.split('\0').filter((path) => path !== ''));
  return [...paths].filter((path) => existsSync(projectRoot + path)).sort();
}
