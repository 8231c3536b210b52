import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { toHex, tryFromHex, writeUint32 } from '@tequio/kernel';
import { decodeExtensionHandshake } from '../wire/extension.ts';
import { decodeHashes, decodeHashRequest, encodeHashes } from '../wire/hash-messages.ts';
import type { TorrentFile } from '../wire/torrent-info.ts';
import { HashTree } from './hash-tree.ts';
import { merkleLayers } from './merkle.ts';

const digest = (name: string, bytes: Uint8Array) => new Uint8Array(createHash(name).update(bytes).digest());
const hashes = { sha1: (b: Uint8Array) => digest('sha1', b), sha256: (b: Uint8Array) => digest('sha256', b) };

type Capture = {
  torrents: {
    pieceBytes: number;
    fileBytes: number;
    root: string;
    handshake: string;
    answers: { request: string; reject: boolean; payloadBytes: number; payloadSha256: string }[];
    requests: string[];
  }[];
};
const capture: Capture = JSON.parse(
  readFileSync(new URL('../../vectors/libtorrent-hashes.json', import.meta.url), 'utf8'),
);

/** Leaves of the captured content: block i is its number as four bytes, over and over. */
function leavesOfContent(fileBytes: number): Uint8Array {
  const leaves = new Uint8Array(Math.ceil(fileBytes / 16384) * 32);
  const block = new Uint8Array(16384);
  for (let i = 0; i * 16384 < fileBytes; i++) {
    for (let at = 0; at < 16384; at += 4) writeUint32(block, at, i);
    leaves.set(hashes.sha256(block.subarray(0, fileBytes - i * 16384)), i * 32);
  }
  return leaves;
}

function fileOf(fileBytes: number, root: Uint8Array): TorrentFile {
  return {
    ...{ index: 0, path: 'f', bytes: fileBytes, offset: 0, pad: false, executable: false, hidden: false },
    symlink: null,
    piecesRoot: root,
  };
}

/** A tree that knows everything of one captured file. */
function fullTree({ pieceBytes, fileBytes, root }: Capture['torrents'][number]): HashTree {
  const leaves = leavesOfContent(fileBytes);
  const rootBytes = tryFromHex(root)!;
  const layers = merkleLayers(hashes, leaves);
  assert.equal(toHex(layers.at(-1)!), root);
  const info = { pieceBytes, files: [fileOf(fileBytes, rootBytes)] };
  const pieceLayer = layers[Math.log2(pieceBytes / 16384)];
  const pieceLayers = fileBytes > pieceBytes ? new Map([[root, pieceLayer!]]) : new Map();
  const tree = new HashTree(hashes, info, pieceLayers, Number.POSITIVE_INFINITY);
  const pieceLeafBytes = (pieceBytes / 16384) * 32;
  for (let piece = 0; piece * pieceBytes < fileBytes; piece++)
    tree.setLeaves(piece, leaves.slice(piece * pieceLeafBytes, (piece + 1) * pieceLeafBytes));
  return tree;
}

test('a libtorrent seed and we answer the same requests with the same bytes', () => {
  let hashesCount = 0;
  for (const torrent of capture.torrents) {
    const tree = fullTree(torrent);
    for (const { request, reject, payloadSha256 } of torrent.answers) {
      const decoded = decodeHashRequest(tryFromHex(request)!);
      assert.ok(decoded.ok);
      // libtorrent 2.0.8 answers a single hash with an uncle less than it expects itself; BEP 52 has no such
      // request.
      if (decoded.value.length === 1) continue;
      const answer = tree.answer(decoded.value);
      assert.equal(answer === null, reject, request);
      if (answer === null) continue;
      assert.ok(answer.type === 'hashes');
      const payload = encodeHashes(answer.range);
      assert.equal(toHex(hashes.sha256(payload)), payloadSha256, request);
      assert.ok(decodeHashes(payload).ok);
      hashesCount++;
    }
  }
  assert.ok(hashesCount >= 35);
});

test('all that libtorrent asks for after a magnet is answered as it expects', () => {
  const lengths: number[] = [];
  for (const torrent of capture.torrents) {
    const tree = fullTree(torrent);
    for (const request of torrent.requests) {
      const decoded = decodeHashRequest(tryFromHex(request)!);
      assert.ok(decoded.ok);
      const answer = tree.answer(decoded.value);
      assert.ok(answer?.type === 'hashes', request);
      lengths.push(answer.range.hashes.length / 32, answer.range.uncles.length / 32);
    }
  }
  // The last but two: 513 pieces, so the second chunk is one hash; with it goes the whole path of ten uncles.
  assert.deepEqual(lengths, [512, 1, 256, 2, 512, 1, 1, 10, 2, 0, 2, 0]);
});

test('we ask a seed for nothing that libtorrent would refuse, and believe what it answers', () => {
  for (const torrent of capture.torrents) {
    const { pieceBytes, fileBytes, root } = torrent;
    const seed = fullTree(torrent);
    const tree = new HashTree(hashes, { pieceBytes, files: [fileOf(fileBytes, tryFromHex(root)!)] });
    for (const { firstPiece, request } of tree.missingChunks()) {
      assert.ok(request.length >= 2);
      const answer = seed.answer(request);
      assert.ok(answer?.type === 'hashes');
      assert.ok(tree.tryInsertChunk(firstPiece, answer.range));
      if (request.length === 512)
        assert.ok(torrent.answers.some((a) => a.request.endsWith(toHex(headerOf(request))) && !a.reject));
    }
    assert.ok(tree.isComplete);
    assert.deepEqual(tree.pieceLayerOf(0), seed.pieceLayerOf(0));
  }
});

function headerOf(request: {
  baseLayer: number;
  index: number;
  length: number;
  proofLayers: number;
}): Uint8Array {
  const header = new Uint8Array(16);
  [request.baseLayer, request.index, request.length, request.proofLayers].forEach((value, i) => {
    writeUint32(header, 4 * i, value);
  });
  return header;
}

test('a libtorrent extension handshake says who it is and what it speaks', () => {
  const decoded = decodeExtensionHandshake(tryFromHex(capture.torrents[0]!.handshake)!);
  assert.ok(decoded.ok);
  const { ids, clientName, requestCountMax, yourAddress, metadataBytes } = decoded.value;
  assert.deepEqual(ids, { ut_metadata: 2, lt_donthave: 7, upload_only: 3, ut_pex: 1, ut_holepunch: 4 });
  assert.equal(clientName, 'libtorrent/2.0.8.0');
  assert.equal(requestCountMax, 2000);
  assert.equal(yourAddress, '127.0.0.1');
  assert.equal(metadataBytes, null);
});

test('pieces of other files, pads and v1 torrents have no v2 hash', () => {
  const tree = new HashTree(hashes, {
    pieceBytes: 16384,
    files: [{ ...fileOf(5, new Uint8Array(32)), piecesRoot: null }],
  });
  assert.equal(tree.fileOf(0), -1);
  assert.equal(tree.expectedRootOf(0), null);
  assert.equal(tree.leafCountOf(0), 0);
  assert.ok(tree.isComplete, 'nothing is missing');
  assert.equal(tree.tryLoadPieceLayer(0, new Uint8Array(32)), false);
});

test('two files with the same content are one tree to those who ask, and two to us', () => {
  const leaves = leavesOfContent(3 * 16384);
  const root = merkleLayers(hashes, leaves).at(-1)!;
  const second = { ...fileOf(3 * 16384, root), index: 1, offset: 3 * 16384 };
  const tree = new HashTree(hashes, { pieceBytes: 16384, files: [fileOf(3 * 16384, root), second] });
  const chunks = tree.missingChunks();
  assert.deepEqual(
    chunks.map(({ firstPiece }) => firstPiece),
    [0, 3],
  );
  assert.ok(tree.tryLoadPieceLayer(1, leaves));
  assert.equal(tree.expectedRootOf(0), null);
  assert.deepEqual(tree.expectedRootOf(4), leaves.slice(32, 64));
  assert.equal(tree.answer(chunks[0]!.request), null, 'only the first of them is looked at');
});
