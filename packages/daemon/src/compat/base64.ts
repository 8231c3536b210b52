/** Base64 of bytes of any length. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Bytes of a base64 text, whitespace in it left out; null when it is none. */
export function tryFromBase64(text: string): Uint8Array | null {
  const dense = text.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(dense) || dense.length % 4 === 1) return null;
  return new Uint8Array(Buffer.from(dense, 'base64'));
}
