/**
 * Content-addressed archives (ipld.io/specs/transport/car): blocks one after the other, and the CIDs of the roots.
 *
 *   version 1   LEN dag-cbor{roots, version}  (LEN CID block)*
 *   version 2   LEN dag-cbor{version: 2}  40 bytes: flags, offset and size of a version 1 archive, offset of an index
 *
 * The decoder takes a stream in parts of any size. It holds one section at most, and no more bytes of it than came.
 * It checks the form alone: whether a block is what its CID says is for whoever takes it.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { concatBytes, type Fault, ok, type Result } from '@tequio/kernel';
import { CID } from 'multiformats/cid';
import { refused } from '../faults.ts';
import { ipfsLimits } from '../limits.ts';
import { tryDecodeCidPrefix } from './cid.ts';
import { varintBytes, writeVarint } from './protobuf.ts';

export type CarEvent =
  | { readonly kind: 'header'; readonly version: 1 | 2; readonly roots: readonly CID[] }
  /** `bytes` are a copy. */
  | { readonly kind: 'block'; readonly cid: CID; readonly bytes: Uint8Array };

/** What an archive of version 1 begins with. */
export function encodeCarHeader(roots: readonly CID[]): Uint8Array {
  const header = dagCbor.encode({ roots, version: 1 });
  return concatBytes([lengthPrefix(header.length), header]);
}

/** What stands in front of a block. */
export function encodeCarSectionHead(cid: CID, blockBytes: number): Uint8Array {
  return concatBytes([lengthPrefix(cid.bytes.length + blockBytes), cid.bytes]);
}

function lengthPrefix(length: number): Uint8Array {
  const prefix = new Uint8Array(varintBytes(length));
  writeVarint(prefix, 0, length);
  return prefix;
}

/** Of version 2, after the length and map that say so. */
const version2HeaderBytes = 40;
/** A length of more bytes is larger than any section may be. */
const lengthBytesMax = 5;

type CarState =
  | { readonly at: 'header' | 'inner-header' | 'section' | 'end' }
  | { readonly at: 'version-2' }
  /** Bytes of no interest before the archive inside. */
  | { readonly at: 'gap'; readonly bytes: number };

export class CarDecoder {
  readonly #blockBytesMax: number;
  #state: CarState = { at: 'header' };
  #version: 1 | 2 = 1;
  /** Arrived and not used. */
  readonly #parts: Uint8Array[] = [];
  #held = 0;
  /** Used until now. */
  #position = 0;
  /** Where the archive inside ends. */
  #end = Number.POSITIVE_INFINITY;
  /** In version 2: bytes of the archive inside. */
  #innerBytes = 0;
  #fault: Fault | null = null;

  constructor(blockBytesMax: number = ipfsLimits.blockBytesMax) {
    this.#blockBytesMax = blockBytesMax;
  }

  /** The next part of the stream; borrowed until {@link poll} has given null. */
  push(bytes: Uint8Array): void {
    if (this.#state.at === 'end' || this.#fault !== null || bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#held += bytes.length;
  }

  /** The next event, null when more bytes are needed (or the archive inside is over), or a fault for good. */
  poll(): Result<CarEvent | null> {
    if (this.#fault !== null) return { ok: false, fault: this.#fault };
    const result = this.#poll();
    if (!result.ok) {
      this.#fault = result.fault;
      this.#drop();
    } else if (result.value === null) this.#own();
    return result;
  }

  /** After the last byte of the stream: whether it may end here. */
  finish(): Result<void> {
    if (this.#fault !== null) return { ok: false, fault: this.#fault };
    const isWhole = this.#state.at === 'end' || (this.#state.at === 'section' && this.#held === 0);
    return isWhole && (this.#end === Number.POSITIVE_INFINITY || this.#position >= this.#end)
      ? ok(undefined)
      : malformed('ends too early');
  }

  #poll(): Result<CarEvent | null> {
    for (;;) {
      switch (this.#state.at) {
        case 'end':
          this.#drop();
          return ok(null);
        case 'gap': {
          this.#state = this.#skip(this.#state.bytes);
          if (this.#state.at === 'gap') return ok(null);
          break;
        }
        case 'version-2': {
          if (this.#held < version2HeaderBytes) return ok(null);
          const result = this.#readVersion2(this.#take(version2HeaderBytes));
          if (!result.ok) return result;
          break;
        }
        default: {
          const event = this.#pollSection(this.#state.at);
          if (!event.ok || event.value !== 'again') return event as Result<CarEvent | null>;
        }
      }
    }
  }

  /** A header or a block: what has its length in front. */
  #pollSection(at: 'header' | 'inner-header' | 'section'): Result<CarEvent | null | 'again'> {
    if (this.#position >= this.#end) {
      this.#state = { at: 'end' };
      return ok('again');
    }
    const length = this.#peekLength();
    if (length === null)
      return this.#held < lengthBytesMax ? ok(null) : malformed('has a section of too many bytes');
    const max =
      at === 'section' ? this.#blockBytesMax + ipfsLimits.cidBytesMax : ipfsLimits.carHeaderBytesMax;
    if (length.value === 0) return malformed('has a section of no bytes');
    if (length.value > max)
      return malformed(`has a section of ${length.value} bytes, and ${max} are the most`);
    if (this.#position + length.bytes + length.value > this.#end)
      return malformed('has a section beyond its end');
    if (this.#held < length.bytes + length.value) return ok(null);
    this.#take(length.bytes);
    const section = this.#take(length.value);
    return at === 'section' ? this.#readBlock(section) : this.#readHeader(section, at);
  }

  #readBlock(section: Uint8Array): Result<CarEvent> {
    const prefix = tryDecodeCidPrefix(section);
    if (prefix === null) return malformed('has a block without a CID');
    if (section.length - prefix.byteCount > this.#blockBytesMax)
      return malformed('has a block that is too large');
    return ok({ kind: 'block', cid: prefix.cid, bytes: section.subarray(prefix.byteCount) });
  }

  #readHeader(section: Uint8Array, at: 'header' | 'inner-header'): Result<CarEvent | 'again'> {
    const header = tryReadHeader(section);
    if (header === null) return malformed('has a header that is none');
    if (header.version === 2 && at === 'header') {
      this.#state = { at: 'version-2' };
      this.#version = 2;
      return ok('again');
    }
    if (header.version !== 1 || header.roots === null) return malformed('is of a version that is not known');
    this.#state = { at: 'section' };
    return ok({ kind: 'header', version: this.#version, roots: header.roots });
  }

  #readVersion2(bytes: Uint8Array): Result<void> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const offset = Number(view.getBigUint64(16, true));
    this.#innerBytes = Number(view.getBigUint64(24, true));
    if (offset < this.#position || !Number.isSafeInteger(offset + this.#innerBytes))
      return malformed('has its content where it cannot be');
    this.#state = this.#skip(offset - this.#position);
    return ok(undefined);
  }

  /** Passes over bytes, as far as they have come. */
  #skip(bytes: number): CarState {
    const here = Math.min(bytes, this.#held);
    this.#discard(here);
    if (here < bytes) return { at: 'gap', bytes: bytes - here };
    this.#end = this.#position + this.#innerBytes;
    return { at: 'inner-header' };
  }

  /** The varint that is next; null when it is not all here, or too long. */
  #peekLength(): { readonly value: number; readonly bytes: number } | null {
    let value = 0;
    let scale = 1;
    let count = 0;
    for (const part of this.#parts)
      for (let i = 0; i < part.length && count < lengthBytesMax; i++) {
        const byte = part[i]!;
        value += (byte & 0x7f) * scale;
        scale *= 128;
        count++;
        if (byte < 0x80) return { value, bytes: count };
      }
    return null;
  }

  /** A copy of the next bytes, all of which are here. */
  #take(count: number): Uint8Array {
    const taken = new Uint8Array(count);
    for (let at = 0; at < count; ) {
      const part = this.#parts[0]!;
      const length = Math.min(part.length, count - at);
      taken.set(part.subarray(0, length), at);
      at += length;
      this.#discard(length);
    }
    return taken;
  }

  #discard(count: number): void {
    this.#position += count;
    this.#held -= count;
    for (let left = count; left > 0; ) {
      const part = this.#parts[0]!;
      if (part.length <= left) this.#parts.shift();
      else this.#parts[0] = part.subarray(left);
      left -= Math.min(left, part.length);
    }
  }

  #drop(): void {
    this.#parts.length = 0;
    this.#held = 0;
  }

  /** What is kept for later must be ours. Small parts are put together, so that their number stays small. */
  #own(): void {
    if (this.#parts.length === 0) return;
    const last = this.#parts.pop()!;
    const before = this.#parts.at(-1);
    if (before !== undefined && before.length < 1 << 12) {
      this.#parts.pop();
      this.#parts.push(concatBytes([before, last]));
    } else this.#parts.push(last.slice());
  }
}

function tryReadHeader(section: Uint8Array): { version: unknown; roots: readonly CID[] | null } | null {
  try {
    const { version, roots } = dagCbor.decode<{ version?: unknown; roots?: unknown }>(section);
    if (!Array.isArray(roots)) return { version, roots: null };
    const cids = roots.map((root: unknown) => CID.asCID(root));
    return cids.includes(null) ? null : { version, roots: cids as CID[] };
  } catch {
    return null;
  }
}

function malformed(what: string): Result<never> {
  return refused('CAR', `The archive ${what}.`);
}
