/**
 * BEP 52 messages about merkle hashes: hash request (21), hashes (22) and hash reject (23). The functions
 * here take and give payloads, without length prefix and message id.
 *
 *   root 32 | base layer 4 | index 4 | length 4 | proof layers 4 | only in `hashes`: base hashes, then
 *   uncles, 32 each
 *
 * Layers count from the 16 KiB leaves up. The base hashes are `length` neighbours; the uncles, from below,
 * lead from their common ancestor towards the root: one for each of the proof layers that the base hashes do
 * not give by themselves. Whether a range lies inside a file only who knows the file can tell
 * (core/hash-tree); what is decided here needs nothing but the message: sizes, alignment, and ceilings.
 */
import { concatBytes, type Fault, failed, ok, type Result, readUint32, writeUint32 } from '@tequio/kernel';

export const hashMessageLimits = {
  /**
   * BEP 52 advises 512 a message; libtorrent asks for all blocks of a piece at once, up to this many (128
   * MiB).
   */
  lengthMax: 8192,
  /** What we ask for at once. */
  requestLengthMax: 512,
  /** A file of 2^53 bytes has a tree of 40 layers. */
  layerCountMax: 40,
};

export const hashBytes = 32;
const headerBytes = hashBytes + 16;

/** A run of neighbouring hashes in one layer of a file's tree. */
export type HashRequest = {
  /** The file's `pieces root`, 32 bytes. */
  readonly root: Uint8Array;
  /** Layers above the leaves. */
  readonly baseLayer: number;
  /** First hash, counted in the base layer; a multiple of `length`, rounded up to a power of two. */
  readonly index: number;
  /** A power of two, unless the end of the layer cuts it. */
  readonly length: number;
  /** How many layers above the base are to be proven. */
  readonly proofLayers: number;
};

export type HashRange = {
  readonly request: HashRequest;
  /** `request.length` times 32 bytes. */
  readonly hashes: Uint8Array;
  /** {@link uncleCountOf} times 32 bytes, from below. */
  readonly uncles: Uint8Array;
};

/** Smallest n with 2^n >= count. */
export function ceilLog2(count: number): number {
  return count <= 1 ? 0 : 32 - Math.clz32(count - 1);
}

/** Uncles that belong to a range: one a proof layer, less those that the base hashes give by themselves. */
export function uncleCountOf(length: number, proofLayers: number): number {
  return Math.max(0, proofLayers + 1 - ceilLog2(length));
}

/** True when both ask for the same hashes. */
export function isSameHashRequest(a: HashRequest, b: HashRequest): boolean {
  if (a.baseLayer !== b.baseLayer || a.index !== b.index || a.length !== b.length) return false;
  if (a.proofLayers !== b.proofLayers) return false;
  for (let i = 0; i < hashBytes; i++) if (a.root[i] !== b.root[i]) return false;
  return true;
}

/** Payload of message 21. */
export function encodeHashRequest(request: HashRequest): Uint8Array {
  const payload = new Uint8Array(headerBytes);
  payload.set(request.root);
  writeUint32(payload, hashBytes, request.baseLayer);
  writeUint32(payload, hashBytes + 4, request.index);
  writeUint32(payload, hashBytes + 8, request.length);
  writeUint32(payload, hashBytes + 12, request.proofLayers);
  return payload;
}

/** Payload of message 23: the refused request again. */
export const encodeHashReject: (request: HashRequest) => Uint8Array = encodeHashRequest;

/** Payload of message 22. */
export function encodeHashes(range: HashRange): Uint8Array {
  return concatBytes([encodeHashRequest(range.request), range.hashes, range.uncles]);
}

/**
 * Decodes the payload of message 21. `root` is a view of `payload`. Faults:
 * `BITTORRENT_HASH_MESSAGE_SIZE`, `BITTORRENT_HASH_MESSAGE_RANGE`; a request with the latter can be refused
 * by sending its payload back as message 23.
 */
export function decodeHashRequest(payload: Uint8Array): Result<HashRequest> {
  return payload.length === headerBytes ? decodeHeader(payload) : failed(sizeFault);
}

/** Decodes the payload of message 23, which is that of the refused request. */
export const decodeHashReject: (payload: Uint8Array) => Result<HashRequest> = decodeHashRequest;

/**
 * Decodes the payload of message 22. All byte strings are views of `payload`. Faults as {@link
 * decodeHashRequest}.
 */
export function decodeHashes(payload: Uint8Array): Result<HashRange> {
  if (payload.length < headerBytes) return failed(sizeFault);
  const header = decodeHeader(payload);
  if (!header.ok) return header;
  const request = header.value;
  const uncleStart = headerBytes + request.length * hashBytes;
  const end = uncleStart + uncleCountOf(request.length, request.proofLayers) * hashBytes;
  if (payload.length !== end) return failed(sizeFault);
  return ok({
    request,
    hashes: payload.subarray(headerBytes, uncleStart),
    uncles: payload.subarray(uncleStart, end),
  });
}

function decodeHeader(payload: Uint8Array): Result<HashRequest> {
  const baseLayer = readUint32(payload, hashBytes);
  const index = readUint32(payload, hashBytes + 4);
  const length = readUint32(payload, hashBytes + 8);
  const proofLayers = readUint32(payload, hashBytes + 12);
  if (length < 1 || length > hashMessageLimits.lengthMax) return failed(rangeFault);
  if (baseLayer + proofLayers > hashMessageLimits.layerCountMax) return failed(rangeFault);
  if (index % 2 ** ceilLog2(length) !== 0 || index + length > 2 ** 32) return failed(rangeFault);
  return ok({ root: payload.subarray(0, hashBytes), baseLayer, index, length, proofLayers });
}

const sizeFault: Fault = {
  code: 'BITTORRENT_HASH_MESSAGE_SIZE',
  message: 'The peer sent a message about hashes whose length does not fit its content.',
  blame: 'peer',
  penalty: 100,
};

const rangeFault: Fault = {
  code: 'BITTORRENT_HASH_MESSAGE_RANGE',
  message: 'The peer named a range of hashes that is too long, too high or not aligned.',
  blame: 'peer',
  penalty: 10,
};
