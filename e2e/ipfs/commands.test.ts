/** `tequio ipfs …` as its users run it, beside kubo: the same CIDs, the same words. */
import { deepEqual, equal, match } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';
import { Kubo, whyNoKubo } from '../lab/kubo.ts';
import { skipWithout } from '../lab/missing.ts';
import { cleanEnvironment } from '../lab/running.ts';
import { programArguments } from '../lab/tequio.ts';

type Answer = { readonly code: number | null; readonly stdout: Buffer; readonly stderr: string };

function tequio(data: string, ...args: readonly string[]): Answer {
  const run = spawnSync(execPath, [...programArguments, '--data', data, 'ipfs', ...args], {
    env: cleanEnvironment(data),
    timeout: 120_000,
    maxBuffer: 2 ** 28,
  });
  return { code: run.status, stdout: run.stdout, stderr: String(run.stderr) };
}

test('what is added has kubo’s CIDs, is kept while it is pinned, and goes when it is not', async (t) => {
  const missing = whyNoKubo();
  if (missing !== null) return skipWithout(t, missing);
  const folder = mkdtempSync(join(tmpdir(), 'tequio-ipfs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [data, content] = [join(folder, 'data'), join(folder, 'content')];
  mkdirSync(join(content, 'sub'), { recursive: true });
  writeFileSync(join(content, 'a.txt'), 'hello\n');
  writeFileSync(join(content, 'sub', 'b.bin'), Buffer.alloc(3_000_000, 'tequio'));
  const kubo = new Kubo(folder);
  const asKubo = ['--cid-version=1', '--chunker=size-1048576'];
  const wanted = kubo.say('add', '-r', '-n', ...asKubo, content).split('\n');
  const added = tequio(data, 'add', '-r', content);
  equal(added.code, 0, added.stderr);
  deepEqual(added.stdout.toString().trimEnd().split('\n').sort(), wanted.sort());
  const root = /^added (\S+) content$/m.exec(added.stdout.toString())![1]!;
  deepEqual(tequio(data, 'cat', `/ipfs/${root}/sub/b.bin`).stdout, Buffer.alloc(3_000_000, 'tequio'));
  deepEqual(tequio(data, 'cat', '-o', '1', '-l', '3', `${root}/a.txt`).stdout, Buffer.from('ell'));
  equal(tequio(data, 'pin', 'ls', '--type', 'recursive').stdout.toString(), `${root} recursive\n`);
  equal(tequio(data, 'repo', 'gc').stdout.toString(), '');
  equal(tequio(data, 'pin', 'rm', root).stdout.toString(), `unpinned ${root}\n`);
  match(tequio(data, 'repo', 'gc').stdout.toString(), /^removed bafkrei\S+\n/);
  match(tequio(data, 'repo', 'stat').stdout.toString(), /^NumObjects: 0\nRepoSize: {3}0\n/);
  const gone = tequio(data, 'cat', root);
  equal(gone.code, 66);
  match(gone.stderr, new RegExp(root));
});
