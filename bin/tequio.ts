#!/usr/bin/env node
/** The program: the one place where the command line and the node meet, and the only one that touches the process. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { enableCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';

const projectFolder = fileURLToPath(new URL('..', import.meta.url));
/** Run as it is written, not as it is published. */
const isSource = import.meta.url.endsWith('.ts');
// Types are stripped once, not at every start. What is published keeps its cache where the system has room for such.
enableCompileCache(isSource ? join(projectFolder, 'node_modules', '.cache', 'tequio') : undefined);
const { runCli } = await import('@tequio/cli');
type CliWorld = import('@tequio/cli').CliWorld;

/** With `npm start` the process stands in the project; what the user typed is meant from where the user stood. */
const cwd = (isSource ? process.env['INIT_CWD'] : undefined) ?? process.cwd();

/** Lines of one turn go out by one system call: with `--json` a download says something of each piece. */
const stdout = {
  write: (text: string): void => {
    if (process.stdout.writableCorked === 0) {
      process.stdout.cork();
      process.nextTick(() => process.stdout.uncork());
    }
    process.stdout.write(text);
  },
  writeBytes: (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve) => process.stdout.write(bytes, () => resolve())),
};

const world: CliWorld = {
  stdout,
  stderr: {
    write: (text) => void process.stderr.write(text),
    isTTY: process.stderr.isTTY,
    get columns() {
      return process.stderr.columns ?? 0;
    },
    get rows() {
      return process.stderr.rows ?? 0;
    },
  },
  env: process.env,
  cwd,
  codeFolder: join(projectFolder, isSource ? 'packages' : 'lib'),
  version: '0.1.0',
  // A single executable is its own script.
  selfCommand: [process.execPath, ...(isSea() ? [] : [...process.execArgv, fileURLToPath(import.meta.url)])],
  resolvePath: (text) => resolve(cwd, text),
  onSignal: (handler) => {
    process.on('SIGINT', handler);
    process.on('SIGTERM', handler);
    return () => {
      process.off('SIGINT', handler);
      process.off('SIGTERM', handler);
    };
  },
  startNode: async (settings) => {
    // Not the whole daemon: with its HTTP API and what describes that, a download would begin twice as late.
    const { startNode } = await import('@tequio/daemon/node');
    return startNode(settings);
  },
  findDaemon,
  readStandardInput: async () => Buffer.concat(await process.stdin.toArray()).toString('utf8'),
  startDaemon: async (start) => {
    const { startDaemon } = await import('@tequio/daemon');
    const pageFolder = join(projectFolder, isSource ? 'packages/web/dist' : 'web');
    const countryFile = join(
      projectFolder,
      isSource ? 'node_modules/@ip-location-db/geo-whois-asn-country-mmdb' : 'data',
      'geo-whois-asn-country.mmdb',
    );
    return startDaemon({ ...start, env: process.env, version: world.version, pageFolder, countryFile });
  },
  checkConfig: async (start) => {
    const { checkConfig } = await import('@tequio/daemon');
    return checkConfig(start, process.env);
  },
  nowMs: () => performance.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  spawnSelf: (args, handlers) => {
    const [program = '', ...self] = world.selfCommand;
    const child = spawn(program, [...self, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface({ input: child.stdout }).on('line', (line) => handlers.onLine(line));
    createInterface({ input: child.stderr }).on('line', (line) => handlers.onErrorLine(line));
    const exited = new Promise<number>((settle) => {
      child.on('error', () => settle(126));
      child.on('close', (code) => settle(code ?? 128));
    });
    return { exited, stop: () => void child.kill('SIGINT'), kill: () => void child.kill('SIGKILL') };
  },
  makeTemporaryFolder: () => mkdtemp(join(tmpdir(), 'tequio-')),
  removeTemporaryFolder: (path) => rm(path, { recursive: true, force: true }),
};

/** The node says in its data folder where it is; the token next to that is for this user's eyes only. */
async function findDaemon(
  dataFolder: string | null,
): Promise<{ readonly url: string; readonly token: string } | null> {
  const { usualDataFolder } = await import('@tequio/daemon/data-folder');
  const folder = dataFolder ?? usualDataFolder(process.env, process.platform);
  try {
    const { url } = JSON.parse(await readFile(join(folder, 'running.json'), 'utf8'));
    const token = (await readFile(join(folder, 'token'), 'utf8')).trim();
    return typeof url === 'string' ? { url, token } : null;
  } catch {
    return null;
  }
}

// The reader went away (`… | head`): nobody is left to tell.
process.stdout.on('error', () => process.exit(0));
const code = await runCli(process.argv.slice(2), world);
process.stdout.write('', () => process.exit(code));
