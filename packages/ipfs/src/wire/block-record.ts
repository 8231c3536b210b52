/**
 * One block as it lies in a segment file. A segment is records one after the other and nothing else, so that it can be
 * read from its beginning without any index:
 *
 *   0  magic "TQB1"      8  check of the payload     16  CRC-32C of the bytes before it and of the key
 *   4  payload's bytes  12  key's bytes (1), zeros   20  key, payload
 *
 * The key is the block's multihash. Numbers are big-endian. A payload needs no checksum where its own hash can be
 * computed here; where it cannot, `check` is its CRC-32C.
 */
import { crc32c } from '@tequio/kernel';
import { blockLimits } from '../limits.ts';

const magic = 0x54514231;
const headBytes = 20;

export type RecordHead = {
  /** The multihash; a view of the bytes that it was read from. */
  readonly key: Uint8Array;
  /** Of the payload. */
  readonly bytes: number;
  readonly check: number;
  /** Where the payload begins, from the record's start. */
  readonly payloadAt: number;
};

/** Bytes of a whole record. */
export function recordBytesOf(keyBytes: number, bytes: number): number {
  return headBytes + keyBytes + bytes;
}

/** All but the payload. */
export function encodeRecordHead(key: Uint8Array, bytes: number, check: number): Uint8Array {
  const head = new Uint8Array(headBytes + key.length);
  const view = new DataView(head.buffer);
  view.setUint32(0, magic);
  view.setUint32(4, bytes);
  view.setUint32(8, check);
  head[12] = key.length;
  head.set(key, headBytes);
  view.setUint32(16, crc32c(key, crc32c(head.subarray(0, 16))));
  return head;
}

/** The head of the record that begins at `at`; null: none does, or `bytes` end within it. */
export function decodeRecordHead(bytes: Uint8Array, at: number): RecordHead | null {
  if (at + headBytes > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, headBytes);
  const keyBytes = bytes[at + 12]!;
  const payloadBytes = view.getUint32(4);
  if (view.getUint32(0) !== magic || keyBytes === 0 || keyBytes > blockLimits.keyBytesMax) return null;
  if (payloadBytes > blockLimits.blockBytesMax || at + headBytes + keyBytes > bytes.length) return null;
  const key = bytes.subarray(at + headBytes, at + headBytes + keyBytes);
  if (view.getUint32(16) !== crc32c(key, crc32c(bytes.subarray(at, at + 16)))) return null;
  return { key, bytes: payloadBytes, check: view.getUint32(8), payloadAt: headBytes + keyBytes };
}
