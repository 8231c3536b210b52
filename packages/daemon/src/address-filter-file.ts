/** The user's address filter, from a file that may be packed with gzip. */
import { gunzipSync } from 'node:zlib';
import { type FilesPort, NodeError } from '@tequio/kernel';
import { type AddressFilterFile, decodeAddressFilter } from '@tequio/network';

export const filterFileLimits = {
  /** Four million lines of the longest usual form, and packed ones a good deal shorter. */
  bytesMax: 512 << 20,
  packedBytesMax: 128 << 20,
} as const;

/** @throws NodeError `FILE_MISSING`, `FILE_READ`, `FILE_TOO_LONG`, `FILTER_UNREADABLE`, `FILTER_TOO_LONG` */
export async function readAddressFilter(path: string, files: FilesPort): Promise<AddressFilterFile> {
  return decodeFilterBytes(await files.readFile(path, filterFileLimits.bytesMax), path);
}

/** @throws NodeError `FILTER_UNREADABLE`, `FILTER_TOO_LONG` */
export function decodeFilterBytes(bytes: Uint8Array, path: string): AddressFilterFile {
  const decoded = decodeAddressFilter(isPacked(bytes) ? unpack(bytes, path) : bytes);
  if (!decoded.ok)
    throw new NodeError(decoded.fault.code, `${path}: ${decoded.fault.message}`, { op: 'read' });
  return decoded.value;
}

function isPacked(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function unpack(bytes: Uint8Array, path: string): Uint8Array {
  try {
    if (bytes.length <= filterFileLimits.packedBytesMax)
      return gunzipSync(bytes, { maxOutputLength: filterFileLimits.bytesMax });
  } catch (cause) {
    throw new NodeError('FILTER_UNREADABLE', `${path} is damaged, or unpacked too long.`, {
      op: 'read',
      cause,
    });
  }
  throw new NodeError('FILTER_TOO_LONG', `${path} is too long for an address filter.`, { op: 'read' });
}
