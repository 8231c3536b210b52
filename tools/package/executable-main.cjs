// The first file that a single executable runs; `releaseHash` stands above it. Only what is not there yet is written,
// each file whole and then renamed, so that two first starts at once do no harm.
const { existsSync, mkdirSync, renameSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { homedir } = require('node:os');
const { dirname, join } = require('node:path');
const { getAsset, getAssetKeys } = require('node:sea');

function cacheFolder() {
  if (process.platform === 'win32') return process.env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
}

function layDown(folder) {
  for (const name of getAssetKeys()) {
    const path = join(folder, name);
    if (existsSync(path)) continue;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const part = `${path}.${process.pid}.part`;
    writeFileSync(part, Buffer.from(getAsset(name)), { mode: 0o600 });
    renameSync(part, path);
  }
  const start = join(folder, 'start.cjs');
  writeFileSync(start, "import('./lib/tequio.js');\n", { mode: 0o600 });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n', { mode: 0o600 });
  return start;
}

let start;
try {
  const folder = join(cacheFolder(), 'tequio', releaseHash);
  start = join(folder, 'start.cjs');
  if (!existsSync(start)) layDown(folder);
} catch (error) {
  process.stderr.write(
    `tequio: its parts could not be written to the cache folder (${error.message}). Set XDG_CACHE_HOME to a folder that can be written.\n`,
  );
  process.exit(74);
}
createRequire(start)(start);
