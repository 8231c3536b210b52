// Runs before `npm start` and `npm test`, on whatever Node.js the machine has (20 or later), hence plain
// JavaScript: installs the project's packages once, from the lock file, and is silent when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = `${root}node_modules/.tequio-setup`;

const fail = (sentence) => {
  process.stderr.write(`tequio: ${sentence}\n`);
  process.exit(1);
};

const nodeMajor = Number(process.versions.node.split('.')[0]);
if (nodeMajor < 20) {
  fail(
    `this is Node.js ${process.versions.node}, and Tequio needs 20 or later. Install a newer one from nodejs.org.`,
  );
}

const lock = readFileSync(`${root}package-lock.json`, 'utf8');
const stamp = `${lock.length}:${hash(lock)}:${process.platform}-${process.arch}`;
if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) install();
if (newestChange(`${root}packages/web`) > changeOf(`${root}packages/web/dist/index.html`)) buildPage();

/** The web page is made from its sources when they are newer. Without it the node works all the same. */
function buildPage() {
  const own = `${root}node_modules/.bin/node${process.platform === 'win32' ? '.cmd' : ''}`;
  const program = nodeMajor >= 24 ? process.execPath : own;
  const args = ['--disable-warning=ExperimentalWarning', `${root}tools/web.ts`];
  const run = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'ignore', 2] });
  if (run.status !== 0) process.stderr.write('tequio: the web page could not be built.\n');
}

/** Milliseconds since 1970 at which the newest file of a folder was changed. */
function newestChange(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((newest, entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === 'dist' ? newest : Math.max(newest, newestChange(path));
    return Math.max(newest, changeOf(path));
  }, 0);
}

function changeOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function install() {
  process.stderr.write('tequio: setting up (once) …\n');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--include=dev', '--include=optional', '--loglevel=error', '--no-audit', '--no-fund'];
  const env = { ...process.env, npm_config_loglevel: 'error' };
  const run = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, env, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, {
        cwd: root,
        env,
        stdio: ['ignore', 2, 2],
        shell: process.platform === 'win32',
      });
  if (run.error) fail(`npm could not be started (${run.error.message}). Install npm, then try again.`);
  if (run.status !== 0)
    fail('npm ci did not finish; its own message is above. Check the network, then try again.');
  if (
    nodeMajor < 24 &&
    !existsSync(`${root}node_modules/.bin/node`) &&
    !existsSync(`${root}node_modules/.bin/node.cmd`)
  ) {
    fail(
      `this is Node.js ${process.versions.node}, and the registry has no Node.js 24 for ${process.platform}-${process.arch}. ` +
        'Install Node.js 24 or later from nodejs.org.',
    );
  }
  writeFileSync(stampFile, stamp);
}

/** FNV-1a over the text: only to notice that the lock file has changed. */
function hash(text) {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(16);
}
