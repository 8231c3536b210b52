import { createCipheriv, createHash } from 'node:crypto';

/**
 * The bytes that kubo's own tests use: the ChaCha20 key stream (nonce and counter 0) whose key is the SHA-256 of the
 * seed. Anybody can make them again, and chunkers find as many cuts in them as in noise.
 */
export function seededContent(seed: string, bytes: number): Uint8Array {
  const key = createHash('sha256').update(seed).digest();
  return new Uint8Array(createCipheriv('chacha20', key, Buffer.alloc(16)).update(Buffer.alloc(bytes)));
}

const nameLetters = 'abcdefghijklmnopqrstuvwxyz01234567890-_';

/** Names that kubo's tests of large folders use: letters by the bytes of {@link seededContent}, modulo their number. */
export function seededNames(seed: string, count: number, length: number, lastLength: number): string[] {
  const bytes = seededContent(seed, 1 << 20);
  let at = 0;
  return Array.from({ length: count }, (_, i) => {
    const end = at + (i === count - 1 ? lastLength : length);
    let name = '';
    while (at < end) name += nameLetters[bytes[at++]! % nameLetters.length];
    return name;
  });
}
