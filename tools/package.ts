/**
 * `npm run package [npm|executable]`: makes what is handed out, in `dist/`: the folder that `npm publish` takes, and a
 * single file for this machine with Node.js inside.
 */
import { join } from 'node:path';
import { argv, exit, stderr, stdout } from 'node:process';
import { writeExecutable } from './package/executable.ts';
import { writeNpmFolder } from './package/npm-folder.ts';
import { projectRoot } from './tidy-files.ts';

const [wanted = 'all'] = argv.slice(2);
if (!['all', 'npm', 'executable'].includes(wanted)) {
  stderr.write(`tequio: there is no package "${wanted}". Choose npm, executable or all.\n`);
  exit(2);
}
const npmFolder = join(projectRoot, 'dist/npm');
await writeNpmFolder(npmFolder);
stdout.write('dist/npm: ready for npm publish\n');
if (wanted !== 'npm') {
  const { path, bytes } = await writeExecutable(npmFolder, join(projectRoot, 'dist'));
  stdout.write(`${path}: ${Math.round(bytes / 1e6)} MB\n`);
}
