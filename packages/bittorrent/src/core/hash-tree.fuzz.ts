import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Prng, toHex } from '@tequio/kernel';
import { ceilLog2, type HashRange, type HashRequest } from '../wire/hash-messages.ts';
import type { TorrentFile } from '../wire/torrent-info.ts';
import { HashTreeModel, joined, type ModelFile } from './hash-tree.model.ts';
import { HashTree, layerChunkLength } from './hash-tree.ts';

const digest = (name: string, bytes: Uint8Array) => new Uint8Array(createHash(name).update(bytes).digest());
const hashes = { sha1: (b: Uint8Array) => digest('sha1', b), sha256: (b: Uint8Array) => digest('sha256', b) };
const runMs = Number(process.env['FUZZ_MS'] ?? 2000);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? 1);

type World = { tree: HashTree; model: HashTreeModel; prng: Prng; pieceCount: number; many: boolean };

function createWorld(seed: number): World {
  const prng = new Prng(seed);
  const blocksPerPiece = 2 ** prng.below(5);
  const leavesBytesMax = 32 * prng.between(1, 200);
  // Now and then a layer of more than one chunk.
  const many = prng.chance(0.1);
  const modelFiles: ModelFile[] = [];
  const files: TorrentFile[] = [];
  let piece = 0;
  for (let i = 0; i < prng.between(1, 4); i++) {
    const blockCount = many && i === 0 ? prng.between(512, 1300) : prng.between(1, prng.pick([2, 20, 90]));
    const leaves = Array.from({ length: blockCount }, () => prng.bytes(32));
    modelFiles.push({ firstPiece: piece, leaves });
    const bytes = blockCount * 16384 - prng.below(16384);
    files.push({
      index: files.length,
      path: `f${i}`,
      bytes,
      offset: piece * blocksPerPiece * 16384,
      pad: false,
      executable: false,
      hidden: false,
      symlink: null,
      piecesRoot: null,
    });
    piece += Math.ceil(blockCount / blocksPerPiece);
    if (prng.chance(0.3)) files.push({ ...files[0]!, index: files.length, bytes: prng.below(2), pad: true });
  }
  const model = new HashTreeModel(hashes, modelFiles, blocksPerPiece, leavesBytesMax);
  let at = 0;
  const withRoots = files.map((file) =>
    file.pad ? file : { ...file, piecesRoot: model.trees[at++]!.rows.at(-1)![0]! },
  );
  const info = { pieceBytes: blocksPerPiece * 16384, files: withRoots };
  return {
    tree: new HashTree(hashes, info, new Map(), leavesBytesMax),
    model,
    prng,
    pieceCount: piece,
    many,
  };
}

function randomRequest({ model, prng }: World): HashRequest {
  const { rows, blockCount } = prng.pick(model.trees);
  const root = prng.chance(0.02) ? prng.bytes(32) : rows.at(-1)![0]!;
  const baseLayer = prng.below(rows.length + 1);
  const realCount = Math.ceil(blockCount / 2 ** baseLayer);
  let length = 2 ** prng.below(rows.length - Math.min(baseLayer, rows.length - 1) + 1);
  let index = prng.below(Math.ceil(((rows[baseLayer]?.length ?? 1) + 1) / length)) * length;
  if (prng.chance(0.2)) {
    index = Math.floor((realCount - 1) / length) * length;
    length = Math.max(1, realCount - index + (prng.chance(0.1) ? 1 : 0));
  }
  if (index % 2 ** ceilLog2(length) !== 0) index = 0;
  return { root, baseLayer, index, length, proofLayers: prng.below(rows.length + 1) };
}

function damaged(prng: Prng, range: HashRange): HashRange {
  const copy = { request: range.request, hashes: range.hashes.slice(), uncles: range.uncles.slice() };
  const part = copy.uncles.length > 0 && prng.chance(0.4) ? copy.uncles : copy.hashes;
  part[prng.below(part.length)]! ^= 1 << prng.below(8);
  return copy;
}

function insertSomeChunk({ tree, model, prng }: World): void {
  const missing = tree.missingChunks();
  if (missing.length === 0) return;
  const { firstPiece, pieceCount, request } = prng.pick(missing);
  const known = model.treeOf(firstPiece)!;
  assert.equal(request.index, firstPiece - known.firstPiece);
  assert.ok(request.length >= pieceCount && request.length <= layerChunkLength);
  const truth = model.truthOf(request);
  assert.ok(truth !== null, 'what we ask for exists');
  if (prng.chance(0.3)) {
    assert.equal(tree.tryInsertChunk(firstPiece, damaged(prng, truth)), false);
  } else {
    assert.equal(tree.tryInsertChunk(firstPiece, truth), true);
    for (let i = 0; i < pieceCount; i++) known.known.add(request.index + i);
  }
}

function loadSomeLayer({ tree, model, prng }: World): void {
  const known = prng.pick(model.trees);
  const layer = joined(known.rows[known.pieceLayer]!.slice(0, known.pieceCount));
  const file = tree.fileOf(known.firstPiece);
  if (prng.chance(0.5)) layer[prng.below(layer.length)]! ^= 1;
  else if (known.pieceCount > 1) for (let i = 0; i < known.pieceCount; i++) known.known.add(i);
  const isGood =
    known.pieceCount > 1 && toHex(hashes.sha256(layer)) === toHex(hashes.sha256(trueLayer(known)));
  assert.equal(tree.tryLoadPieceLayer(file, layer), isGood);
}

function trueLayer(known: HashTreeModel['trees'][number]): Uint8Array {
  return joined(known.rows[known.pieceLayer]!.slice(0, known.pieceCount));
}

function proveSomeLeaves({ tree, model, prng, pieceCount }: World): void {
  const piece = prng.below(pieceCount);
  const known = model.treeOf(piece)!;
  const requests = tree.leafRequestsOf(piece);
  assert.equal(requests.length === 0, known.pieceLayer === 0);
  for (const request of requests) {
    const truth = model.truthOf(request);
    assert.ok(truth !== null, 'what we ask for exists');
    assert.equal(tree.provesLeaves(piece, truth), model.rootOf(piece) !== null);
    assert.equal(tree.provesLeaves(piece, damaged(prng, truth)), false);
  }
}

function compare({ tree, model, pieceCount }: World): void {
  let isComplete = true;
  for (let piece = -1; piece <= pieceCount; piece++) {
    const known = model.treeOf(piece);
    const root = model.rootOf(piece);
    assert.deepEqual(tree.expectedRootOf(piece), root);
    assert.equal(tree.leafCountOf(piece), known === null ? 0 : 2 ** known.pieceLayer);
    assert.equal(tree.blockCountOf(piece), known === null ? 0 : model.leavesOf(piece).length);
    if (known === null) continue;
    assert.equal(tree.leavesOf(piece) !== null, model.hasLeaves(piece));
    if (root === null) isComplete = false;
  }
  assert.equal(tree.isComplete, isComplete);
  assert.equal(tree.missingChunks().length === 0, isComplete);
  for (const known of model.trees) {
    const layer = tree.pieceLayerOf(tree.fileOf(known.firstPiece));
    const isKnown = known.pieceCount > 1 && known.known.size === known.pieceCount;
    assert.deepEqual(layer, isKnown ? trueLayer(known) : null);
  }
}

function run(seed: number): void {
  const world = createWorld(seed);
  const { tree, model, prng } = world;
  compare(world);
  for (let step = 0; step < (world.many ? 40 : 80); step++) {
    const dice = prng.below(20);
    if (dice < 12) {
      const request = randomRequest(world);
      assert.deepEqual(tree.answer(request), model.answer(request));
    } else if (dice < 15) {
      const piece = prng.below(world.pieceCount);
      tree.setLeaves(piece, joined(model.leavesOf(piece)));
      model.markLeaves(piece);
    } else if (dice < 18) insertSomeChunk(world);
    else if (dice < 19) proveSomeLeaves(world);
    else if (prng.chance(0.2)) loadSomeLayer(world);
  }
  compare(world);
}

test('hash-tree and its naive twin agree', () => {
  const end = performance.now() + runMs;
  let seed = firstSeed;
  for (; seed < firstSeed + 5 || performance.now() < end; seed++) {
    try {
      run(seed);
    } catch (error) {
      throw new Error(`FUZZ_SEED=${seed}`, { cause: error });
    }
  }
  assert.ok(seed > firstSeed);
});
