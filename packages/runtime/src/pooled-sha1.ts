/**
 * SHA-1 on the threads of libuv's pool, by the OpenSSL that Node.js brings: `node:crypto` hashes on the calling thread
 * alone, or copies what it is given. Reached as the C library is (libc.ts).
 */
import { tryLoadLibc } from './libc.ts';

const sha1Bytes = 20;

export type PooledSha1 = {
  /**
   * Hashes `bytes`, which stay as they are until `done` is called with the digest, later; it is null where it could not
   * be made.
   */
  digest(bytes: Uint8Array, done: (digest: Uint8Array | null) => void): void;
};

let loaded: PooledSha1 | null | undefined;

/** Null where there is none: no such package, or a Node.js that keeps its OpenSSL to itself. Loaded once. */
export function tryLoadPooledSha1(): PooledSha1 | null {
  if (loaded === undefined) loaded = load();
  return loaded;
}

function load(): PooledSha1 | null {
  const libc = tryLoadLibc();
  if (libc === null) return null;
  try {
    const algorithm = libc.func('uintptr_t EVP_sha1()')();
    const digestLater = libc.laterFunc(
      'int EVP_Digest(uintptr_t bytes, uint64_t count, uintptr_t digest, uintptr_t size, uintptr_t type, uintptr_t engine)',
    );
    return {
      digest: (bytes, done) => {
        const digest = new Uint8Array(new ArrayBuffer(sha1Bytes));
        const places = [libc.addressOf(bytes), bytes.length, libc.addressOf(digest), 0, algorithm, 0];
        // What is named here is kept alive until then.
        digestLater(places, (result) => done(result === 1 && bytes.length > 0 ? digest : null));
      },
    };
  } catch {
    return null;
  }
}
