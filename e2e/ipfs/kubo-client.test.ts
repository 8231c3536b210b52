/** Kubo's own command line, which other people wrote, with this node in the place of kubo's daemon. */
import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Prng } from '@tequio/kernel';
import { LabDaemon } from '../lab/daemon.ts';
import { kuboProgram, whyNoKubo } from '../lab/kubo.ts';
import { skipWithout } from '../lab/missing.ts';
import { cleanEnvironment } from '../lab/running.ts';
import { until } from '../lab/until.ts';

/** Among others, and nobody of them unasked. */
const config = `version = 1
[overlay]
enabled = true
port = 0
webRtc = false
dht = "server"
localDiscovery = false
bootstrap = []
`;

type Shell = {
  readonly folder: string;
  run(args: readonly string[], input?: Uint8Array): Buffer;
  say(...args: readonly string[]): string;
  sayOf(input: string, ...args: readonly string[]): string;
};

test('every verb of kubo’s command line that this node has', { timeout: 280_000 }, async (t) => {
  const missing = whyNoKubo();
  if (missing !== null) return skipWithout(t, missing);
  const folder = mkdtempSync(join(tmpdir(), 'tequio-kubo-client-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [data, home] = [join(folder, 'node'), join(folder, 'kubo')];
  for (const path of [data, home]) mkdirSync(path);
  writeFileSync(join(data, 'config.toml'), config);
  const daemon = new LabDaemon(data);
  t.after(() => daemon.stop());
  await daemon.start();
  const port = new URL(daemon.origin).port;
  const before = [`--api=/ip4/127.0.0.1/tcp/${port}`, `--api-auth=bearer:${daemon.token}`];
  const env = { ...cleanEnvironment(home), IPFS_PATH: home, IPFS_TELEMETRY: 'off' };
  const run = (args: readonly string[], input: Uint8Array = new Uint8Array(0)): Buffer => {
    const done = spawnSync(kuboProgram()!, [...before, ...args], {
      env,
      input,
      cwd: folder,
      maxBuffer: 2 ** 28,
      timeout: 60_000,
    });
    if (done.status !== 0)
      throw new Error(`ipfs ${args.join(' ')}: ${done.status} ${done.error ?? done.stderr}`);
    return done.stdout;
  };
  const shell: Shell = {
    folder,
    run,
    say: (...args) => run(args).toString().trim(),
    sayOf: (input, ...args) => run(args, Buffer.from(input)).toString().trim(),
  };
  const tree = addAndRead(shell);
  pinsAndData(shell, tree);
  filesThatChange(shell, tree);
  keysAndNames(shell, tree);
  theNode(shell);
  shell.say('shutdown');
  await until('the node has ended', 60_000, () => daemon.running.exit !== null);
  equal(daemon.running.exit?.code, 0);
});

/** Content in and out. */
function addAndRead({ folder, run, say, sayOf }: Shell): string {
  const big = new Prng(7).bytes(3 << 20);
  mkdirSync(join(folder, 'tree', 'inner'), { recursive: true });
  writeFileSync(join(folder, 'tree', 'big.bin'), big);
  writeFileSync(join(folder, 'tree', 'inner', 'note.txt'), 'a note');
  const tree = say('add', '-r', '-Q', '--cid-version=1', 'tree');
  equal(tree, say('add', '-r', '-Q', '--cid-version=1', '--only-hash', 'tree'));
  ok(run(['cat', `${tree}/big.bin`]).equals(big));
  equal(say('cat', '--offset=2', '--length=4', `/ipfs/${tree}/inner/note.txt`), 'note');
  match(say('ls', tree), /big\.bin\n.*inner\//);
  run(['get', '-o', 'copy', tree]);
  ok(readFileSync(join(folder, 'copy', 'big.bin')).equals(big));
  match(sayOf('piped', 'add', '--hash=blake3'), /^added baf/);
  equal(say('resolve', `/ipfs/${tree}/inner`).startsWith('/ipfs/baf'), true);
  match(say('refs', '-r', tree), /baf/);
  ok(say('refs', 'local').split('\n').length > 5);
  return tree;
}

/** Pins, blocks, data, archives. */
function pinsAndData({ folder, run, say, sayOf }: Shell, tree: string): void {
  match(say('pin', 'ls', '--type=recursive'), new RegExp(`${tree} recursive`));
  match(say('pin', 'add', '--name=mine', `${tree}/inner`), /pinned/);
  match(say('pin', 'ls', '--names', '--type=recursive'), /mine/);
  match(say('pin', 'rm', `${tree}/inner`), /unpinned/);
  const block = sayOf('hello world', 'block', 'put');
  equal(block, 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e');
  equal(say('block', 'get', block), 'hello world');
  match(say('block', 'stat', block), /Size: 11/);
  const node = sayOf(`{"name":"x","link":{"/":"${block}"}}`, 'dag', 'put');
  deepEqual(JSON.parse(say('dag', 'get', node)), { name: 'x', link: { '/': block } });
  equal(say('dag', 'get', `${node}/link`, '--output-codec=raw'), 'hello world');
  match(say('dag', 'resolve', `${node}/link`), new RegExp(block));
  match(say('dag', 'stat', '--progress=false', tree), /\d+/);
  writeFileSync(join(folder, 'tree.car'), run(['dag', 'export', '--progress=false', tree]));
  match(say('dag', 'import', 'tree.car'), new RegExp(tree));
  match(say('block', 'rm', block), /removed/);
  equal(say('cid', 'base32', 'Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD').slice(0, 3), 'baf');
}

/** The tree of files. */
function filesThatChange({ run, say }: Shell, tree: string): void {
  say('files', 'mkdir', '-p', '/a/b');
  run(['files', 'write', '--create', '/a/b/c.txt'], Buffer.from('first line'));
  equal(say('files', 'read', '/a/b/c.txt'), 'first line');
  match(say('files', 'stat', '/a'), /Type: directory/);
  say('files', 'cp', `/ipfs/${tree}`, '/a/tree');
  match(say('files', 'ls', '-l', '/a'), /b\/.*\n?.*tree/s);
  say('files', 'mv', '/a/tree', '/tree');
  say('files', 'rm', '-r', '/a');
  throws(() => say('files', 'stat', '/a'), /does not exist/);
  match(say('files', 'flush', '/'), /Qm|baf/);
}

/** Keys and names. */
function keysAndNames({ say }: Shell, tree: string): void {
  const key = say('key', 'gen', '--type=ed25519', 'site');
  match(say('key', 'list', '-l'), new RegExp(`${key}\\s+site`));
  match(
    say('name', 'publish', '--allow-offline', '--key=site', `/ipfs/${tree}`),
    new RegExp(`Published to ${key}`),
  );
  equal(say('name', 'resolve', key), `/ipfs/${tree}`);
  equal(say('cat', `/ipns/${key}/inner/note.txt`), 'a note');
  match(say('key', 'rename', 'site', 'blog'), /renamed/);
  equal(say('key', 'rm', 'blog'), 'blog');
  equal(say('name', 'pubsub', 'state'), 'enabled');
}

/** The node itself. */
function theNode({ say, sayOf }: Shell): void {
  const id = JSON.parse(say('id')) as { ID: string; Addresses: string[] };
  match(id.ID, /^12D3KooW/);
  ok(id.Addresses.length > 0);
  equal(say('config', 'Identity.PeerID'), id.ID);
  say('config', '--json', 'Gateway.NoFetch', 'true');
  equal(say('config', 'Gateway.NoFetch'), 'true');
  equal((JSON.parse(say('config', 'show')) as { Identity: { PeerID: string } }).Identity.PeerID, id.ID);
  equal(say('bootstrap', 'list'), '');
  equal(say('swarm', 'peers'), '');
  match(say('swarm', 'addrs', 'local'), /\/ip4\/127\.0\.0\.1\/tcp\//);
  match(say('stats', 'bw'), /TotalIn/);
  match(say('stats', 'bitswap'), /blocks received/);
  match(say('stats', 'repo'), /NumObjects/);
  match(say('repo', 'stat', '--human'), /RepoSize/);
  match(say('repo', 'verify'), /verify complete/);
  say('repo', 'gc');
  equal(say('pubsub', 'ls'), '');
  match(say('version', '--number'), /^\d+\.\d+\.\d+$/);
  match(say('commands', '--flags=false'), /ipfs add/);
  match(sayOf('text', 'multibase', 'encode'), /^u/);
  throws(() => say('mount'), /file system/);
  throws(() => say('ping', '-n', '1', id.ID), /ping self/);
}
