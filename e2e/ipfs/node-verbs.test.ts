/** `tequio ipfs …` with a node that is running: kubo's verbs, through its RPC. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';
import { LabDaemon } from '../lab/daemon.ts';
import { cleanEnvironment } from '../lab/running.ts';
import { programArguments } from '../lab/tequio.ts';

type Run = (...args: string[]) => { code: number | null; stdout: string; stderr: string };

function checkSealed(run: Run): void {
  const { stdout: link } = run('share', '--encrypt', 'value.json');
  match(link, /^ipfs:\/\/baf\w+#tqs1\.[\w-]{43}$/);
  equal(run('open', link).stdout, '{"a":[1,2]}');
  // Another key, and none.
  match(run('open', link.replace(/.{5}$/, 'AAAAA')).stderr, /another key/);
  const sealed = link.split('#')[0]!;
  match(run('open', sealed).stderr, /no whole link/);
  equal(run('pin', 'rm', sealed.slice('ipfs://'.length)).code, 0);
}

test('files, keys, names, data and peers of a running node', { timeout: 200_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-node-verbs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const data = join(folder, 'node');
  mkdirSync(data);
  const overlay =
    'enabled = true\nport = 0\nwebRtc = false\ndht = "none"\nlocalDiscovery = false\nbootstrap = []';
  writeFileSync(join(data, 'config.toml'), `version = 1\n[overlay]\n${overlay}\n`);
  const run: Run = (...args) => {
    const done = spawnSync(execPath, [...programArguments, 'ipfs', ...args, '--data', data], {
      env: cleanEnvironment(data),
      cwd: folder,
      timeout: 100_000,
    });
    return { code: done.status, stdout: String(done.stdout).trimEnd(), stderr: String(done.stderr) };
  };
  const say = (...args: string[]): string => {
    const { code, stdout, stderr } = run(...args);
    equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const alone = run('id');
  ok(alone.code !== 0);
  match(alone.stderr, /tequio run|run/);

  const daemon = new LabDaemon(data);
  t.after(() => daemon.stop());
  await daemon.start();
  const { ID } = JSON.parse(say('id')) as { ID: string };
  match(ID, /^12D3KooW/);
  writeFileSync(join(folder, 'note.txt'), 'a note');
  say('files', 'mkdir', '-p', '/a/b');
  say('files', 'write', '--create', '/a/b/note.txt', 'note.txt');
  equal(say('files', 'read', '/a/b/note.txt'), 'a note');
  equal(say('files', 'ls', '/a'), 'b');
  const { Hash } = JSON.parse(say('files', 'stat', '/a')) as { Hash: string };
  match(say('resolve', `/ipfs/${Hash}/b`), /^\/ipfs\/(?:Qm|baf)\w+$/);
  say('key', 'gen', 'site');
  const [self, site] = say('key', 'list').split('\n');
  match(self!, /^k51\w+ self$/);
  const key = site!.split(' ')[0]!;
  say('name', 'publish', '--allow-offline', '--key=site', `/ipfs/${Hash}`);
  equal(say('name', 'resolve', key), `/ipfs/${Hash}`);
  writeFileSync(join(folder, 'value.json'), '{"a":[1,2]}');
  const put = JSON.parse(say('dag', 'put', 'value.json')) as { Cid: { '/': string } };
  deepEqual(JSON.parse(say('dag', 'get', put.Cid['/'])), { a: [1, 2] });
  equal(say('swarm', 'peers'), '');
  equal(say('bootstrap', 'list'), '');
  equal((JSON.parse(say('config', 'Identity.PeerID')) as { Value: string }).Value, ID);
  match(say('cid', 'base32', 'Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD'), /^baf/);
  mkdirSync(join(folder, 'photos', 'sub'), { recursive: true });
  writeFileSync(join(folder, 'photos', 'a.txt'), 'hello\n');
  writeFileSync(join(folder, 'photos', 'sub', 'b.bin'), Buffer.alloc(3_000_000, 'tequio'));
  const added = say('add', '-r', 'photos');
  const root = /^added (\S+) photos$/m.exec(added)![1]!;
  equal(added.split('\n').length, 4);
  equal(say('cat', '-o', '1', '-l', '3', `${root}/a.txt`), 'ell');
  match(say('ls', root), /^baf\w+ 6 a\.txt\nbaf\w+ - sub\/$/);
  equal(say('pin', 'ls', '--type', 'recursive'), `${root} recursive`);
  match(say('pin', 'verify', '--verbose'), new RegExp(`^${root} ok$`, 'm'));
  equal(say('block', 'stat', root).split('\n')[0], `Key: ${root}`);
  match(run('block', 'rm', root).stderr, /kept by a pin/);
  match(say('repo', 'stat'), /^NumObjects: [1-9]\d*\nRepoSize: +\d+\nRepoPath: +\S+ipfs$/);
  match(say('repo', 'verify'), /all blocks validated/);
  ok(say('repo', 'ls').split('\n').length > 5);
  equal(say('pin', 'rm', root), `unpinned ${root}`);
  ok(say('repo', 'gc').includes(`removed `));
  const stayed = say('-q', 'add', '--nocopy', '-r', 'photos').split('\n').at(-1)!;
  equal(stayed, root);
  checkSealed(run);
  match(run('add', 'photos').stderr, /photos/);
  match(run('files', 'stat', '/none').stderr, /does not exist/);
  match(run('files', 'paint').stderr, /\w+/);
  await daemon.stop();
  // Alone again, on the same repository.
  equal(say('cat', `${root}/a.txt`), 'hello');
  equal(say('pin', 'ls', '--type', 'recursive'), `${root} recursive`);
});
