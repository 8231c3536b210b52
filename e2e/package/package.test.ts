/** What is handed out, tried as its users do: the packed package in an empty folder, and the single executable. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it, type TestContext } from 'node:test';
import { writeExecutable } from '../../tools/package/executable.ts';
import { writeNpmFolder } from '../../tools/package/npm-folder.ts';

describe('the packed package', { timeout: 280_000 }, () => {
  const work = mkdtempSync(join(tmpdir(), 'tequio-package-'));
  const npmFolder = join(work, 'npm');
  const empty = join(work, 'empty');

  before(async () => {
    await writeNpmFolder(npmFolder);
    mkdirSync(empty);
    writeFileSync(join(empty, 'package.json'), '{"private":true,"type":"module"}');
    writeFileSync(join(empty, 'letter.txt'), 'Saludos a todos');
    const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', work], npmFolder)) as {
      filename: string;
    }[];
    run(
      'npm',
      ['install', '--offline', '--ignore-scripts', '--no-audit', join(work, packed!.filename)],
      empty,
    );
  });
  after(() => rmSync(work, { recursive: true, force: true }));

  it('is accepted by npm publish, as far as npm looks without publishing', () => {
    run('npm', ['publish', '--dry-run', '--offline', '--access', 'public'], npmFolder);
  });

  it('brings nothing else along and nothing that runs at installation', () => {
    // Native parts come, one for this machine, where npm can get them.
    const native = ['@chainsafe', '@koromix', '@node-datachannel', 'detect-libc', 'node-datachannel'];
    const others = globSync('node_modules/*', { cwd: empty }).filter(
      (path) => !native.some((name) => path.endsWith(`/${name}`)),
    );
    assert.deepEqual(others, ['node_modules/tequio']);
    const manifest = JSON.parse(
      readFileSync(join(empty, 'node_modules/tequio/package.json'), 'utf8'),
    ) as object;
    assert.ok(!('scripts' in manifest) && !('dependencies' in manifest));
  });

  it('starts by npx, makes a torrent, shows and verifies it', () => {
    assert.match(run('npx', ['--offline', 'tequio', '--version'], empty), /^\d+\.\d+\.\d+\n$/);
    run('npx', ['--offline', 'tequio', 'create', 'letter.txt', '-o', 'letter.torrent'], empty);
    const shown = JSON.parse(run('npx', ['--offline', 'tequio', 'show', 'letter.torrent', '--json'], empty));
    assert.equal(shown.files[0].path, 'letter.txt');
    run('npx', ['--offline', 'tequio', 'verify', 'letter.torrent', 'letter.txt'], empty);
  });

  it('runs its demonstration: real processes, real sockets', () => {
    assert.match(run('npx', ['--offline', 'tequio', 'demo'], empty), /every byte verified/);
  });

  it('runs as a node with its page', async (t) => {
    await servesItsPage(t, ['npx', '--offline', 'tequio'], empty, environment());
  });

  it('is a library with types', () => {
    writeFileSync(
      join(empty, 'use.ts'),
      `import { Tequio, type Torrent } from 'tequio';
       const client = new Tequio({ dataFolder: 'state', torrentPort: 0, dht: false, lsd: false, portMapping: false });
       const torrent: Torrent = await client.seed('letter.txt');
       console.log(torrent.infoHash, torrent.progress);
       await client.destroy();`,
    );
    assert.match(
      run(process.execPath, ['--disable-warning=ExperimentalWarning', 'use.ts'], empty),
      /^[0-9a-f]{40} 1\n$/,
    );
    const compiler = join(import.meta.dirname, '../../node_modules/typescript/bin/tsc');
    const types = join(import.meta.dirname, '../../node_modules/@types');
    const options = [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'esnext',
      '--types',
      'node',
      '--typeRoots',
      types,
    ];
    run(process.execPath, [compiler, ...options, 'use.ts'], empty);
  });

  it('says on an old Node.js what is missing', () => {
    const launcher = readFileSync(join(npmFolder, 'bin/tequio.mjs'), 'utf8');
    const old = join(work, 'old.mjs');
    writeFileSync(old, launcher.replace('process.versions.node.split', "'20.1.0'.split"));
    const { status, stderr } = spawnSync(process.execPath, [old], { encoding: 'utf8' });
    assert.equal(status, 69);
    assert.match(stderr, /Tequio needs 24 or later/);
  });

  it('becomes a single executable that needs nothing beside it', async (t) => {
    const { path } = await writeExecutable(npmFolder, work);
    const alone = join(work, 'alone');
    mkdirSync(alone);
    copyFileSync(path, join(alone, 'tequio'));
    const env = { PATH: '/nonexistent', HOME: alone, XDG_CACHE_HOME: join(alone, 'cache') };
    for (const round of ['first', 'second']) {
      const { stdout, status } = spawnSync(join(alone, 'tequio'), ['demo'], {
        encoding: 'utf8',
        env,
        cwd: alone,
      });
      assert.equal(status, 0, round);
      assert.match(stdout, /every byte verified/);
    }
    await servesItsPage(t, [join(alone, 'tequio')], alone, env);
  });
});

/** The node, started so, gives its page with packed scripts, and ends when it is told to. */
async function servesItsPage(
  t: TestContext,
  [program = '', ...first]: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const args = [...first, 'run', '--json', '--data', 'node', '--http', '127.0.0.1:0', '--port', '0'];
  const quiet = ['--bind', '127.0.0.1', '--no-dht', '--no-lsd', '--no-port-mapping'];
  const node = spawn(program, [...args, ...quiet], { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => void node.kill('SIGKILL'));
  const ended = once(node, 'exit');
  const { value } = await createInterface({ input: node.stdout })[Symbol.asyncIterator]().next();
  const { url } = JSON.parse(String(value)) as { readonly url: string };
  const page = await (await fetch(url)).text();
  assert.match(page, /<div id="app">/);
  const script = /src="([^"]+\.js)"/.exec(page)![1]!;
  const packed = await fetch(new URL(script, url), { headers: { 'accept-encoding': 'br' } });
  assert.equal(packed.headers.get('content-encoding'), 'br');
  await packed.arrayBuffer();
  const stop = spawnSync(program, [...first, 'stop', '--data', 'node'], { cwd, env, encoding: 'utf8' });
  assert.equal(stop.status, 0, stop.stderr);
  await ended;
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: environment(),
  });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? ''}\n${stdout}\n${stderr}`);
  return stdout;
}

/** As in a shell of the user's, not inside `npm test`. */
function environment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('npm_') && name !== 'INIT_CWD',
  );
  return { ...Object.fromEntries(entries), PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` };
}
