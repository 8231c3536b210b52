import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeUtf8, type Hashes, Prng } from '@tequio/kernel';
import { type BencodeInput, encodeBencode } from './bencode.ts';
import { foldedPath, safePath } from './file-name.ts';
import { decodeMetainfo, encodeMetainfo } from './metainfo.ts';
import { metainfoLimits } from './metainfo-fault.ts';
import type { Metainfo } from './torrent-info.ts';

const runCount = Number(process.env['FUZZ_RUNS'] ?? 4000);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

const hashes: Hashes = {
  sha1: (bytes) => new Uint8Array(createHash('sha1').update(bytes).digest()),
  sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};

/** What the engine relies on, whatever the file said. */
function assertSound({ info, pieceLayers }: Metainfo): void {
  assert.ok(info.pieceCount >= 1 && info.pieceCount <= metainfoLimits.pieceCountMax);
  assert.equal(info.pieceCount, Math.ceil(info.totalBytes / info.pieceBytes));
  assert.ok(info.infoHashV1 !== null || info.infoHashV2 !== null);
  assert.equal(info.pieceHashes === null, info.infoHashV1 === null);
  if (info.pieceHashes !== null) assert.equal(info.pieceHashes.length, info.pieceCount * 20);
  let offset = 0;
  const paths = new Set<string>();
  info.files.forEach((file, index) => {
    assert.equal(file.index, index);
    assert.equal(file.offset, offset);
    offset += file.bytes;
    assert.deepEqual(safePath(file.path.split('/')), { text: file.path, reasons: [] });
    if (file.pad) return;
    assert.ok(!paths.has(foldedPath(file.path)), file.path);
    paths.add(foldedPath(file.path));
    if (info.infoHashV2 === null) return;
    assert.equal(file.piecesRoot === null, file.bytes === 0);
    if (file.bytes > 0) assert.equal(file.offset % info.pieceBytes, 0);
  });
  assert.equal(offset, info.totalBytes);
  const fileBytes = new Map(
    info.files.map((file) => [Buffer.from(file.piecesRoot ?? []).toString('hex'), file.bytes]),
  );
  for (const [root, layer] of pieceLayers)
    assert.equal(layer.length, 32 * Math.ceil(fileBytes.get(root)! / info.pieceBytes));
}

function check(bytes: Uint8Array): boolean {
  const result = decodeMetainfo(bytes, hashes);
  if (!result.ok) {
    assert.match(result.fault.code, /^BITTORRENT_(METAINFO|BENCODE)_[A-Z0-9_]+$/);
    assert.ok(result.fault.message.endsWith('.') && result.fault.blame === 'file');
    return false;
  }
  assertSound(result.value);
  const again = decodeMetainfo(
    encodeMetainfo({ ...result.value, infoBytes: result.value.info.infoBytes }),
    hashes,
  );
  assert.ok(again.ok);
  assert.deepEqual(again.value.info.files, result.value.info.files);
  return true;
}

const nameParts = [
  'a',
  'A',
  '..',
  '.',
  '',
  '/',
  'con',
  'a:b',
  '\u202e',
  'ñ',
  'a.1',
  '_____padding_file_0',
  'x ',
];

/** An info dictionary that is nearly right, with something wrong now and then. */
function randomTorrent(prng: Prng): Uint8Array {
  const odd = <Value>(usual: Value, ...others: BencodeInput[]): Value | BencodeInput =>
    prng.chance(0.03) ? prng.pick(others) : usual;
  const pieceBytes = prng.pick([16384, 32768]);
  const info: Record<string, BencodeInput | undefined> = {
    name: odd('n', '..', 5, new Uint8Array([255])),
    'piece length': odd(pieceBytes, 0, -1, 5, 'x', 2 ** 45),
  };
  let total = 0;
  const isV2 = prng.chance(0.5);
  if (isV2) {
    info['meta version'] = odd(2, 1, 3, 'x');
    info['file tree'] = odd(randomTree(prng, 3), 5, []);
  }
  if (!isV2 || prng.chance(0.2)) {
    const files = Array.from({ length: prng.below(6) }, () => {
      const length = prng.pick([0, 1, 16384, 40000]);
      total += length;
      const path = Array.from({ length: prng.between(1, 3) }, () => odd(prng.pick(nameParts), 5));
      const attr = prng.pick([undefined, undefined, 'p', 'x', 'l']);
      return {
        length: odd(length, -1, 'x', 2n ** 62n),
        path: odd(path, [], 5),
        attr,
        'symlink path': attr === 'l' ? path : undefined,
      };
    });
    info['files'] = files as BencodeInput[];
    info['pieces'] = odd(new Uint8Array(20 * Math.ceil(total / pieceBytes)), 'x', 7);
  }
  const outer = {
    info: odd(info as BencodeInput, 5, []),
    announce: odd('http://a/', 5, ''),
    'url-list': odd([['x']], 'http://w/'),
  };
  return encodeBencode(outer as BencodeInput);
}

function randomTree(prng: Prng, depth: number): BencodeInput {
  const tree = new Map<string, BencodeInput>();
  for (let count = prng.between(1, 4); count > 0; count--) {
    const name = prng.pick(nameParts);
    const length = prng.pick([0, 1, 16384, 30000]);
    const root = prng.chance(0.05) ? new Uint8Array(32) : prng.bytes(32);
    const leaf = { '': { length, 'pieces root': length > 0 ? root : undefined } } as BencodeInput;
    tree.set(name, depth > 0 && prng.chance(0.3) ? randomTree(prng, depth - 1) : leaf);
  }
  return tree;
}

/** Bytes changed, cut, doubled, and numbers made large. */
function mutated(prng: Prng, bytes: Uint8Array): Uint8Array {
  let result = bytes.slice();
  for (let count = prng.between(1, 6); count > 0; count--) {
    const at = prng.below(result.length + 1);
    switch (prng.below(4)) {
      case 0:
        if (at < result.length) result[at] = prng.below(256);
        break;
      case 1:
        result = Uint8Array.from([...result.subarray(0, at), ...result.subarray(at + prng.below(20))]);
        break;
      case 2:
        result = Uint8Array.from(
          [
            ...result.subarray(0, at),
            ...encodeUtf8(prng.pick(['i9e', '99', 'e', 'd', 'l', '4:name', '\0'])),
          ].concat([...result.subarray(at)]),
        );
        break;
      default: {
        const digit = result.findIndex((byte, i) => i >= at && byte >= 48 && byte <= 57);
        if (digit >= 0) result[digit] = 48 + prng.below(10);
      }
    }
  }
  return result;
}

test('generated torrents, right and wrong: no throw, and what is accepted is sound', () => {
  let acceptedCount = 0;
  for (let seed = firstSeed; seed < firstSeed + runCount; seed++) {
    const prng = new Prng(seed);
    const bytes = randomTorrent(prng);
    try {
      if (check(prng.chance(0.2) ? mutated(prng, bytes) : bytes)) acceptedCount++;
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=1`, { cause: error });
    }
  }
  assert.ok(acceptedCount > runCount / 10 && acceptedCount < runCount * 0.9, `${acceptedCount} accepted`);
});

const folder = new URL('../../../../../shared/data/metainfo/', import.meta.url);
const skip = existsSync(folder) ? false : 'the folder ../shared/data/metainfo is not beside this checkout';

test('real torrents with bytes changed: no throw, and what is accepted is sound', { skip }, () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.torrent'));
  const torrents = names
    .map((name) => new Uint8Array(readFileSync(new URL(name, folder))))
    .filter((bytes) => bytes.length < 20_000);
  for (let seed = firstSeed; seed < firstSeed + runCount / 4; seed++) {
    const prng = new Prng(seed);
    try {
      check(mutated(prng, prng.pick(torrents)));
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=4`, { cause: error });
    }
  }
});
