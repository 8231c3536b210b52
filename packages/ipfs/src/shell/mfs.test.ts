import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@tequio/kernel';
import { createRuntimePorts } from '@tequio/runtime';
import type { CID } from 'multiformats/cid';
import { profiles } from '../core/profile.ts';
import { MemoryBlocks } from './memory-blocks.ts';
import { Mfs } from './mfs.ts';
import { importBytes } from './unixfs-import.ts';

const { hashes } = createRuntimePorts();
const profile = profiles['unixfs-v1-2025'];

function setUp(): { mfs: Mfs; blocks: MemoryBlocks; again: () => Mfs } {
  const blocks = new MemoryBlocks();
  let root: CID | null = null;
  const kept = { get: (): CID | null => root, set: async (cid: CID): Promise<void> => void (root = cid) };
  const deps = { blocks, root: kept, hashes, clock: { wallMs: () => 1_700_000_000_123 } };
  return { mfs: new Mfs(deps, profile), blocks, again: () => new Mfs(deps, profile) };
}

async function textAt(mfs: Mfs, path: string): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of mfs.read(path)) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function namesIn(mfs: Mfs, path: string): Promise<string[]> {
  return (await mfs.list(path)).map(({ name }) => name);
}

test('a tree is made, changed and found again after a restart', async () => {
  const { mfs, again } = setUp();
  await mfs.mkdir('/a/b', { parents: true });
  await mfs.write('/a/b/file', [encodeUtf8('hello')], { create: true });
  await mfs.write('/a/b/file', [encodeUtf8(' world')], { offset: 5 });
  await mfs.copy('/a/b/file', '/a/');
  await mfs.move('/a/file', '/moved');
  assert.deepEqual(await namesIn(again(), '/'), ['a', 'moved']);
  assert.equal(await textAt(again(), '/moved'), 'hello world');
  assert.equal(await textAt(again(), '/a/b/file'), 'hello world');
  await mfs.truncate('/moved', 4);
  assert.equal(await textAt(again(), '/moved'), 'hell');
  await mfs.remove('/a', { recursive: true });
  assert.deepEqual(await namesIn(again(), '/'), ['moved']);
});

test('what is not flushed is seen here and not kept; the blocks in between are never written', async () => {
  const { mfs, blocks, again } = setUp();
  await mfs.mkdir('/kept');
  const before = blocks.size;
  for (let i = 0; i < 100; i++) await mfs.mkdir(`/kept/${i}`, { flush: false });
  assert.equal((await namesIn(mfs, '/kept')).length, 100);
  assert.equal((await namesIn(again(), '/kept')).length, 0);
  assert.equal(blocks.size, before);
  await mfs.flush();
  assert.equal((await namesIn(again(), '/kept')).length, 100);
  // The folder and the root; the hundred folders are all the empty one, which is there already.
  assert.equal(blocks.size, before + 2);
});

test('a file that grows bit by bit has the CID of one that is added whole, and its front is not read again', async () => {
  const { mfs, blocks } = setUp();
  const whole = new Uint8Array(5 * (1 << 20) + 77).map((_, i) => i >> 12);
  for (let at = 0; at < whole.length; at += 700_000)
    await mfs.write('/log', [whole.subarray(at, at + 700_000)], { create: true, offset: at, flush: false });
  const { cid } = await importBytes({ hashes, blocks }, profile, whole);
  assert.equal(String((await mfs.stat('/log')).cid), String(cid));
  let read = 0;
  const { get } = blocks;
  blocks.get = (wanted) => {
    read++;
    return get.call(blocks, wanted);
  };
  await mfs.write('/log', [new Uint8Array([1])], { offset: whole.length });
  assert.ok(read <= 4, `${read} blocks were read to add a byte`);
});

test('modes and times are kept, and a time moves on when the content changes', async () => {
  const { mfs } = setUp();
  await mfs.write('/file', [encodeUtf8('x')], { create: true });
  await mfs.chmod('/file', 0o640);
  await mfs.touch('/file', { seconds: -5, nanoseconds: 1 });
  const stat = await mfs.stat('/file');
  assert.deepEqual([stat.mode, stat.modified, stat.fileBytes], [0o640, { seconds: -5, nanoseconds: 1 }, 1]);
  await mfs.write('/file', [encodeUtf8('yz')]);
  const changed = await mfs.stat('/file');
  assert.deepEqual(changed.modified, { seconds: 1_700_000_000, nanoseconds: 123_000_000 });
  assert.equal(changed.mode, 0o640);
  assert.equal(await textAt(mfs, '/file'), 'yz');
  await mfs.chmod('/', 0o755);
  assert.equal((await mfs.stat('/')).mode, 0o755);
  assert.deepEqual(await namesIn(mfs, '/'), ['file']);
});

test('what cannot be is refused with its reason, and changes nothing', async () => {
  const { mfs } = setUp();
  await mfs.mkdir('/folder/inside', { parents: true });
  await mfs.write('/file', [encodeUtf8('x')], { create: true });
  const { cid } = await mfs.stat('/');
  const refusals: [work: () => Promise<unknown>, code: string][] = [
    [() => mfs.mkdir('/folder'), 'IPFS_FILES_EXISTS'],
    [() => mfs.mkdir('/no/such'), 'IPFS_FILES_MISSING'],
    [() => mfs.write('/nothing', []), 'IPFS_FILES_MISSING'],
    [() => mfs.write('/folder', []), 'IPFS_FILES_FOLDER'],
    [() => mfs.write('/file/below', [], { create: true }), 'IPFS_NOT_A_FOLDER'],
    [() => mfs.write('/file', [], { offset: -1 }), 'IPFS_FILES_OFFSET'],
    [() => mfs.remove('/folder'), 'IPFS_FILES_FOLDER'],
    [() => mfs.remove('/nothing'), 'IPFS_FILES_MISSING'],
    [() => mfs.remove('/', { recursive: true }), 'IPFS_FILES_ROOT'],
    [() => mfs.move('/folder', '/folder/inside'), 'IPFS_FILES_MOVE'],
    [() => mfs.copy('/nothing', '/else'), 'IPFS_FILES_MISSING'],
    [() => mfs.copy('/file', '/folder/../x'), 'IPFS_FILES_PATH'],
    [() => mfs.stat('relative'), 'IPFS_FILES_PATH'],
  ];
  for (const [work, code] of refusals) await assert.rejects(work, { code });
  assert.equal(String((await mfs.stat('/')).cid), String(cid));
});
