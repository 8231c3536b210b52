/**
 * SHA-1 on the threads of libuv's pool, by the OpenSSL that Node.js brings: `node:crypto` hashes on the calling thread
 * alone, or copies what it is given. Reached as the C library is (libc.ts).
 */
import { type Libc, tryLoadLibc } from './libc.ts';

const sha1Bytes = 20;

export type PooledSha1 = {
  /**
   * Hashes `bytes`, which stay as they are until `done` is called with the digest, later; it is null where it could not
   * be made.
   */
  digest(bytes: Uint8Array, done: (digest: Uint8Array | null) => void): void;
  /** For bytes that come in parts. Its memory is OpenSSL's: `close` gives it back. */
  open(): Sha1Stream;
};

export type Sha1Stream = {
  /** The same, one after the other; false: it could not be done. */
  update(bytes: Uint8Array, done: (isDone: boolean) => void): void;
  /** After the last part; the stream is at its end then. */
  finish(): Uint8Array;
  /** Once, and not while an update is under way. */
  close(): void;
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
    return sha1Of(libc);
  } catch {
    return null;
  }
}

/** @throws Error where OpenSSL cannot be reached */
function sha1Of(libc: Libc): PooledSha1 {
  const algorithm = libc.func('uintptr_t EVP_sha1()')();
  const digestLater = libc.laterFunc(
    'int EVP_Digest(uintptr_t bytes, uint64_t count, uintptr_t digest, uintptr_t size, uintptr_t type, uintptr_t engine)',
  );
  const newContext = libc.func('uintptr_t EVP_MD_CTX_new()');
  const freeContext = libc.func('void EVP_MD_CTX_free(uintptr_t context)');
  const begin = libc.func('int EVP_DigestInit_ex(uintptr_t context, uintptr_t type, uintptr_t engine)');
  const updateLater = libc.laterFunc(
    'int EVP_DigestUpdate(uintptr_t context, uintptr_t bytes, uint64_t count)',
  );
  const end = libc.func('int EVP_DigestFinal_ex(uintptr_t context, uintptr_t digest, uintptr_t size)');
  return {
    digest: (bytes, done) => {
      const digest = memoryForDigest();
      const places = [libc.addressOf(bytes), bytes.length, libc.addressOf(digest), 0, algorithm, 0];
      // What is named here is kept alive until then.
      digestLater(places, (result) => done(result === 1 && bytes.length > 0 ? digest : null));
    },
    open: () => {
      const context = newContext();
      if (context === 0 || begin(context, algorithm, 0) !== 1) throw new Error('OpenSSL has no memory left');
      return {
        update: (bytes, done) =>
          updateLater([context, libc.addressOf(bytes), bytes.length], (result) =>
            done(result === 1 && bytes.length > 0),
          ),
        finish: () => {
          const digest = memoryForDigest();
          if (end(context, libc.addressOf(digest), 0) !== 1) throw new Error('OpenSSL gives no digest');
          return digest;
        },
        close: () => void freeContext(context),
      };
    },
  };
}

/** Outside of the heap: it stays where it is. */
function memoryForDigest(): Uint8Array {
  return new Uint8Array(new ArrayBuffer(sha1Bytes));
}
