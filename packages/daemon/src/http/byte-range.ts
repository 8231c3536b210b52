/** `Range: bytes=…` of RFC 9110, section 14, one range: what players ask for. */

export type ByteRange = { readonly offset: number; readonly length: number };

/** Null: no (usable) range was asked for, so all is sent; `unsatisfiable`: nothing of it is there. */
export function readByteRange(header: string | undefined, bytes: number): ByteRange | 'unsatisfiable' | null {
  // Of several ranges, as of units that nobody knows, the standard lets a server make one whole answer.
  const match = /^bytes=\s*(\d{0,16})-(\d{0,16})\s*$/i.exec(header ?? '');
  if (match === null) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? 'unsatisfiable' : { offset: bytes - length, length };
  }
  const offset = Number(first);
  if (last !== '' && Number(last) < offset) return null;
  if (offset >= bytes) return 'unsatisfiable';
  const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  return { offset, length: end - offset + 1 };
}
