/**
 * BEP 9 `ut_metadata`: asking for, sending and refusing 16 KiB pieces of a torrent's `info`. The functions
 * here take and give what follows the extended message id: a bencoded dictionary and, for `data`, the
 * piece's bytes after it.
 */
import { concatBytes, type Fault, failed, ok, type Result } from '@tequio/kernel';
import { decodeBencodePrefix, encodeBencode } from './bencode.ts';

export const metadataLimits = {
  /** Of an `info`. Torrents of two million pieces come near; more is a trap. */
  bytesMax: 32 * 1024 * 1024,
  /** Of the dictionary: three small numbers, and room for keys of tomorrow. */
  tokenCountMax: 64,
  depthMax: 4,
};

/** Bytes of a piece of metadata; the last one may be shorter. */
export const metadataPieceBytes = 16384;

export type MetadataMessage =
  | { readonly type: 'request'; readonly piece: number }
  | {
      readonly type: 'data';
      readonly piece: number;
      /** What the sender says the whole `info` has; null when it did not say. */
      readonly totalBytes: number | null;
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'reject'; readonly piece: number }
  /** A kind that BEP 9 does not have: to be ignored. */
  | { readonly type: 'unknown' };

/** Pieces that metadata of this size has. */
export function metadataPieceCountOf(totalBytes: number): number {
  return Math.ceil(totalBytes / metadataPieceBytes);
}

/** Bytes of one piece of metadata. */
export function metadataPieceBytesOf(totalBytes: number, piece: number): number {
  return Math.min(metadataPieceBytes, totalBytes - piece * metadataPieceBytes);
}

export function encodeMetadataRequest(piece: number): Uint8Array {
  return encodeBencode({ msg_type: 0, piece });
}

export function encodeMetadataData(piece: number, totalBytes: number, bytes: Uint8Array): Uint8Array {
  return concatBytes([encodeBencode({ msg_type: 1, piece, total_size: totalBytes }), bytes]);
}

export function encodeMetadataReject(piece: number): Uint8Array {
  return encodeBencode({ msg_type: 2, piece });
}

/** Decodes one message; `bytes` is a view of `payload`. Fault: `BITTORRENT_METADATA_MESSAGE`. */
export function decodeMetadata(payload: Uint8Array): Result<MetadataMessage> {
  const { tokenCountMax, depthMax } = metadataLimits;
  const prefix = decodeBencodePrefix(payload, { tokenCountMax, depthMax });
  if (!prefix.ok) return failed(messageFault);
  const { value, byteCount } = prefix.value;
  const kind = value.getInteger('msg_type');
  if (kind === null) return failed(messageFault);
  if (kind < 0 || kind > 2) return ok({ type: 'unknown' });
  const piece = value.getInteger('piece');
  if (piece === null || piece < 0 || piece >= metadataPieceCountOf(metadataLimits.bytesMax))
    return failed(messageFault);
  if (kind === 0) return ok({ type: 'request', piece });
  if (kind === 2) return ok({ type: 'reject', piece });
  const bytes = payload.subarray(byteCount);
  const totalBytes = value.getInteger('total_size');
  if (bytes.length === 0 || bytes.length > metadataPieceBytes || (totalBytes !== null && totalBytes <= 0))
    return failed(messageFault);
  return ok({ type: 'data', piece, totalBytes, bytes });
}

const messageFault: Fault = {
  code: 'BITTORRENT_METADATA_MESSAGE',
  message: 'The peer sent a metadata message that cannot be read.',
  blame: 'peer',
  penalty: 25,
};
