import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { tryLockFolder } from './folder-lock.ts';

test('one alone, or several that share', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-lock-'));
  const path = join(folder, 'lock');
  const alone = tryLockFolder(path, 'alone');
  assert.ok(alone);
  assert.equal(tryLockFolder(path, 'alone'), null);
  assert.equal(tryLockFolder(path, 'shared'), null);
  alone.release();
  const [first, second] = [tryLockFolder(path, 'shared'), tryLockFolder(path, 'shared')];
  assert.ok(first && second);
  assert.equal(tryLockFolder(path, 'alone'), null);
  first.release();
  second.release();
  tryLockFolder(path, 'alone')!.release();
  rmSync(folder, { recursive: true });
});

test('a process that was killed holds nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-lock-'));
  const path = join(folder, 'lock');
  const module = new URL('./folder-lock.ts', import.meta.url).href;
  const script = `const { tryLockFolder } = await import('${module}');
    globalThis.held = tryLockFolder('${path}', 'alone'); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    script,
  ]);
  await once(child.stdout, 'data');
  assert.equal(tryLockFolder(path, 'shared'), null);
  child.kill('SIGKILL');
  await once(child, 'exit');
  tryLockFolder(path, 'shared')!.release();
  tryLockFolder(path, 'alone')!.release();
  rmSync(folder, { recursive: true });
});

test('a folder that cannot be made is a sentence; one that is made is for its owner alone', () => {
  assert.throws(() => tryLockFolder('/dev/null/folder/lock', 'alone'), { code: 'DATA_FOLDER' });
  const folder = mkdtempSync(join(tmpdir(), 'tequio-lock-'));
  tryLockFolder(join(folder, 'data', 'lock'), 'alone')!.release();
  assert.equal(statSync(join(folder, 'data')).mode & 0o777, 0o700);
  rmSync(folder, { recursive: true });
});
