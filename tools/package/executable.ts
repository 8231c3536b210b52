import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../tidy-files.ts';

/** Tells Node.js where in its own file the program lies. */
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * Makes one file out of this Node.js and the npm folder: a single executable application. Threads, late parts, the
 * web page and data are files, so the executable lays them down in the user's cache folder when it first runs, under a
 * name made of their hash, and starts from there.
 */
export async function writeExecutable(
  npmFolder: string,
  folder: string,
): Promise<{ path: string; bytes: number }> {
  const workFolder = mkdtempSync(join(tmpdir(), 'tequio-executable-'));
  try {
    const names = globSync('{lib,web,data}/**/*', { cwd: npmFolder }).filter((name) =>
      statSync(join(npmFolder, name)).isFile(),
    );
    const hash = createHash('sha256');
    for (const name of names.sort()) hash.update(name).update(readFileSync(join(npmFolder, name)));
    const main = join(workFolder, 'main.cjs');
    const preamble = `const releaseHash = '${hash.digest('hex').slice(0, 16)}';\n`;
    writeFileSync(main, preamble + readFileSync(new URL('./executable-main.cjs', import.meta.url), 'utf8'));
    const config = join(workFolder, 'config.json');
    const blob = join(workFolder, 'program.blob');
    writeFileSync(
      config,
      JSON.stringify({
        main,
        output: blob,
        disableExperimentalSEAWarning: true,
        useCodeCache: false,
        execArgv: ['--max-semi-space-size=2', '--v8-pool-size=1', '--disable-warning=ExperimentalWarning'],
        assets: Object.fromEntries(names.map((name) => [name, join(npmFolder, name)])),
      }),
    );
    const run = spawnSync(process.execPath, ['--experimental-sea-config', config], { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`Node.js could not prepare the program:\n${run.stderr}`);
    const path = join(folder, process.platform === 'win32' ? 'tequio.exe' : 'tequio');
    copyFileSync(process.execPath, path);
    chmodSync(path, 0o755);
    inject(path, blob);
    return { path, bytes: statSync(path).size };
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
}

function inject(path: string, blob: string): void {
  const postject = join(projectRoot, 'node_modules/postject/dist/cli.js');
  const segment = process.platform === 'darwin' ? ['--macho-segment-name', 'NODE_SEA'] : [];
  const args = [postject, path, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse, ...segment];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (run.status !== 0)
    throw new Error(`the program could not be put into Node.js:\n${run.stdout}${run.stderr}`);
}
