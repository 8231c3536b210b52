/** Digests of a job's bytes, written plainly: the compliance suite compares the runtime's fast ones with its own. */
import { hash } from 'node:crypto';
import { bytesEqual, type DigestRequest, type DiskDigests } from '@tequio/kernel';

const blockBytes = 16384;

/**
 * @param bytes the bytes of this job
 * @param streamed the bytes that SHA-1 goes over: with all parts of its stream; null: the stream has not ended
 * @param treeBytes how many of `bytes` the merkle tree covers
 */
export function digestsOf(
  request: DigestRequest,
  bytes: Uint8Array,
  streamed: Uint8Array | null,
  treeBytes: number,
): DiskDigests {
  const expected = request.expect;
  const wantsSha1 = request.sha1 || (expected !== null && expected.sha1 !== null);
  const sha1 = wantsSha1 && streamed !== null ? hashOf('sha1', streamed) : null;
  const leaves = request.merkle === null ? null : blockHashes('sha256', bytes.subarray(0, treeBytes));
  const root = leaves === null ? null : rootOf(leaves, request.merkle!.leafCount);
  const sha1Matches =
    expected === null || expected.sha1 === null || streamed === null || same(expected.sha1, sha1);
  const rootMatches = expected === null || expected.root === null || same(expected.root, root);
  return {
    sha1,
    sha1Blocks: request.sha1Blocks === true ? joined(blockHashes('sha1', bytes)) : null,
    leaves: leaves === null ? null : joined(leaves),
    root,
    matched: sha1Matches && rootMatches,
    ...(request.sha256Ranges === undefined ? null : { sha256: rangeHashes(bytes, request.sha256Ranges) }),
  };
}

function blockHashes(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += blockBytes) {
    hashes.push(hashOf(algorithm, bytes.subarray(at, at + blockBytes)));
  }
  return hashes;
}

function rangeHashes(bytes: Uint8Array, ranges: readonly number[]): Uint8Array {
  const hashes: Uint8Array[] = [];
  for (let i = 0; i < ranges.length; i += 2)
    hashes.push(hashOf('sha256', bytes.subarray(ranges[i], ranges[i + 1])));
  return joined(hashes);
}

function rootOf(leaves: readonly Uint8Array[], leafCount: number): Uint8Array {
  let level = [...leaves];
  while (level.length < leafCount) level.push(new Uint8Array(32));
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2)
      above.push(hashOf('sha256', joined([level[i]!, level[i + 1]!])));
    level = above;
  }
  return level[0]!;
}

function hashOf(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash(algorithm, bytes, 'buffer'));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function same(expected: Uint8Array, found: Uint8Array | null): boolean {
  return found !== null && bytesEqual(expected, found);
}
