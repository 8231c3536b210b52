import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodeError, Prng } from '@tequio/kernel';
import { decodeMetainfo } from '../wire/metainfo.ts';
import { decodeInfo } from '../wire/metainfo-info.ts';
import type { Metainfo } from '../wire/torrent-info.ts';
import { createTorrent } from './creator.ts';
import { MemoryDisk, type Tree, testHashes } from './memory-disk.fixture.ts';
import { verifyTorrent } from './verifier.ts';

const versions = ['v1', 'v2', 'hybrid'] as const;
const sizes = { 'a/big': 70_000, 'a/empty': 0, 'b/one': 16_384, 'b/tiny': 5, c: 40_000 };

function folderTree(at = '/src/d'): Tree {
  const prng = new Prng(1);
  return new Map(Object.entries(sizes).map(([path, bytes]) => [`${at}/${path}`, prng.bytes(bytes)]));
}

async function torrentOf(tree: Tree, path: string, version: (typeof versions)[number]): Promise<Metainfo> {
  const memory = new MemoryDisk(tree);
  const ports = { disk: memory.disk, files: memory.files, hashes: testHashes };
  const { bytes } = await createTorrent({ path, version, pieceBytes: 32_768 }, ports);
  const result = decodeMetainfo(bytes, testHashes);
  assert.ok(result.ok);
  return result.value;
}

function verified(metainfo: Pick<Metainfo, 'info' | 'pieceLayers'>, memory: MemoryDisk, path: string) {
  return verifyTorrent(metainfo, path, { disk: memory.disk, files: memory.files, hashes: testHashes });
}

function statesOf(report: Awaited<ReturnType<typeof verified>>): Record<string, string> {
  return Object.fromEntries(report.files.map((file) => [file.path.slice(2), file.state]));
}

for (const version of versions) {
  test(`${version}: whole content is good, given itself, its folder, or under another name`, async () => {
    const metainfo = await torrentOf(folderTree(), '/src/d', version);
    for (const [at, path] of [
      ['/src/d', '/src/d'],
      ['/src/d', '/src'],
      ['/else/renamed', '/else/renamed'],
      ['/src/d', '/src/d/'],
    ] as const) {
      const report = await verified(metainfo, new MemoryDisk(folderTree(at)), path);
      assert.ok(report.ok, `${at} given as ${path}`);
      assert.equal(report.goodPieceCount, metainfo.info.pieceCount);
      assert.deepEqual(
        report.files.map((file) => file.goodBytes),
        [70_000, 0, 16_384, 5, 40_000],
      );
    }
  });

  test(`${version}: each kind of damage is named, file by file`, async () => {
    const metainfo = await torrentOf(folderTree(), '/src/d', version);
    const memory = new MemoryDisk(folderTree());
    const bytesOf = (path: string): Uint8Array => memory.tree.get(`/src/d/${path}`)!;
    bytesOf('a/big')[40_000]! ^= 1;
    memory.tree.delete('/src/d/a/empty');
    memory.tree.set('/src/d/b/one', bytesOf('b/one').subarray(0, 16_000));
    memory.tree.set('/src/d/c', Uint8Array.from([...bytesOf('c'), 1]));
    const report = await verified(metainfo, memory, '/src');
    assert.equal(report.ok, false);
    const states = statesOf(report);
    // In v1 the pieces of the short file reach into the next ones; in v2 each file stands alone.
    const neighbour = version === 'v1' ? 'wrong' : 'good';
    assert.deepEqual(states, {
      'a/big': 'wrong',
      'a/empty': 'missing',
      'b/one': 'short',
      'b/tiny': neighbour,
      c: version === 'v1' ? 'wrong' : 'long',
    });
    const big = report.files[0]!;
    assert.ok(big.badPieces.includes(1) && !big.badPieces.includes(0));
    assert.equal(big.goodBytes, version === 'v1' ? 32_768 : 70_000 - 32_768);
  });

  test(`${version}: links, folders and files that cannot be read are told apart`, async () => {
    const metainfo = await torrentOf(folderTree(), '/src/d', version);
    const memory = new MemoryDisk(folderTree());
    memory.tree.set('/src/d/a/big', null);
    memory.tree.delete('/src/d/b/one');
    memory.tree.set('/src/d/b/one/x', new Uint8Array(1));
    memory.denied.add('/src/d/c');
    const states = statesOf(await verified(metainfo, memory, '/src/d'));
    assert.deepEqual(
      [states['a/big'], states['b/one'], states['c']],
      ['not-a-file', 'not-a-file', 'unreadable'],
    );
  });

  test(`${version}: a single file, given itself, its folder, or under another name`, async () => {
    const content = new Prng(3).bytes(100_000);
    const metainfo = await torrentOf(new Map([['/src/one.bin', content]]), '/src/one.bin', version);
    for (const [at, path] of [
      ['/src/one.bin', '/src/one.bin'],
      ['/src/one.bin', '/src'],
      ['/x/other', '/x/other'],
    ] as const) {
      const report = await verified(metainfo, new MemoryDisk(new Map([[at, content]])), path);
      assert.ok(report.ok, `${at} given as ${path}`);
      assert.deepEqual(report.files, [
        { path: 'one.bin', bytes: 100_000, state: 'good', badPieces: [], goodBytes: 100_000 },
      ]);
    }
    const elsewhere = new MemoryDisk(new Map([['/x/other', content]]));
    assert.deepEqual(
      (await verified(metainfo, elsewhere, '/x')).files.map((file) => file.state),
      ['missing'],
    );
    await assert.rejects(verified(metainfo, elsewhere, '/nowhere'), (error) => {
      assert.ok(error instanceof NodeError);
      return error.code === 'FILE_MISSING';
    });
  });

  test(`${version}: a file that shrinks while it is read is short`, async () => {
    const metainfo = await torrentOf(folderTree(), '/src/d', version);
    const memory = new MemoryDisk(folderTree());
    memory.beforeJob = () => memory.tree.set('/src/d/c', new Uint8Array(3));
    assert.equal(statesOf(await verified(metainfo, memory, '/src/d'))['c'], 'short');
  });
}

test('v2 without piece layers, as from a magnet: a file is proven as a whole', async () => {
  const full = await torrentOf(folderTree(), '/src/d', 'v2');
  const info = decodeInfo(full.info.infoBytes, testHashes);
  assert.ok(info.ok);
  const metainfo = { info: info.value, pieceLayers: new Map<string, Uint8Array>() };
  const memory = new MemoryDisk(folderTree());
  assert.ok((await verified(metainfo, memory, '/src/d')).ok);
  memory.tree.get('/src/d/a/big')![40_000]! ^= 1;
  const report = await verified(metainfo, memory, '/src/d');
  assert.deepEqual(report.files[0], {
    path: 'd/a/big',
    bytes: 70_000,
    state: 'wrong',
    badPieces: [0, 1, 2],
    goodBytes: 0,
  });
  assert.equal(statesOf(report)['c'], 'good');
});

test('a hybrid is good only where both halves say so', async () => {
  const metainfo = await torrentOf(folderTree(), '/src/d', 'hybrid');
  const { info } = metainfo;
  const lyingV1 = { ...info, pieceHashes: info.pieceHashes!.slice() };
  lyingV1.pieceHashes[0]! ^= 1;
  const memory = new MemoryDisk(folderTree());
  assert.deepEqual(
    (await verified({ ...metainfo, info: lyingV1 }, memory, '/src/d')).files[0]!.badPieces,
    [0],
  );
  const layers = new Map([...metainfo.pieceLayers].map(([root, layer]) => [root, layer.slice()]));
  for (const layer of layers.values()) layer[33]! ^= 1;
  const report = await verified({ info, pieceLayers: layers }, memory, '/src/d');
  assert.deepEqual(report.files[0]!.badPieces, [1]);
});

test('a folder that holds another of its own name: the one with the files is taken', async () => {
  const tree: Tree = new Map([
    ['/src/d/d/x', new Uint8Array(10)],
    ['/src/d/y', new Uint8Array(20)],
  ]);
  const metainfo = await torrentOf(tree, '/src/d', 'v1');
  assert.ok((await verified(metainfo, new MemoryDisk(tree), '/src/d')).ok);
  assert.ok((await verified(metainfo, new MemoryDisk(tree), '/src')).ok);
});

test('progress reaches the end also past what is missing; it can be stopped', async () => {
  const metainfo = await torrentOf(folderTree(), '/src/d', 'v1');
  const memory = new MemoryDisk(folderTree());
  memory.tree.delete('/src/d/a/big');
  const ports = { disk: memory.disk, files: memory.files, hashes: testHashes };
  let last = 0;
  const total = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
  await verifyTorrent(metainfo, '/src', ports, ({ doneBytes, totalBytes }) => {
    assert.equal(totalBytes, total);
    assert.ok(doneBytes > last);
    last = doneBytes;
  });
  assert.equal(last, total);
  await assert.rejects(
    verifyTorrent(metainfo, '/src', ports, undefined, AbortSignal.abort()),
    (error) => error instanceof NodeError && error.code === 'BITTORRENT_ABORTED',
  );
});
