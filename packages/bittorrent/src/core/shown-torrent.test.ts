import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Hashes } from '@tequio/kernel';
import { encodeBencode } from '../wire/bencode.ts';
import { decodeMagnet } from '../wire/magnet.ts';
import { decodeMetainfo } from '../wire/metainfo.ts';
import { toShown, toShownMagnet } from './shown-torrent.ts';

const hashes: Hashes = {
  sha1: (bytes) => new Uint8Array(createHash('sha1').update(bytes).digest()),
  sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};

test('a torrent is shown with safe paths, and a magnet link that leads to it', () => {
  const info = {
    name: 'n',
    'piece length': 16384,
    pieces: new Uint8Array(20),
    files: [
      { length: 5, path: ['a:b'] },
      { length: 3, path: ['.pad', '3'], attr: 'p' },
    ],
  };
  const torrent = encodeBencode({ info, announce: 'http://t/announce', 'url-list': 'http://w/' });
  const metainfo = decodeMetainfo(torrent, hashes);
  assert.ok(metainfo.ok);
  const shown = toShown(metainfo.value);
  const { magnet, infoHashV1, ...rest } = shown;
  assert.match(infoHashV1!, /^[0-9a-f]{40}$/);
  assert.deepEqual(rest, {
    name: 'n',
    infoHashV2: null,
    pieceBytes: 16384,
    pieceCount: 1,
    totalBytes: 8,
    private: false,
    trackers: [['http://t/announce']],
    webSeeds: ['http://w/'],
    files: [
      { path: 'n/a_b', bytes: 5, pad: false },
      { path: 'n/.pad/3', bytes: 3, pad: true },
    ],
    comment: null,
    createdBy: null,
    createdAt: null,
    source: null,
    similar: [],
    collections: [],
    nameChanges: [{ was: 'a:b', is: 'a_b', reason: 'character not allowed on Windows' }],
  });
  const link = decodeMagnet(magnet);
  assert.ok(link.ok);
  assert.deepEqual(link.value.infoHashV1, metainfo.value.info.infoHashV1);
  assert.deepEqual(
    [link.value.name, link.value.trackers, link.value.webSeeds],
    ['n', ['http://t/announce'], ['http://w/']],
  );
  assert.equal(toShownMagnet(link.value).magnet, magnet);
  assert.equal(toShownMagnet(link.value).infoHashV1, infoHashV1);
});

test('a bare info-hash is shown under its hash', () => {
  const link = decodeMagnet('d2474e86c95b19b8bcfdb92bc12c9d44667cfa36');
  assert.ok(link.ok);
  assert.equal(toShownMagnet(link.value).name, 'd2474e86c95b19b8bcfdb92bc12c9d44667cfa36');
});
