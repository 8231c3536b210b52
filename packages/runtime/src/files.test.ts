import { deepEqual, equal, rejects } from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createFiles } from './files.ts';

const base = fs.mkdtempSync(join(tmpdir(), 'tequio-files-'));
after(() => fs.rmSync(base, { recursive: true, force: true }));
const files = createFiles();
const posix = process.platform !== 'win32';

test('a file up to the allowed length is read, a longer one is refused', async () => {
  const path = join(base, 'read');
  fs.writeFileSync(path, Buffer.alloc(100_000, 7));
  deepEqual(await files.readFile(path, 100_000), new Uint8Array(100_000).fill(7));
  await rejects(files.readFile(path, 99_999), { code: 'FILE_TOO_LONG' });
  await rejects(files.readFile(join(base, 'none'), 1), { code: 'FILE_MISSING' });
  await rejects(files.readFile(base, 1), { code: 'FILE_READ' });
});

test('an endless file ends at the allowed length', { skip: !posix }, async () => {
  await rejects(files.readFile('/dev/zero', 1_000_000), { code: 'FILE_TOO_LONG' });
});

test('a file is written whole or not at all, and nothing else is left', async () => {
  const path = join(base, 'w', 'f');
  await rejects(files.writeFile(path, new Uint8Array(3)), { code: 'FILE_WRITE' });
  await files.makeFolder(join(base, 'w', 'deep'));
  await files.makeFolder(join(base, 'w', 'deep'));
  await files.writeFile(path, new Uint8Array(3));
  await files.writeFile(path, Uint8Array.of(1, 2));
  deepEqual([...fs.readFileSync(path)], [1, 2]);
  await rejects(files.writeFile(join(base, 'w', 'deep'), new Uint8Array(3)), { code: 'FILE_WRITE' });
  deepEqual(fs.readdirSync(join(base, 'w')).sort(), ['deep', 'f']);
});

test('a walk finds all files in order of bytes, and names what it leaves out', { skip: !posix }, async () => {
  const folder = join(base, 'walk');
  fs.mkdirSync(join(folder, 'b', 'c'), { recursive: true });
  fs.mkdirSync(join(folder, 'empty'));
  // U+FFFD sorts behind U+1F600 as UTF-16 and before it as bytes: names in between tell the two orders apart.
  for (const name of ['b/c/x', 'b.', 'b/a', 'a\u{1f600}', 'a\uff5e'])
    fs.writeFileSync(join(folder, name), 'abc');
  fs.chmodSync(join(folder, 'b/a'), 0o755);
  fs.symlinkSync('b', join(folder, 'link'));
  fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.of(0xff)]), '');
  const walked = await files.walk(folder);
  deepEqual(
    walked.files.map(({ path, bytes, executable }) => [path, bytes, executable]),
    [
      ['a\uff5e', 3, false],
      ['a\u{1f600}', 3, false],
      ['b.', 3, false],
      ['b/a', 3, true],
      ['b/c/x', 3, false],
    ],
  );
  deepEqual(walked.leftOut, ['bad\ufffd', 'link']);
  equal(await files.kind(join(folder, 'link')), 'link');
  equal(await files.kind(join(folder, 'b')), 'folder');
  equal(await files.kind(join(folder, 'b.')), 'file');
  equal(await files.kind(join(folder, 'b.', 'x')), null);
  equal(await files.kind('/dev/null'), 'other');
  await rejects(files.walk(join(folder, 'b.')), { code: 'FILE_READ' });
  await rejects(files.walk(join(folder, 'none')), { code: 'FILE_MISSING' });
});

test('the real path: links followed, also in the middle; nothing, and a link to nothing, are null', async () => {
  const folder = fs.realpathSync(join(base));
  fs.mkdirSync(join(folder, 'real', 'inner'), { recursive: true });
  fs.writeFileSync(join(folder, 'real', 'inner', 'f'), '');
  equal(await files.realPath(join(folder, 'real/inner/f')), join(folder, 'real/inner/f'));
  equal(await files.realPath(join(folder, 'nothing')), null);
  if (!posix) return;
  fs.symlinkSync('real', join(folder, 'link'));
  fs.symlinkSync('nowhere', join(folder, 'broken'));
  equal(await files.realPath(join(folder, 'link/inner/f')), join(folder, 'real/inner/f'));
  equal(await files.realPath(join(folder, 'broken')), null);
});
