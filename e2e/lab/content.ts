/** Folders of test content, made from a seed, and their comparison by SHA-256. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export type ContentFile = { readonly path: string; readonly bytes: number };

/** Odd sizes, empty files, files that share a piece, names in several scripts. */
export const mixedFiles: readonly ContentFile[] = [
  { path: 'a first file.bin', bytes: 1_000_003 },
  { path: 'empty.txt', bytes: 0 },
  { path: 'folder/deeper/one byte', bytes: 1 },
  { path: 'folder/deeper/exactly one piece', bytes: 32_768 },
  { path: 'folder/another empty one', bytes: 0 },
  { path: 'folder/size 16385', bytes: 16_385 },
  { path: 'náhuatl/Tequio: trabajo de todos.txt'.replace(':', ' -'), bytes: 77_777 },
  { path: '日本語/ファイル.dat', bytes: 123_456 },
  { path: 'ελληνικά.bin', bytes: 40_001 },
  { path: 'русский текст.txt', bytes: 12_345 },
  { path: 'z last.bin', bytes: 700_001 },
];

/** One large file among small ones: long enough to be interrupted in the middle. */
export function largeFiles(bytes: number): readonly ContentFile[] {
  return [
    { path: 'note.txt', bytes: 100 },
    { path: 'large.bin', bytes },
  ];
}

/** Writes the files below `folder`; the same seed gives the same bytes. */
export function makeContent(folder: string, files: readonly ContentFile[], seed: number): void {
  for (const [index, file] of files.entries()) {
    const path = join(folder, file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, noise(file.bytes, seed * 1000 + index));
  }
}

/** Incompressible bytes from a seed (xorshift32). */
export function noise(byteCount: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(byteCount / 4));
  let x = (seed * 2654435761 + 0x9e3779b9) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
  return new Uint8Array(words.buffer, 0, byteCount);
}

/** Every regular file below `folder`: path to `bytes:sha256`. Empty folders are nothing. */
export function treeOf(folder: string): Map<string, string> {
  const tree = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    const name = relative(folder, path).split('\\').join('/').normalize('NFC');
    tree.set(name, `${bytes.length}:${createHash('sha256').update(bytes).digest('hex')}`);
  }
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Fails unless both folders hold the same files with the same bytes, and nothing else. `emptyFilesMade` false: the
 * program that wrote `actualFolder` makes no files without content.
 */
export function assertSameTree(
  actualFolder: string,
  expectedFolder: string,
  { emptyFilesMade = true }: { readonly emptyFilesMade?: boolean } = {},
): void {
  const expected = treeOf(expectedFolder);
  if (!emptyFilesMade)
    for (const [path, content] of expected) if (content.startsWith('0:')) expected.delete(path);
  assert.ok(expected.size > 0, 'the expected folder has no files');
  assert.deepEqual(treeOf(actualFolder), expected);
}
