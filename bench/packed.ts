/** The program as the published package has it, which is what users install: one bundle of JavaScript. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeBundle } from '../tools/package/bundle.ts';
import { projectRoot } from '../tools/tidy-files.ts';

/** In the project, for what is not in the bundle is looked for from there. */
const folder = join(projectRoot, 'dist/bench');

/** Makes it anew and lets the lab run it, for whoever is loaded after this. */
export async function usePackedProgram(): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'bin'), { recursive: true });
  await writeBundle(join(folder, 'lib'));
  const program = join(folder, 'bin/tequio.mjs');
  copyFileSync(join(projectRoot, 'tools/package/launcher.mjs'), program);
  process.env['TEQUIO_PROGRAM'] = program;
}
