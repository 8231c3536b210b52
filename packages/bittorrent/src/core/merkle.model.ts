/** The naive twin of merkle.ts: the whole padded tree by recursion, every node its own array. */
import type { Hashes } from '@tequio/kernel';

/** Node `index` at `height` above the leaves; leaves past the end are zeros. */
export function modelNode(
  hashes: Hashes,
  leaves: readonly Uint8Array[],
  height: number,
  index: number,
): Uint8Array {
  if (height === 0) return leaves[index] ?? new Uint8Array(32);
  const left = modelNode(hashes, leaves, height - 1, index * 2);
  const right = modelNode(hashes, leaves, height - 1, index * 2 + 1);
  return hashes.sha256(Uint8Array.from([...left, ...right]));
}

/** Layers above so many leaves. */
export function modelHeight(leafCount: number): number {
  return leafCount <= 1 ? 0 : 1 + modelHeight(Math.ceil(leafCount / 2));
}

/** Uncles of the subtree `index` at `height`, up to the root at `top`. */
export function modelProof(
  hashes: Hashes,
  leaves: readonly Uint8Array[],
  height: number,
  index: number,
  top: number,
): Uint8Array[] {
  if (height >= top) return [];
  const uncle = modelNode(hashes, leaves, height, index ^ 1);
  return [uncle, ...modelProof(hashes, leaves, height + 1, index >> 1, top)];
}
