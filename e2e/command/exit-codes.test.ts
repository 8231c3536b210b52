/** Every documented exit code, from the program as a user runs it, and that `--json` prints JSON and nothing else. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { after, before, test } from 'node:test';
import { makeContent } from '../lab/content.ts';
import { cleanEnvironment, Running } from '../lab/running.ts';
import { programArguments, runTequio, type TequioRun } from '../lab/tequio.ts';
import { until } from '../lab/until.ts';

/** To nobody but this machine. */
const here = ['--bind', '127.0.0.1', '--port', '0', '--no-dht', '--no-port-mapping'];
const magnet = `magnet:?xt=urn:btih:${'ab'.repeat(20)}`;
let root = '';
let torrent = '';
let magnetOfIt = '';

const at = (...parts: string[]): string => join(root, ...parts);

/** Runs a command with a data folder of its own; with `--json`, every line of standard output must be one object. */
async function run(...args: string[]): Promise<TequioRun & { readonly json: Record<string, unknown>[] }> {
  const ended = await runTequio([...args, '--data', mkdtempSync(at('data-'))], root);
  const lines = ended.stdout.split('\n').filter((line) => line !== '');
  const json = args.includes('--json')
    ? lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    : [];
  for (const value of json) assert.equal(typeof value, 'object');
  return { ...ended, json };
}

before(async () => {
  root = mkdtempSync(join(tmpdir(), 'tequio-codes-'));
  makeContent(
    at('content'),
    [
      { path: 'a.bin', bytes: 300_000 },
      { path: 'b/c.bin', bytes: 50_000 },
    ],
    1,
  );
  torrent = at('content.torrent');
  const made = await run('create', at('content'), '-o', torrent, '--hybrid', '--json');
  assert.deepEqual([made.code, made.json[0]?.['type']], [0, 'created'], made.stderr);
  magnetOfIt = String(made.json[0]?.['magnet']);
  writeFileSync(at('bad.torrent'), 'd4:infod6:lengthi-1eee');
  writeFileSync(at('a-file'), 'not a folder');
});

after(() => rmSync(root, { recursive: true, force: true }));

test('0: done', async () => {
  for (const args of [
    ['show', torrent],
    ['show', magnetOfIt],
    ['verify', torrent, at('content')],
    ['--help'],
    ['--version'],
  ]) {
    const ended = await run(...args);
    assert.equal(ended.code, 0, `${args.join(' ')}: ${ended.stderr}`);
    assert.notEqual(ended.stdout, '');
  }
  for (const args of [
    ['show', torrent],
    ['show', magnetOfIt],
    ['verify', torrent, at('content')],
  ]) {
    const { code, json } = await run(...args, '--json');
    assert.deepEqual([code, json.length], [0, 1]);
  }
});

test('2: the command line itself is wrong', async () => {
  for (const args of [
    ['fly'],
    ['get'],
    ['get', torrent, '--port', 'x'],
    ['create', at('content')],
    ['verify', torrent],
  ]) {
    const ended = await run(...args);
    assert.equal(ended.code, 2, `${args.join(' ')}: ${ended.stderr}`);
  }
  const { code, json } = await run('get', torrent, '--limit-down', 'fast', '--json');
  assert.deepEqual([code, json.length], [2, 1]);
  assert.equal((json[0]!['error'] as { code: string }).code, 'CLI_USAGE');
});

test('65: bad data', async () => {
  cpSync(at('content'), at('damaged', 'content'), { recursive: true });
  writeFileSync(at('damaged', 'content', 'a.bin'), 'short');
  for (const args of [
    ['show', at('bad.torrent')],
    ['show', 'magnet:?xt=urn:btih:xyz'],
    ['get', at('bad.torrent'), ...here],
    ['verify', torrent, at('damaged', 'content')],
    ['seed', torrent, '--from', at('damaged'), ...here],
    ['get', torrent, '--address-filter', at('bad.torrent'), ...here],
  ]) {
    const ended = await run(...args, '--json');
    assert.equal(ended.code, 65, `${args.join(' ')}: ${ended.stderr}`);
    assert.ok(ended.json.length >= 1);
  }
});

test('66: what was named is not there', async () => {
  for (const args of [
    ['show', at('none.torrent')],
    ['get', at('none.torrent'), ...here],
    ['seed', at('none'), ...here],
    ['seed', torrent, '--from', at('a-folder-that-is-not'), ...here],
    ['create', at('none'), '-o', at('x.torrent')],
    ['verify', torrent, at('none')],
    ['get', torrent, '--address-filter', at('none'), ...here],
  ]) {
    const ended = await run(...args, '--json');
    assert.equal(ended.code, 66, `${args.join(' ')}: ${ended.stderr}`);
    assert.deepEqual(Object.keys(ended.json.at(-1)!), ['error']);
  }
});

test('69: nobody could be reached, or the port is taken', async () => {
  const ended = await run('get', magnet, '--to', at('m'), '--timeout', '1', ...here, '--json');
  assert.equal(ended.code, 69, ended.stderr);
  const first = new Running(
    execPath,
    [...programArguments, 'tracker', '--http', '0', '--udp', '0', '--bind', '127.0.0.1', '--json'],
    { env: cleanEnvironment(root) },
  );
  try {
    const started = await until('the tracker runs', 10_000, () => first.stdout.split('\n')[0] || null);
    const port = String((JSON.parse(started) as { httpPort: number }).httpPort);
    const second = await run(
      'get',
      magnet,
      '--timeout',
      '1',
      '--bind',
      '127.0.0.1',
      '--no-dht',
      '--no-port-mapping',
      '--port',
      port,
      '--json',
    );
    assert.equal(second.code, 69, second.stderr);
  } finally {
    assert.equal((await first.stop('SIGINT')).code, 130);
    for (const line of first.stdout.split('\n').filter((text) => text !== '')) JSON.parse(line);
  }
});

test('74: a file cannot be written', async () => {
  for (const args of [
    ['get', torrent, '--to', at('a-file', 'folder'), ...here],
    ['create', at('content'), '-o', at('a-file', 'x.torrent')],
  ]) {
    const ended = await run(...args, '--json');
    assert.equal(ended.code, 74, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`);
  }
});

test('130: interrupted with state kept, and the same command completes what was begun', async () => {
  const seeder = new Running(
    execPath,
    [
      ...programArguments,
      'seed',
      at('content'),
      ...here,
      '--limit-up',
      '100K',
      '--json',
      '--data',
      at('seed-data'),
    ],
    { env: cleanEnvironment(root) },
  );
  const data = at('get-data');
  try {
    const port = await until('it seeds', 15_000, () => {
      const line = seeder.stdout
        .split('\n')
        .find((text) => text.includes('"seeding"') && text.includes('"port"'));
      return line === undefined ? null : (JSON.parse(line) as { port: number }).port;
    });
    const get = (): Running =>
      new Running(
        execPath,
        [
          ...programArguments,
          'get',
          torrent,
          '--to',
          at('got'),
          '--peer',
          `127.0.0.1:${port}`,
          ...here,
          '--json',
          '--data',
          data,
        ],
        { env: cleanEnvironment(root) },
      );
    const first = get();
    await until('a piece is kept', 20_000, () => first.stdout.includes('bittorrent.pieces.kept'));
    assert.equal((await first.stop('SIGINT')).code, 130, first.describe());
    assert.equal(
      (JSON.parse(first.stdout.trim().split('\n').at(-1)!) as { type: string }).type,
      'interrupted',
    );
    const second = get();
    assert.equal((await second.wait(30_000)).code, 0, second.describe());
    assert.equal((await run('verify', torrent, at('got', 'content'))).code, 0);
  } finally {
    assert.equal((await seeder.stop('SIGINT')).code, 130);
    for (const line of seeder.stdout.split('\n').filter((text) => text !== '')) JSON.parse(line);
  }
});

test('what the user names by a symbolic link is followed; links inside are left out', async () => {
  mkdirSync(at('links'));
  symlinkSync(at('content'), at('links', 'to-content'));
  symlinkSync(torrent, at('links', 'a.torrent'));
  const made = await run('create', at('links', 'to-content'), '-o', at('linked.torrent'), '--json');
  assert.equal(made.code, 0, made.stderr);
  assert.equal(made.json[0]?.['name'], 'content');
  assert.equal((await run('verify', at('links', 'a.torrent'), at('links', 'to-content'))).code, 0);
  const seeder = new Running(
    execPath,
    [...programArguments, 'seed', at('links', 'to-content'), ...here, '--json', '--data', at('link-data')],
    { env: cleanEnvironment(root) },
  );
  await until('it seeds', 15_000, () => seeder.stdout.includes('"seeding"'));
  assert.equal((await seeder.stop('SIGINT')).code, 130);
  mkdirSync(at('with-link'));
  writeFileSync(at('with-link', 'real.bin'), 'x'.repeat(1000));
  symlinkSync('/etc/passwd', at('with-link', 'out.bin'));
  const inside = await run('create', at('with-link'), '-o', at('with-link.torrent'), '--json');
  assert.deepEqual(
    (inside.json[0]!['files'] as { path: string }[]).map(({ path }) => path),
    ['with-link/real.bin'],
  );
});
