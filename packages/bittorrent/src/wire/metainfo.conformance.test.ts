import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Hashes, toHex } from '@tequio/kernel';
import { decodeMetainfo, encodeMetainfo } from './metainfo.ts';

/**
 * 54 real torrents, good and bad, with what libtorrent 2.0.8 says of each. Same verdict, info-hashes, sizes
 * and file lists, or a reason here.
 */
const folder = new URL('../../../../../shared/data/metainfo/', import.meta.url);
const hasFolder = existsSync(folder);
const skip = hasFolder ? false : 'the folder ../shared/data/metainfo is not beside this checkout';

type Expected =
  | {
      readonly accepts: true;
      readonly name: string;
      readonly files: readonly { readonly path: string; readonly bytes: number; readonly pad: boolean }[];
      readonly fileCount: number;
      readonly pieceLength: number;
      readonly pieces: number;
      readonly totalBytes: number;
      readonly v1: string | null;
      readonly v2: string | null;
    }
  | { readonly accepts: false; readonly reason: string };

/** Where we decide otherwise than libtorrent 2.0.8. */
const differences: Readonly<
  Record<
    string,
    {
      readonly reason: string;
      readonly code?: string;
      readonly name?: string;
      readonly paths?: readonly string[];
    }
  >
> = {
  'invalid_name3.torrent': {
    reason: 'a space at the end of a name is dropped, for Windows cannot open such a folder',
    name: 'foobar',
    paths: ['foobar/foo/bar.txt', 'foobar/foo/var.txt'],
  },
  'v2_invalid_piece_layer_root.torrent': {
    reason: 'a piece layer that does not lead to its root is damage that shows at once: the file is refused',
    code: 'BITTORRENT_METAINFO_LAYER',
  },
  'v2_invalid_root_hash.torrent': {
    reason: 'a root that its piece layer does not lead to can never be satisfied: the file is refused',
    code: 'BITTORRENT_METAINFO_LAYER',
  },
};

const hashes: Hashes = {
  sha1: (bytes) => new Uint8Array(createHash('sha1').update(bytes).digest()),
  sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};

const expectations: Readonly<Record<string, Expected>> = hasFolder
  ? JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8'))
  : {};

test('the folder and its expectations are complete', { skip }, () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.torrent'));
  assert.deepEqual(names.sort(), Object.keys(expectations).sort());
  assert.equal(names.length, 54);
  for (const name of Object.keys(differences)) assert.ok(name in expectations, name);
});

for (const [file, expected] of Object.entries(expectations)) {
  const difference = differences[file];
  test(`${file}${difference === undefined ? '' : `: ${difference.reason}`}`, () => {
    const bytes = new Uint8Array(readFileSync(new URL(file, folder)));
    const result = decodeMetainfo(bytes, hashes);
    const code = difference?.code;
    if (code !== undefined || !expected.accepts) {
      assert.ok(!result.ok, 'was accepted');
      assert.match(result.fault.code, /^BITTORRENT_(METAINFO|BENCODE)_/);
      assert.equal(result.fault.blame, 'file');
      if (code !== undefined) assert.equal(result.fault.code, code);
      return;
    }
    assert.ok(result.ok, result.ok ? '' : `${result.fault.code} ${result.fault.message}`);
    const { info } = result.value;
    assert.equal(info.name, difference?.name ?? expected.name);
    assert.deepEqual(
      info.files.map(({ path, bytes, pad }) => ({ path, bytes, pad })),
      expected.files.map((entry, i) => ({ ...entry, path: difference?.paths?.[i] ?? entry.path })),
    );
    assert.equal(info.files.length, expected.fileCount);
    assert.equal(info.pieceBytes, expected.pieceLength);
    assert.equal(info.pieceCount, expected.pieces);
    assert.equal(info.totalBytes, expected.totalBytes);
    assert.equal(info.infoHashV1 && toHex(info.infoHashV1), expected.v1);
    assert.equal(info.infoHashV2 && toHex(info.infoHashV2), expected.v2);
    const again = decodeMetainfo(encodeMetainfo({ ...result.value, infoBytes: info.infoBytes }), hashes);
    assert.deepEqual(again, result);
  });
}
