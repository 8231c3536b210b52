import type { Fault } from '@tequio/kernel';
import type { NamedBlock } from '../core/bitswap-client-words.ts';
import { bitswapPenalty } from '../core/bitswap-limits.ts';
import type { BitswapBlock } from '../wire/bitswap-message.ts';
import { type CidPrefix, cidOf, cidV0Prefix, hashCode, tryDecodeCidPrefix } from '../wire/cid-bytes.ts';

/** The digest of bytes under a hash's code (multicodec table); null: that hash is not known here. */
export type BlockNamer = (code: number, bytes: Uint8Array) => Uint8Array | null;

/** The CID of bytes under a prefix; null when it cannot be made. */
export function tryNameBlock(namer: BlockNamer, prefix: CidPrefix, bytes: Uint8Array): Uint8Array | null {
  // Data in its own name is never sent: it would be a way around every hash.
  if (prefix.hashCode === hashCode.identity) return null;
  const digest = namer(prefix.hashCode, bytes);
  if (digest === null || digest.length < prefix.digestBytes || prefix.digestBytes < 20) return null;
  return cidOf(prefix, digest.subarray(0, prefix.digestBytes));
}

/** Gives each block of a message the name that its bytes have. Those that cannot be named are left out, and a fault. */
export function nameBlocks(
  namer: BlockNamer,
  blocks: readonly BitswapBlock[],
): { readonly blocks: readonly NamedBlock[]; readonly fault: Fault | null } {
  const named: NamedBlock[] = [];
  let fault: Fault | null = null;
  for (const { prefix, data } of blocks) {
    const decoded = prefix === null ? cidV0Prefix : tryDecodeCidPrefix(prefix);
    const cid = decoded === null ? null : tryNameBlock(namer, decoded, data);
    if (cid !== null) named.push({ cid, bytes: data });
    else
      fault = {
        code: 'IPFS_BITSWAP_HASH',
        message: 'It sent a block under a hash that cannot be computed.',
        blame: 'peer',
        penalty: bitswapPenalty.unknownHash,
      };
  }
  return { blocks: named, fault };
}
