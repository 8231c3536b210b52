import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { NodeError, toHex } from '@tequio/kernel';
import { pickPieceBytes } from '../core/creation.ts';
import { decodeMetainfo } from '../wire/metainfo.ts';
import { createTorrent } from './creator.ts';
import { MemoryDisk, type Tree, testHashes } from './memory-disk.fixture.ts';

type Row = {
  readonly title: string;
  readonly name: string;
  readonly version: 'v1' | 'v2' | 'hybrid';
  readonly pieceBytes: number;
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly seed: number }[];
  readonly v1: string | null;
  readonly v2: string | null;
};

const vectors = JSON.parse(readFileSync(new URL('../../vectors/creation.json', import.meta.url), 'utf8')) as {
  readonly origin: string;
  readonly rows: readonly Row[];
};

/** As vectors/creation.py makes it. */
function contentOf(bytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => i * 31 + (i >> 8) * 17 + (i >> 16) * 5 + seed * 101);
}

function treeOf(row: Row): Tree {
  return new Map(
    row.files.map((file) => [
      `/src/${row.name}${file.path === '' ? '' : `/${file.path}`}`,
      contentOf(file.bytes, file.seed),
    ]),
  );
}

async function made(memory: MemoryDisk, path: string, more: object = {}) {
  const ports = { disk: memory.disk, files: memory.files, hashes: testHashes };
  const { bytes } = await createTorrent({ path, version: 'v1', ...more }, ports);
  const result = decodeMetainfo(bytes, testHashes);
  assert.ok(result.ok, result.ok ? '' : result.fault.message);
  return { bytes, metainfo: result.value, info: result.value.info };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof NodeError) return error.code;
    throw error;
  }
  return 'ok';
}

for (const row of vectors.rows)
  test(`same info-hashes as ${vectors.origin}: ${row.title}, ${row.version}, ${row.pieceBytes}`, async () => {
    const memory = new MemoryDisk(treeOf(row));
    const { info } = await made(memory, `/src/${row.name}`, {
      version: row.version,
      pieceBytes: row.pieceBytes,
    });
    assert.equal(info.infoHashV1 && toHex(info.infoHashV1), row.v1);
    assert.equal(info.infoHashV2 && toHex(info.infoHashV2), row.v2);
  });

const sample: Row = vectors.rows.find(
  (row) => row.title === 'folders and order' && row.version === 'hybrid',
)!;

test('what stands beside info: tiers, web seeds, private, source, texts', async () => {
  const { metainfo } = await made(new MemoryDisk(treeOf(sample)), `/src/${sample.name}`, {
    trackers: [['http://a/announce', 'udp://b:1'], ['http://c/announce']],
    webSeeds: ['http://w/'],
    private: true,
    source: 'here',
    comment: 'ñ',
    createdBy: 'Tequio',
    createdAt: 1234567890,
  });
  assert.deepEqual(metainfo.trackers, [['http://a/announce', 'udp://b:1'], ['http://c/announce']]);
  assert.deepEqual(metainfo.webSeeds, ['http://w/']);
  assert.deepEqual(
    [metainfo.info.private, metainfo.info.source, metainfo.comment, metainfo.createdBy, metainfo.createdAt],
    [true, 'here', 'ñ', 'Tequio', 1234567890],
  );
});

test('the same content gives the same bytes, in whatever order files are found and jobs end', async () => {
  const memory = new MemoryDisk(treeOf(sample));
  const options = { version: 'hybrid', pieceBytes: 16384 };
  const first = await made(memory, `/src/${sample.name}`, options);
  const second = await made(memory, `/src/${sample.name}/`, options);
  assert.deepEqual(first.bytes, second.bytes);
});

test('executable files keep their attribute; links are left out', async () => {
  const tree: Tree = new Map([
    ['/src/d/run.sh', contentOf(10, 1)],
    ['/src/d/plain', contentOf(10, 2)],
    ['/src/d/link', null],
  ]);
  for (const version of ['v1', 'v2', 'hybrid']) {
    const memory = new MemoryDisk(tree);
    memory.executables.add('/src/d/run.sh');
    const { info } = await made(memory, '/src/d', { version });
    const files = info.files.filter((file) => !file.pad);
    assert.deepEqual(
      files.map((file) => [file.path, file.executable]),
      [
        ['d/plain', false],
        ['d/run.sh', true],
      ],
    );
  }
});

test('a piece size is chosen by the content: 16 KiB to 16 MiB, at most 1500 pieces below that', () => {
  assert.deepEqual([1, 1500 * 16384, 1500 * 16384 + 1, 2 ** 30, 2 ** 40, 2 ** 46].map(pickPieceBytes), [
    16384,
    16384,
    32768,
    2 ** 20,
    2 ** 24,
    2 ** 25,
  ]);
});

test('jobs under way are bounded, however many pieces there are', async () => {
  const memory = new MemoryDisk(new Map([['/src/big', new Uint8Array(2000 * 16384)]]));
  let last = { doneBytes: 0, totalBytes: 0 };
  let callCount = 0;
  const ports = { disk: memory.disk, files: memory.files, hashes: testHashes };
  await createTorrent({ path: '/src/big', version: 'v1', pieceBytes: 16384 }, ports, (progress) => {
    assert.ok(progress.doneBytes >= last.doneBytes);
    last = progress;
    callCount++;
  });
  assert.deepEqual(last, { doneBytes: 2000 * 16384, totalBytes: 2000 * 16384 });
  assert.equal(callCount, 2000);
  assert.equal(memory.runningMax, 512);
});

test('content that cannot become a torrent is refused with a reason', async () => {
  const refusal = (files: Record<string, number | null>, path = '/src/d', more = {}): Promise<string> => {
    const tree: Tree = new Map(
      Object.entries(files).map(([name, bytes]) => [
        `/src/${name}`,
        bytes === null ? null : contentOf(bytes, 1),
      ]),
    );
    return codeOf(made(new MemoryDisk(tree), path, more));
  };
  assert.equal(await refusal({ 'd/a': 0, 'd/b': 0 }), 'BITTORRENT_CREATE_EMPTY');
  assert.equal(await refusal({ 'd/link': null }), 'BITTORRENT_CREATE_EMPTY');
  assert.equal(await refusal({ 'd/a': 1 }, '/src/none'), 'FILE_MISSING');
  assert.equal(await refusal({ d: null }), 'BITTORRENT_CREATE_PATH');
  assert.equal(await refusal({ 'd/a': 1 }, '/'), 'BITTORRENT_CREATE_PATH');
  assert.equal(await refusal({ 'd/a': 1 }, 'd'), 'BITTORRENT_CREATE_PATH');
  assert.equal(await refusal({ 'd/a?': 1 }), 'BITTORRENT_CREATE_NAME');
  assert.equal(await refusal({ 'd/con.txt': 1 }), 'BITTORRENT_CREATE_NAME');
  assert.equal(await refusal({ 'd/readme': 1, 'd/README': 1 }), 'BITTORRENT_CREATE_NAME');
  assert.equal(await refusal({ 'd/_____padding_file_1': 1 }), 'BITTORRENT_CREATE_NAME');
  assert.equal(await refusal({ 'x:y/a': 1 }, '/src/x:y'), 'BITTORRENT_CREATE_NAME');
  assert.equal(await refusal({ [`d/${'x/'.repeat(100)}a`]: 1 }), 'BITTORRENT_CREATE_NAME');
  for (const pieceBytes of [0, 8192, 16385, 49152, 2 ** 30, Number.NaN, -16384])
    assert.equal(await refusal({ 'd/a': 1 }, '/src/d', { pieceBytes }), 'BITTORRENT_CREATE_PIECE_SIZE');
  for (const url of ['nonsense', 'http://a b\n', ''])
    assert.equal(await refusal({ 'd/a': 1 }, '/src/d', { trackers: [[url]] }), 'BITTORRENT_CREATE_URL');
});

test('content that changes meanwhile, or cannot be read, ends it', async () => {
  const path = `/src/${sample.name}`;
  const shrinking = new MemoryDisk(treeOf(sample));
  shrinking.beforeJob = (count) => count === 3 && shrinking.tree.set(`${path}/b`, contentOf(10, 1));
  assert.equal(await codeOf(made(shrinking, path, { pieceBytes: 16384 })), 'BITTORRENT_CREATE_CHANGED');
  const growing = new MemoryDisk(treeOf(sample));
  growing.beforeJob = (count) => count === 3 && growing.tree.set(`${path}/a/y/z`, contentOf(10, 1));
  assert.equal(await codeOf(made(growing, path, { pieceBytes: 16384 })), 'BITTORRENT_CREATE_CHANGED');
  const touched = new MemoryDisk(treeOf(sample));
  touched.beforeJob = (count) => (touched.modifiedMs = count);
  assert.equal(await codeOf(made(touched, path, { pieceBytes: 16384 })), 'BITTORRENT_CREATE_CHANGED');
  const denied = new MemoryDisk(treeOf(sample));
  denied.denied.add(`${path}/b`);
  assert.equal(await codeOf(made(denied, path)), 'BITTORRENT_CREATE_READ');
});

test('stopped in the middle, it rejects when nothing is under way any more', async () => {
  const memory = new MemoryDisk(new Map([['/src/big', new Uint8Array(2000 * 16384)]]));
  const stop = new AbortController();
  let jobCount = 0;
  memory.beforeJob = (count) => {
    jobCount = count;
    if (count === 700) stop.abort();
  };
  const ports = { disk: memory.disk, files: memory.files, hashes: testHashes };
  const options = { path: '/src/big', version: 'v1', pieceBytes: 16384 } as const;
  assert.equal(await codeOf(createTorrent(options, ports, undefined, stop.signal)), 'BITTORRENT_ABORTED');
  assert.ok(jobCount >= 700 && jobCount < 1300, `${jobCount} jobs`);
  const before = jobCount;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(jobCount, before);
});
