/** What this package throws at its edges. */
import { type Fault, NodeError, type Result } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';

/** The fault as an error, for whoever called. */
export function thrown(fault: Fault): NodeError {
  return new NodeError(fault.code, fault.message);
}

/** The value, or its fault thrown. */
export function mustBe<Value>(result: Result<Value>): Value {
  if (!result.ok) throw thrown(result.fault);
  return result.value;
}

export function blockMissing(cid: CID): NodeError {
  return new NodeError('IPFS_BLOCK_MISSING', `Block ${cid} is not here, and nobody who was asked has it.`, {
    op: 'get',
    retry: true,
    data: { cid: cid.toString() },
  });
}

/** The file in which the block lies is not where it was; the block is not forgotten. */
export function fileGone(cid: CID, path: string): NodeError {
  return new NodeError(
    'IPFS_FILE_GONE',
    `"${path}", in which block ${cid} lies, is not there: bring it back, or add it again from where it is now.`,
    { op: 'read', retry: true, data: { cid: cid.toString(), path } },
  );
}

/** What is kept under a block's name cannot be used. */
export function isBroken(error: unknown): boolean {
  return error instanceof NodeError && ['IPFS_BLOCK_CORRUPT', 'IPFS_FILE_GONE'].includes(error.code);
}
