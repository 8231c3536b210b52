import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { concatBytes, encodeUtf8, type Hashes, Prng, toHex, toLatin1 } from '@tequio/kernel';
import { type BencodeInput, BencodeRaw, decodeBencode, encodeBencode } from './bencode.ts';
import { merkleRoot } from './merkle.ts';
import { decodeMetainfo, encodeMetainfo } from './metainfo.ts';
import { decodeInfo } from './metainfo-info.ts';

const hashes: Hashes = {
  sha1: (bytes) => new Uint8Array(createHash('sha1').update(bytes).digest()),
  sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};

type Dictionary = Record<string, BencodeInput | undefined>;

const singleV1: Dictionary = { name: 'n', 'piece length': 16384, pieces: new Uint8Array(20), length: 5 };
const root = new Uint8Array(32).fill(7);
const other = new Uint8Array(32).fill(9);

function filesV1(...files: Dictionary[]): Dictionary {
  const total = files.reduce((sum, file) => sum + (file['length'] as number), 0);
  const pieces = new Uint8Array(Math.ceil(total / 16384) * 20);
  return { name: 'n', 'piece length': 16384, pieces, files: files as BencodeInput[] };
}

function treeV2(tree: BencodeInput, more: Dictionary = {}): Dictionary {
  return { name: 'n', 'piece length': 16384, 'meta version': 2, 'file tree': tree, ...more };
}

function leaf(length: number, more: Dictionary = {}): BencodeInput {
  return { '': { length, 'pieces root': length === 0 ? undefined : root, ...more } as BencodeInput };
}

function decoded(info: Dictionary, outer: Dictionary = {}) {
  const result = decodeMetainfo(encodeBencode({ ...outer, info: info as BencodeInput }), hashes);
  assert.ok(result.ok, result.ok ? '' : `${result.fault.code}: ${result.fault.message}`);
  return result.value;
}

function codeOf(info: Dictionary, outer: Dictionary = {}): string {
  const result = decodeMetainfo(encodeBencode({ ...outer, info: info as BencodeInput }), hashes);
  return result.ok ? 'ok' : result.fault.code.replace('BITTORRENT_METAINFO_', '');
}

test('info-hashes are taken over info as it stands, unknown keys and odd order included', () => {
  const raw = 'd4:name1:n6:lengthi005e1:zi1e12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae';
  const result = decodeMetainfo(encodeUtf8(`d4:info${raw}e  trailing`), hashes);
  assert.ok(result.ok);
  assert.equal(toHex(result.value.info.infoHashV1!), toHex(hashes.sha1(encodeUtf8(raw))));
  assert.equal(toLatin1(result.value.info.infoBytes), raw);
  const again = encodeMetainfo({ ...result.value, infoBytes: result.value.info.infoBytes });
  assert.equal(toLatin1(again), `d4:info${raw}e`);
});

test('an info dictionary alone decodes to the same', () => {
  const { info } = decoded(singleV1);
  const alone = decodeInfo(info.infoBytes, hashes);
  assert.deepEqual(alone, { ok: true, value: info });
  assert.equal(decodeInfo(encodeUtf8('le'), hashes).ok, false);
  assert.equal(decodeInfo(concatBytes([info.infoBytes, encodeUtf8('x')]), hashes).ok, false);
});

test('what stands beside info', () => {
  const metainfo = decoded(singleV1, {
    announce: 'http://old/announce',
    'announce-list': [
      ['http://a/', 'udp://b:1', 'http://a/'],
      [],
      ['nonsense', 5],
      ['http://a/'],
      ['wss://c/'],
    ],
    'url-list': ['http://w/1', 'http://w/1', '', 7, 'http://w/2'],
    nodes: [['host', 1], ['h', 0], ['h', 70000], ['', 5], 'x', ['::1', 6881]],
    comment: 'old',
    'comment.utf-8': 'ñ',
    'created by': Uint8Array.of(0xff, 65),
    'creation date': 5,
    similar: [new Uint8Array(20), new Uint8Array(19)],
    collections: ['x', 'x'],
  });
  assert.deepEqual(metainfo.trackers, [['http://a/', 'udp://b:1'], ['wss://c/']]);
  assert.deepEqual(metainfo.webSeeds, ['http://w/1', 'http://w/2']);
  assert.deepEqual(metainfo.nodes, [
    { host: 'host', port: 1 },
    { host: '::1', port: 6881 },
  ]);
  assert.deepEqual([metainfo.comment, metainfo.createdBy, metainfo.createdAt], ['ñ', '\ufffdA', 5]);
  assert.equal(metainfo.info.similar.length, 1);
  assert.deepEqual(metainfo.info.collections, ['x']);
  assert.deepEqual(decoded(singleV1, { announce: 'http://x/', 'announce-list': [['']] }).trackers, [
    ['http://x/'],
  ]);
  assert.deepEqual(decoded(singleV1, { 'url-list': 'http://w/' }).webSeeds, ['http://w/']);
});

test('unknown keys beside info are kept byte for byte', () => {
  const odd = new BencodeRaw(encodeUtf8('d1:bi1e1:ai002ee'));
  const metainfo = decoded(singleV1, { 'x-odd': odd, zz: 'plain', announce: 'http://a/' });
  const text = toLatin1(encodeMetainfo({ ...metainfo, infoBytes: metainfo.info.infoBytes, comment: 'new' }));
  assert.ok(text.includes('5:x-oddd1:bi1e1:ai002ee2:zz5:plaine'));
  assert.ok(text.includes('7:comment3:new'));
});

test('v1: private, source, attributes, pads, several files', () => {
  const { info } = decoded({
    ...filesV1(
      { length: 10, path: ['a', 'b'], attr: 'xh' },
      { length: 6, path: ['.pad', '6'], attr: 'p' },
      { length: 0, path: ['l'], attr: 'l', 'symlink path': ['a', 'b'] },
      { length: 9, path: ['_____padding_file_1_x'] },
      { length: 4, path: [Uint8Array.of(0xff)], 'path.utf-8': ['ñ'] },
    ),
    private: 1,
    source: 's',
  });
  assert.deepEqual([info.private, info.source, info.totalBytes, info.pieceCount], [true, 's', 29, 1]);
  assert.deepEqual(
    info.files.map((file) => [file.path, file.offset, file.pad, file.executable, file.hidden, file.symlink]),
    [
      ['n/a/b', 0, false, true, true, null],
      ['n/.pad/6', 10, true, false, false, null],
      ['n/l', 16, false, false, false, 'n/a/b'],
      ['n/_____padding_file_1_x', 16, true, false, false, null],
      ['n/ñ', 25, false, false, false, null],
    ],
  );
  assert.equal(decoded({ ...singleV1, private: 0 }).info.private, false);
});

test('names: unsafe ones are changed and reported; of nothing, the hash is made', () => {
  const { info } = decoded({ ...filesV1({ length: 1, path: ['..', 'a:b'] }), name: '/x\\y' });
  assert.equal(info.name, 'xy');
  assert.equal(info.files[0]!.path, 'xy/a_b');
  assert.deepEqual(
    info.nameChanges.map((change) => [change.was, change.is]),
    [
      ['/x\\y', 'xy'],
      ['../a:b', 'a_b'],
    ],
  );
  const nameless = decoded({ ...filesV1({ length: 1, path: ['a'] }), name: '..' }).info;
  assert.equal(nameless.name, toHex(nameless.infoHashV1!));
  assert.equal(nameless.files[0]!.path, `${nameless.name}/a`);
  assert.equal(codeOf({ ...singleV1, name: '..' }), 'NAME');
  assert.equal(decoded({ ...singleV1, name: 'a/b' }).info.files[0]!.path, 'ab');
});

test('v2: one file, several files, invented pads, a folder with one file', () => {
  const single = decoded(treeV2({ n: leaf(5) })).info;
  assert.deepEqual(
    single.files.map((file) => [file.path, file.bytes, file.pad]),
    [
      ['n', 5, false],
      ['n/.pad/16379', 16379, true],
    ],
  );
  const folder = decoded(
    treeV2({ a: { x: leaf(16384) }, 'a.b': leaf(0), b: leaf(3, { 'pieces root': other }) }),
  ).info;
  assert.deepEqual(
    folder.files.map((file) => [file.path, file.offset, file.bytes]),
    [
      ['n/a/x', 0, 16384],
      ['n/a.b', 16384, 0],
      ['n/b', 16384, 3],
      ['n/.pad/16381', 16387, 16381],
    ],
  );
  assert.equal(folder.pieceCount, 2);
  assert.equal(decoded(treeV2({ other: leaf(5) })).info.files[0]!.path, 'n/other');
});

test('v2: what contradicts the standard is refused', () => {
  const cases: [string, Dictionary][] = [
    ['VERSION', treeV2({ n: leaf(5) }, { 'meta version': 3 })],
    ['VERSION', treeV2({ n: leaf(5) }, { 'meta version': 1 })],
    ['VERSION', treeV2({ n: leaf(5) }, { 'meta version': undefined })],
    ['TREE', { name: 'n', 'piece length': 16384, 'meta version': 2 }],
    ['TREE', treeV2({ '': { length: 5 } })],
    ['TREE', treeV2({ a: { '': { length: 5, 'pieces root': root }, b: leaf(4) } })],
    ['TREE', treeV2({ a: 5 })],
    ['TREE', treeV2(new BencodeRaw(encodeUtf8('d1:bde1:adee')))],
    ['TREE', treeV2(new BencodeRaw(encodeUtf8('d1:ade1:adee')))],
    ['LENGTH', treeV2({ a: { '': {} } })],
    ['LENGTH', treeV2({ a: leaf(-1) })],
    ['PAD', treeV2({ a: leaf(5, { attr: 'p' }) })],
    ['ROOT', treeV2({ a: { '': { length: 5 } } })],
    ['ROOT', treeV2({ a: leaf(5, { 'pieces root': new Uint8Array(32) }) })],
    ['ROOT', treeV2({ a: leaf(5, { 'pieces root': new Uint8Array(31) }) })],
    ['ROOT', treeV2({ a: leaf(5), b: leaf(6) })],
    ['EMPTY', treeV2({ a: leaf(0) })],
    ['EMPTY', treeV2({})],
    ['PIECE_LENGTH', treeV2({ n: leaf(5) }, { 'piece length': 8192 })],
    ['PIECE_LENGTH', treeV2({ n: leaf(5) }, { 'piece length': 49152 })],
    ['PIECE_COUNT', treeV2({ n: leaf(2 ** 50) })],
  ];
  for (const [code, info] of cases) assert.equal(codeOf(info), code, JSON.stringify(info));
});

test('v1: what contradicts the standard is refused', () => {
  const cases: [string, Dictionary][] = [
    ['NAME', { ...singleV1, name: undefined }],
    ['NAME', { ...singleV1, name: 5 }],
    ['LENGTH', { ...singleV1, length: undefined }],
    ['LENGTH', { ...singleV1, length: -1 }],
    ['LENGTH', { ...singleV1, length: 2n ** 60n }],
    ['EMPTY', { ...singleV1, length: 0, pieces: '' }],
    ['EMPTY', filesV1()],
    ['PIECES', { ...singleV1, pieces: new Uint8Array(40) }],
    ['PIECES', { ...singleV1, pieces: 5 }],
    ['PIECES', { ...singleV1, pieces: undefined }],
    ['PIECE_LENGTH', { ...singleV1, 'piece length': 0 }],
    ['PIECE_LENGTH', { ...singleV1, 'piece length': 2 ** 40 }],
    ['PIECE_COUNT', { ...singleV1, length: 2 ** 52 }],
    ['PATH', filesV1({ length: 1 })],
    ['PATH', filesV1({ length: 1, path: [] })],
    ['PATH', filesV1({ length: 1, path: ['a', 5] })],
    ['PATH', filesV1({ length: 1, path: Array.from({ length: 101 }, () => 'x') })],
  ];
  for (const [code, info] of cases) assert.equal(codeOf(info), code, code);
});

test('hybrid: both halves must say the same', () => {
  const tree = { a: leaf(20000), b: leaf(0), c: leaf(7, { 'pieces root': other }) };
  const pad = { length: 12768, path: ['.pad', '12768'], attr: 'p' };
  const tail = { length: 16377, path: ['.pad', '16377'], attr: 'p' };
  const a = { length: 20000, path: ['a'] };
  const b = { length: 0, path: ['b'] };
  const c = { length: 7, path: ['c'] };
  const hybrid = (...files: Dictionary[]): Dictionary => ({
    ...treeV2(tree),
    ...filesV1(...files),
    'meta version': 2,
  });
  for (const files of [
    [a, pad, b, c],
    [a, b, pad, c],
    [a, pad, b, c, tail],
  ]) {
    const { info } = decoded(hybrid(...files));
    assert.equal(info.pieceCount, 3);
    assert.equal(info.totalBytes, files.includes(tail) ? 3 * 16384 : 32775);
    assert.equal(info.files[4]?.path, files.includes(tail) ? 'n/.pad/16377' : undefined);
    assert.ok(info.infoHashV1 !== null && info.infoHashV2 !== null);
    assert.deepEqual(info.files[0]!.piecesRoot, root);
  }
  const lies: Dictionary[][] = [
    [a, b, c],
    [a, pad, c],
    [a, pad, b],
    [a, pad, c, b],
    [a, pad, b, { ...c, length: 8 }],
    [a, pad, b, { ...c, path: ['d'] }],
    [a, pad, b, c, { ...c, path: ['e'] }],
    [a, { ...pad, length: 12767 }, b, c],
    [a, pad, b, c, { ...tail, length: 16376 }],
    [a, pad, tail, b, c],
    // Two wrong pads that add up.
    [a, { ...pad, length: 12767 }, b, c, { ...tail, length: 16378 }],
    [pad, a, pad, b, c],
  ];
  for (const files of lies) assert.equal(codeOf(hybrid(...files)), 'HYBRID', JSON.stringify(files));
  const single = { ...treeV2({ n: leaf(5) }), ...singleV1 };
  assert.equal(decoded(single).info.files.length, 1);
  assert.equal(codeOf({ ...single, length: 6 }), 'HYBRID');
  assert.equal(codeOf({ ...treeV2({ m: leaf(5) }), ...singleV1 }), 'HYBRID');
  assert.equal(codeOf({ ...treeV2({ n: leaf(5), o: leaf(0) }), ...singleV1 }), 'HYBRID');
});

test('piece layers are checked against their files', () => {
  const layer = new Prng(1).bytes(96);
  const realRoot = merkleRoot(hashes, layer);
  const info = treeV2({ a: leaf(40000, { 'pieces root': realRoot }), b: leaf(5) });
  const layers = (entries: [Uint8Array, BencodeInput][]): Dictionary => ({
    'piece layers': new Map(entries),
  });
  const good = decoded(info, layers([[realRoot, layer]]));
  assert.deepEqual([...good.pieceLayers.keys()], [toHex(realRoot)]);
  assert.equal(decoded(info).pieceLayers.size, 0);
  assert.equal(decoded(info, layers([[root, 'whatever']])).pieceLayers.size, 0);
  const bad = layer.slice();
  bad[50]! ^= 1;
  assert.equal(codeOf(info, layers([[realRoot, bad]])), 'LAYER');
  assert.equal(codeOf(info, layers([[realRoot, layer.subarray(32)]])), 'LAYER');
  assert.equal(codeOf(info, layers([[realRoot, 5]])), 'LAYER');
  assert.equal(
    codeOf(
      info,
      layers([
        [realRoot, layer],
        [layer.slice(0, 32), layer],
      ]),
    ),
    'LAYER',
  );
  const again = decodeBencode(encodeMetainfo({ ...good, infoBytes: good.info.infoBytes }));
  assert.ok(again.ok && again.value.isSorted());
});

test('a torrent of 50,000 files, and one of a million pieces, decode fast', () => {
  const files = Array.from({ length: 50_000 }, (_, i) => ({
    length: 10,
    path: [`folder ${i % 100}`, `file ${i}.bin`],
  }));
  const many = encodeBencode({ info: filesV1(...files) as BencodeInput });
  const large = encodeBencode({
    info: { ...singleV1, length: 16384 * 1_000_000, pieces: new Uint8Array(20_000_000) } as BencodeInput,
  });
  const startedAt = process.cpuUsage().user;
  const results = [many, large].map((bytes) => decodeMetainfo(bytes, hashes));
  const seconds = (process.cpuUsage().user - startedAt) / 1e6;
  assert.deepEqual(
    results.map((result) => result.ok && [result.value.info.files.length, result.value.info.pieceCount]),
    [
      [50_000, 31],
      [1, 1_000_000],
    ],
  );
  assert.ok(seconds < 3, `${seconds} s of CPU`);
});
