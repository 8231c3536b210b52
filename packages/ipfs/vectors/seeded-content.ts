import { createCipheriv, createHash } from 'node:crypto';

/**
 * The bytes that kubo's own tests use: the ChaCha20 key stream (nonce and counter 0) whose key is the SHA-256 of the
 * seed. Anybody can make them again, and chunkers find as many cuts in them as in noise.
 */
export function seededContent(seed: string, bytes: number): Uint8Array {
  const key = createHash('sha256').update(seed).digest();
  return new Uint8Array(createCipheriv('chacha20', key, Buffer.alloc(16)).update(Buffer.alloc(bytes)));
}
