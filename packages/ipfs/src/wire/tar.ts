/**
 * Tape archives (POSIX.1-2001, pax): one header of 512 bytes an entry, its bytes, zeros up to the next 512. Names that
 * a header has no room for, or that are not ASCII, stand in an extended header before it.
 */
import { concatBytes, emptyBytes, encodeUtf8 } from '@tequio/kernel';

const blockBytes = 512;
const nameBytesMax = 100;
/** Eleven octal digits. */
const sizeMax = 0o77777777777;

export type TarEntry = {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'symlink';
  readonly bytes: number;
  /** Permissions; null: as usual for its kind. */
  readonly mode: number | null;
  /** Since 1970. */
  readonly modifiedSeconds: number;
  /** Of a symlink. */
  readonly target: string;
};

const typeFlags = { file: '0', symlink: '2', folder: '5' } as const;

/** All that stands before the entry's bytes. */
export function encodeTarHeader(entry: TarEntry): Uint8Array {
  const { path } = entry;
  const extended: string[] = [];
  if (!fits(path)) extended.push(paxRecord('path', path));
  if (!fits(entry.target)) extended.push(paxRecord('linkpath', entry.target));
  if (entry.bytes > sizeMax) extended.push(paxRecord('size', String(entry.bytes)));
  const mode = entry.mode ?? (entry.kind === 'folder' ? 0o755 : 0o644);
  const seconds = Math.max(0, Math.floor(entry.modifiedSeconds));
  const header = ustarHeader(path, typeFlags[entry.kind], entry.bytes, mode, seconds, entry.target);
  if (extended.length === 0) return header;
  const records = encodeUtf8(extended.join(''));
  return concatBytes([
    ustarHeader('PaxHeaders/entry', 'x', records.length, 0o644, 0, ''),
    records,
    tarPadding(records.length),
    header,
  ]);
}

/** Zeros after an entry of so many bytes. */
export function tarPadding(bytes: number): Uint8Array {
  const rest = bytes % blockBytes;
  return rest === 0 ? emptyBytes : new Uint8Array(blockBytes - rest);
}

/** The end of an archive. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * blockBytes);
}

function fits(text: string): boolean {
  return text.length <= nameBytesMax && /^[\x20-\x7e]*$/.test(text);
}

/** `LENGTH key=value\n`, its own length counted. */
function paxRecord(key: string, value: string): string {
  const rest = encodeUtf8(` ${key}=${value}\n`).length;
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function ustarHeader(
  path: string,
  type: string,
  bytes: number,
  mode: number,
  seconds: number,
  target: string,
): Uint8Array {
  const header = new Uint8Array(blockBytes);
  const put = (at: number, text: string, max: number): void =>
    header.set(encodeUtf8(text).subarray(0, max), at);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  put(0, path, nameBytesMax);
  put(100, octal(mode, 7), 8);
  put(108, octal(0, 7), 8);
  put(116, octal(0, 7), 8);
  put(124, octal(Math.min(bytes, sizeMax), 11), 12);
  put(136, octal(Math.min(seconds, sizeMax), 11), 12);
  put(148, ' '.repeat(8), 8);
  put(156, type, 1);
  put(157, target, nameBytesMax);
  put(257, 'ustar\0' + '00', 8);
  let sum = 0;
  for (const byte of header) sum += byte;
  put(148, `${octal(sum, 6)}\0 `, 8);
  return header;
}
