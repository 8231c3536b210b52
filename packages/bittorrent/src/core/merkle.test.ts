import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { bytesEqual, type Hashes, Prng, toHex } from '@tequio/kernel';
import { modelHeight, modelNode, modelProof } from './merkle.model.ts';
import {
  climb,
  merkleLayers,
  merkleRoot,
  nodesOf,
  padNode,
  pieceLayerHeight,
  pieceLayerMatches,
  pieceLeafCount,
  proofMatches,
  proofOf,
  rootOfSubtrees,
  treeHeight,
  treeWidth,
  uncleCount,
} from './merkle.ts';

const hashes: Hashes = {
  sha1: (bytes) => new Uint8Array(createHash('sha1').update(bytes).digest()),
  sha256: (bytes) => new Uint8Array(createHash('sha256').update(bytes).digest()),
};

function randomLeaves(prng: Prng, count: number): { flat: Uint8Array; list: Uint8Array[] } {
  const flat = prng.bytes(count * 32);
  return { flat, list: Array.from({ length: count }, (_, i) => flat.slice(i * 32, i * 32 + 32)) };
}

test('sizes', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 8, 9].map(treeHeight), [0, 0, 1, 2, 2, 3, 3, 4]);
  assert.deepEqual([0, 1, 2, 3, 5].map(treeWidth), [1, 1, 2, 4, 8]);
  assert.deepEqual([16384, 32768, 1 << 20].map(pieceLayerHeight), [0, 1, 6]);
  // One piece or less: the file's own size. More: whole pieces.
  assert.deepEqual(
    [1, 16384, 16385, 40000, 65536, 65537].map((bytes) => pieceLeafCount(bytes, 65536)),
    [1, 1, 2, 4, 4, 4],
  );
});

test('padding nodes: zeros, then the hash of two of the layer below', () => {
  assert.equal(toHex(padNode(hashes, 0)), '00'.repeat(32));
  assert.equal(toHex(padNode(hashes, 1)), toHex(hashes.sha256(new Uint8Array(64))));
  assert.equal(toHex(padNode(hashes, 5)), toHex(modelNode(hashes, [], 5, 0)));
});

test('roots and layers are those of the naive tree, for every small size', () => {
  const prng = new Prng(1);
  for (let count = 1; count <= 35; count++) {
    const { flat, list } = randomLeaves(prng, count);
    const height = modelHeight(count);
    assert.equal(
      toHex(merkleRoot(hashes, flat)),
      toHex(modelNode(hashes, list, height, 0)),
      `${count} leaves`,
    );
    const layers = merkleLayers(hashes, flat);
    assert.equal(layers.length, height + 1);
    layers.forEach((layer, at) => {
      assert.equal(layer.length, 32 * Math.ceil(count / 2 ** at));
      for (let i = 0; i * 32 < layer.length; i++)
        assert.ok(bytesEqual(layer.subarray(i * 32, i * 32 + 32), modelNode(hashes, list, at, i)));
    });
    // A wider tree, and the same tree begun at a higher layer.
    assert.ok(bytesEqual(merkleRoot(hashes, flat, 0, 64), modelNode(hashes, list, 6, 0)));
    if (height >= 2) assert.ok(bytesEqual(merkleRoot(hashes, layers[2]!, 2), layers[height]!));
  }
  assert.equal(toHex(merkleRoot(hashes, new Uint8Array(0), 3, 4)), toHex(padNode(hashes, 5)));
});

test('proofs are those of the naive tree; they hold, and nothing false does', () => {
  const prng = new Prng(2);
  for (let round = 0; round < 150; round++) {
    const { flat, list } = randomLeaves(prng, prng.between(1, 40));
    const height = modelHeight(list.length);
    const layers = merkleLayers(hashes, flat);
    const root = layers[height]!;
    const runHeight = prng.between(0, height);
    const count = 2 ** runHeight;
    const index = prng.below(2 ** (height - runHeight)) * count;
    const run = nodesOf(hashes, flat, 0, index, count);
    const proof = proofOf(hashes, layers, 0, index, count);
    const expected = modelProof(hashes, list, runHeight, index / count, height);
    assert.equal(toHex(proof), expected.map(toHex).join(''));
    assert.ok(proofMatches(hashes, run, index, proof, height, root));
    assert.equal(proofMatches(hashes, run, index, proof, height + 1, root), false);
    assert.equal(proofMatches(hashes, run, index + 2 ** height, proof, height, root), false);
    const liedRun = run.slice();
    liedRun[prng.below(run.length)]! ^= 1 << prng.below(8);
    assert.equal(proofMatches(hashes, liedRun, index, proof, height, root), false);
    if (proof.length > 0) {
      const liedProof = proof.slice();
      liedProof[prng.below(proof.length)]! ^= 1 << prng.below(8);
      assert.equal(proofMatches(hashes, run, index, liedProof, height, root), false);
      assert.equal(proofMatches(hashes, run, index, proof.subarray(32), height, root), false);
      // The sibling's place is another one, unless both are nothing but padding.
      const twins = bytesEqual(climb(hashes, run, index, proof.subarray(0, 0)), proof.subarray(0, 32));
      assert.equal(proofMatches(hashes, run, index ^ count, proof, height, root), twins);
      // A part of the proof leads to the node below which all of it lies.
      const partial = climb(hashes, run, index, proof.subarray(0, 32));
      assert.ok(bytesEqual(partial, modelNode(hashes, list, runHeight + 1, index >> (runHeight + 1))));
    }
  }
});

test('a proof with nothing in it, or half a node, is refused without a throw', () => {
  const root = padNode(hashes, 0);
  assert.equal(proofMatches(hashes, new Uint8Array(0), 0, new Uint8Array(0), 0, root), false);
  assert.equal(proofMatches(hashes, new Uint8Array(33), 0, new Uint8Array(0), 0, root), false);
  assert.equal(proofMatches(hashes, new Uint8Array(96), 0, new Uint8Array(0), 2, root), false);
  assert.equal(proofMatches(hashes, new Uint8Array(32), 0.5, new Uint8Array(0), 0, root), false);
  assert.equal(proofMatches(hashes, new Uint8Array(32), -1, new Uint8Array(0), 0, root), false);
  assert.equal(proofMatches(hashes, new Uint8Array(32), 0, new Uint8Array(0), 0, root), true);
});

test('how many uncles a hash request asks for', () => {
  // Height 5, 8 nodes: they reach layer 3, so layers 3 and 4 have uncles; 2 proof layers are in the run
  // itself.
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 99].map((proofLayers) => uncleCount(5, 8, proofLayers)),
    [0, 0, 0, 1, 2, 2, 2],
  );
  assert.deepEqual(
    [0, 1, 5].map((proofLayers) => uncleCount(5, 1, proofLayers)),
    [0, 1, 5],
  );
  assert.equal(uncleCount(3, 8, 9), 0);
});

test('a piece layer is checked against its root', () => {
  const { flat } = randomLeaves(new Prng(3), 23);
  const layers = merkleLayers(hashes, flat);
  assert.ok(pieceLayerMatches(hashes, layers[2]!, 65536, layers[5]!));
  assert.equal(pieceLayerMatches(hashes, layers[2]!.subarray(32), 65536, layers[5]!), false);
  assert.equal(pieceLayerMatches(hashes, layers[2]!, 32768, layers[5]!), false);
});

test('the root of a tree whose parts were hashed apart', () => {
  const { flat, list } = randomLeaves(new Prng(4), 13);
  const parts = [0, 4, 8, 12].map((from) =>
    merkleRoot(hashes, flat.subarray(from * 32, (from + 4) * 32), 0, 4),
  );
  assert.ok(bytesEqual(rootOfSubtrees(parts, 4, 16, hashes), modelNode(hashes, list, 4, 0)));
  assert.ok(bytesEqual(rootOfSubtrees(parts, 4, 64, hashes), modelNode(hashes, list, 6, 0)));
});
