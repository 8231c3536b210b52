/**
 * The hash trees of BEP 52, as far as reading a torrent file needs them: sizes and roots. Proofs are in
 * core/merkle.ts.
 *
 * Each file has its own binary tree of SHA-256 hashes. Layer 0 holds the leaves, one for every 16 KiB block;
 * the node above two others is the hash of both. Leaves are padded with 32 zero bytes to a power of two. The
 * "piece layer" is the one where a node covers a piece; a torrent file lists it for every file longer than
 * one piece, without padding. Nodes are kept flat: 32 bytes after 32 bytes in one array, padding left out, so
 * a layer of n nodes takes 32 n bytes.
 */
import { assert, bytesEqual, type Hashes } from '@tequio/kernel';
import { blockBytes } from './torrent-info.ts';

/** Bytes of a node: SHA-256. */
export const nodeBytes = 32;

/** No file has more layers above its leaves than this: 2^40 blocks are 16 EiB. */
const layerCountMax = 40;

/** The smallest h with 2^h >= `nodeCount`: how many layers lie above `nodeCount` nodes. */
export function treeHeight(nodeCount: number): number {
  let height = 0;
  for (let width = 1; width < nodeCount; width *= 2) height++;
  return height;
}

/** The smallest power of two that is not below `nodeCount`; at least 1. */
export function treeWidth(nodeCount: number): number {
  return 2 ** treeHeight(nodeCount);
}

/**
 * Layer whose nodes cover one piece each; 0 when pieces are single blocks. `pieceBytes` is a power of two.
 */
export function pieceLayerHeight(pieceBytes: number): number {
  return treeHeight(pieceBytes / blockBytes);
}

/**
 * How many leaves, with padding, lie under one piece of a file: what a piece's own root is made over. A file
 * of one piece has a tree of its own size; every piece of a longer file, the last too, is padded to a full
 * piece.
 */
export function pieceLeafCount(fileBytes: number, pieceBytes: number): number {
  return fileBytes > pieceBytes ? pieceBytes / blockBytes : treeWidth(Math.ceil(fileBytes / blockBytes));
}

const padsByHashes = new WeakMap<Hashes, Uint8Array[]>();

/**
 * The node at `layer` below which there is only padding: 32 zero bytes at layer 0. Kept; must not be changed.
 */
export function padNode(hashes: Hashes, layer: number): Uint8Array {
  assert(layer >= 0 && layer <= layerCountMax, `layer ${layer} exists`);
  let pads = padsByHashes.get(hashes);
  if (pads === undefined) padsByHashes.set(hashes, (pads = [new Uint8Array(nodeBytes)]));
  while (pads.length <= layer) pads.push(parentNode(hashes, pads[pads.length - 1]!, pads[pads.length - 1]!));
  return pads[layer]!;
}

/** The node above `left` and `right`. */
export function parentNode(hashes: Hashes, left: Uint8Array, right: Uint8Array): Uint8Array {
  const both = new Uint8Array(2 * nodeBytes);
  both.set(left);
  both.set(right, nodeBytes);
  return hashes.sha256(both);
}

/** The layer above `nodes` (at `layer`): half as many, rounded up; a missing right node is padding. */
export function parentNodes(hashes: Hashes, nodes: Uint8Array, layer: number): Uint8Array {
  const count = nodes.length / nodeBytes;
  const above = new Uint8Array(Math.ceil(count / 2) * nodeBytes);
  for (let pair = 0; pair < count >> 1; pair++)
    above.set(hashes.sha256(nodes.subarray(pair * 64, pair * 64 + 64)), pair * nodeBytes);
  if (count % 2 === 1) {
    const last = nodes.subarray(nodes.length - nodeBytes);
    above.set(parentNode(hashes, last, padNode(hashes, layer)), above.length - nodeBytes);
  }
  return above;
}

/**
 * The root over `nodes` that stand at `layer`, padded to `width` nodes (a power of two; by default the
 * smallest that fits). Of no nodes at all: the padding's own root. One hash for each two nodes.
 */
export function merkleRoot(
  hashes: Hashes,
  nodes: Uint8Array,
  layer = 0,
  width: number = treeWidth(nodes.length / nodeBytes),
): Uint8Array {
  const top = layer + treeHeight(width);
  if (nodes.length === 0) return padNode(hashes, top);
  let row = nodes;
  for (let at = layer; at < top; at++) row = parentNodes(hashes, row, at);
  assert(row.length === nodeBytes, 'the nodes fit into the width');
  return row.slice();
}

/** True when `pieceLayer` (32 bytes a piece, no padding) has `root` above it. */
export function pieceLayerMatches(
  hashes: Hashes,
  pieceLayer: Uint8Array,
  pieceBytes: number,
  root: Uint8Array,
): boolean {
  return bytesEqual(merkleRoot(hashes, pieceLayer, pieceLayerHeight(pieceBytes)), root);
}
