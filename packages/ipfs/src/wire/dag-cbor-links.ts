/**
 * The links of a dag-cbor block, found by passing over it once: no value is made, and nesting costs nothing. What a
 * reader of values would refuse for other reasons may pass here.
 *
 *   CBOR (RFC 8949): first byte = major type (3 bits), length (5 bits); a link is tag 42 on bytes that begin with 0
 */
import { ok, type Result } from '@tequio/kernel';
import type { CID } from 'multiformats/cid';
import { refused } from '../faults.ts';
import { ipfsLimits } from '../limits.ts';
import { tryDecodeCid } from './cid.ts';

const major = { uint: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5, tag: 6, simple: 7 } as const;
const linkTag = 42;

export function readDagCborLinks(block: Uint8Array): Result<CID[]> {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const links: CID[] = [];
  /** Values that are still to come, of all lists and maps together. */
  let pending = 1;
  let at = 0;
  let tagged = false;
  while (pending > 0) {
    const first = block[at++];
    if (first === undefined) return malformed();
    const kind = first >> 5;
    const short = first & 31;
    const extra = short < 24 ? 0 : short < 28 ? 1 << (short - 24) : -1;
    if (extra < 0 || at + extra > block.length) return malformed();
    const value = extra === 0 ? short : readUint(view, at, extra);
    at += extra;
    if (tagged && kind !== major.bytes) return malformed();
    pending--;
    if (kind === major.bytes || kind === major.text) {
      if (value > block.length - at) return malformed();
      if (tagged) {
        const cid = block[at] === 0 ? tryDecodeCid(block.subarray(at + 1, at + value)) : null;
        if (cid === null || links.length >= ipfsLimits.linkCountMax) return malformed();
        links.push(cid);
      }
      at += value;
    } else if (kind === major.list) pending += value;
    else if (kind === major.map) pending += 2 * value;
    else if (kind === major.tag) {
      if (value !== linkTag) return malformed();
      pending++;
    }
    tagged = kind === major.tag;
    // Each value that is to come takes a byte at least.
    if (pending > block.length - at) return malformed();
  }
  return at === block.length ? ok(links) : malformed();
}

/** Too large to be a length is infinity enough. */
function readUint(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at);
  if (bytes === 4) return view.getUint32(at);
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
}

function malformed(): Result<never> {
  return refused('DAG_CBOR', 'A dag-cbor block is malformed.');
}
