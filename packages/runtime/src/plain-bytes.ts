/**
 * The same memory as a plain `Uint8Array`. Node's Buffer is a subclass whose `slice` is a view and not a copy; who was
 * lent one would keep a part of it and see it change with the next packet. So no Buffer leaves this package.
 */
export function plainBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
