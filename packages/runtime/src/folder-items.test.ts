import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolders } from './folder-items.ts';

test('a folder is listed with sizes, modes, times and where links lead to', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'tequio-folder-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'file'), 'hello');
  chmodSync(join(folder, 'file'), 0o640);
  utimesSync(join(folder, 'file'), 100, new Date(-1500));
  mkdirSync(join(folder, 'inside'));
  if (process.platform !== 'win32') symlinkSync('../elsewhere', join(folder, 'link'));
  const folders = createFolders();
  const items = new Map((await folders.list(folder)).map((item) => [item.name, item]));
  const file = items.get('file')!;
  assert.deepEqual([file.kind, file.bytes, file.target], ['file', 5, null]);
  assert.deepEqual(file.modified, { seconds: -2, nanoseconds: 500_000_000 });
  if (process.platform !== 'win32') {
    assert.equal(file.mode, 0o640);
    assert.equal(items.get('link')?.kind, 'link');
    assert.equal(items.get('link')?.target, '../elsewhere');
  }
  assert.equal(items.get('inside')?.kind, 'folder');
  assert.deepEqual(await folders.item(join(folder, 'file')), file);
  assert.equal(await folders.item(join(folder, 'nothing')), null);
  await assert.rejects(folders.list(join(folder, 'nothing')), { code: 'FILE_MISSING' });
});
