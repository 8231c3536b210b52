/**
 * `npm test [PATTERN...]`: the project's tests under `node --test`, in this order of rooms: packages, simulations,
 * end to end. `--unit` leaves the end-to-end tests out, `--e2e` runs only those.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
const patterns = args.filter((arg) => !arg.startsWith('--'));
const unit = [
  'packages/*/src/**/*.{test,fuzz}.ts',
  'packages/*/{sim,vectors,examples}/**/*.test.ts',
  '{tools,bench}/**/*.test.ts',
];
const endToEnd = ['e2e/**/*.test.ts'];
const globs =
  patterns.length > 0
    ? patterns
    : args.includes('--unit')
      ? unit
      : args.includes('--e2e')
        ? endToEnd
        : [...unit, ...endToEnd];
const files = globs.flatMap((glob) => globSync(glob, { cwd: root })).sort();
if (files.length === 0) {
  process.stderr.write('tequio: no test file matches.\n');
  process.exit(2);
}
const run = spawnSync(
  process.execPath,
  [
    '--disable-warning=ExperimentalWarning',
    '--test',
    '--test-concurrency=2',
    '--test-timeout=300000',
    `--import=${new URL('test-deadline.ts', import.meta.url)}`,
    ...files,
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exit(run.status ?? 1);
