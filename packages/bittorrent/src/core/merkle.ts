/**
 * Proofs in the hash trees of BEP 52: what is sent in answer to a hash request, and how an answer is
 * believed.
 *
 * A proof for a run of nodes is the list of uncles: beginning with the sibling of the smallest subtree that
 * holds the run, then the sibling of its parent, and so on below the root. A run is `count` nodes at one
 * layer, `count` a power of two and `index` a multiple of it, so it is a whole subtree. An attacker without
 * SHA-256 collisions cannot find uncles that lead false nodes to a known root, provided that the height is
 * fixed by the file's length and not by the message: callers pass `height`, and a proof of another length is
 * refused. Cost: one hash for each node and uncle.
 */
import { assert, bytesEqual, concatBytes, type Hashes } from '@tequio/kernel';
import { merkleRoot, nodeBytes, padNode, parentNode, parentNodes, treeHeight } from '../wire/merkle.ts';

export * from '../wire/merkle.ts';

/**
 * All layers from `nodes` (at `layer`) to the root, padding left out: `[0]` is `nodes`, the last is the root
 * alone.
 * @param nodes at least one
 */
export function merkleLayers(hashes: Hashes, nodes: Uint8Array, layer = 0): Uint8Array[] {
  assert(nodes.length >= nodeBytes && nodes.length % nodeBytes === 0, 'there are whole nodes');
  const layers = [nodes];
  for (let at = layer; layers[layers.length - 1]!.length > nodeBytes; at++)
    layers.push(parentNodes(hashes, layers[layers.length - 1]!, at));
  return layers;
}

/** Node `index` of a layer without padding; a view, or the padding's node past its end. */
export function nodeAt(hashes: Hashes, nodes: Uint8Array, layer: number, index: number): Uint8Array {
  const at = index * nodeBytes;
  return at + nodeBytes <= nodes.length ? nodes.subarray(at, at + nodeBytes) : padNode(hashes, layer);
}

/** `count` nodes from `index` on, padding filled in: a copy. */
export function nodesOf(
  hashes: Hashes,
  nodes: Uint8Array,
  layer: number,
  index: number,
  count: number,
): Uint8Array {
  const run = new Uint8Array(count * nodeBytes);
  for (let i = 0; i < count; i++) run.set(nodeAt(hashes, nodes, layer, index + i), i * nodeBytes);
  return run;
}

/**
 * All uncles of the run `index`, `count` in `layers[0]`, from the lowest to the one below the root. A BEP 52
 * answer that was asked for fewer carries the first {@link uncleCount} of them.
 * @param layers as {@link merkleLayers} makes them @param layer height of `layers[0]` above the leaves
 */
export function proofOf(
  hashes: Hashes,
  layers: readonly Uint8Array[],
  layer: number,
  index: number,
  count: number,
): Uint8Array {
  const runHeight = treeHeight(count);
  assert(2 ** runHeight === count && index % count === 0, 'the run is a subtree');
  const proof = new Uint8Array(Math.max(0, layers.length - 1 - runHeight) * nodeBytes);
  let node = index / count;
  for (let at = runHeight; at < layers.length - 1; at++, node = Math.floor(node / 2)) {
    const sibling = node % 2 === 0 ? node + 1 : node - 1;
    proof.set(nodeAt(hashes, layers[at]!, layer + at, sibling), (at - runHeight) * nodeBytes);
  }
  return proof;
}

/**
 * How many uncles follow `count` nodes when a BEP 52 hash request asks for `proofLayers` layers above the
 * base: those that the nodes themselves give (all but the last of the run's own) are left out, and the root
 * is never sent.
 * @param height layers from the base to the root
 */
export function uncleCount(height: number, count: number, proofLayers: number): number {
  const runHeight = treeHeight(count);
  return Math.max(0, Math.min(proofLayers - Math.max(0, runHeight - 1), height - runHeight));
}

/**
 * The node that `run` and `uncles` lead to: `uncles.length / 32` layers above the run's own subtree.
 * @param run whole nodes, a power of two of them, padding included @param index of the first, a multiple of
 * their count
 */
export function climb(hashes: Hashes, run: Uint8Array, index: number, uncles: Uint8Array): Uint8Array {
  const count = run.length / nodeBytes;
  let top = merkleRoot(hashes, run);
  let node = Math.floor(index / count);
  for (let at = 0; at < uncles.length; at += nodeBytes, node = Math.floor(node / 2)) {
    const uncle = uncles.subarray(at, at + nodeBytes);
    top = node % 2 === 0 ? parentNode(hashes, top, uncle) : parentNode(hashes, uncle, top);
  }
  return top;
}

/**
 * True when `run` at `index` of a layer `height` layers below the root is proven by `uncles` to lie under
 * `root`. False, never a throw, for a run or proof of a wrong size or place: both may come from a peer.
 */
export function proofMatches(
  hashes: Hashes,
  run: Uint8Array,
  index: number,
  uncles: Uint8Array,
  height: number,
  root: Uint8Array,
): boolean {
  const count = run.length / nodeBytes;
  const runHeight = treeHeight(count);
  if (count < 1 || 2 ** runHeight !== count || index % count !== 0) return false;
  if (index < 0 || index + count > 2 ** height) return false;
  if (uncles.length !== (height - runHeight) * nodeBytes) return false;
  return bytesEqual(climb(hashes, run, index, uncles), root);
}

/**
 * The root of a tree of `leafCount` leaves (padding included) whose parts were hashed apart, as when a piece
 * is larger than a hash job: `roots` are those of subtrees of `leavesPerSubtree` leaves, in order; missing
 * ones are padding.
 */
export function rootOfSubtrees(
  roots: readonly Uint8Array[],
  leavesPerSubtree: number,
  leafCount: number,
  hashes: Hashes,
): Uint8Array {
  return merkleRoot(hashes, concatBytes(roots), treeHeight(leavesPerSubtree), leafCount / leavesPerSubtree);
}
