import { hash } from 'node:crypto';
import type { Hashes } from '@tequio/kernel';
import { plainBytes } from './plain-bytes.ts';

/** OpenSSL's hash functions, one call each: no hash object is made. */
export function createHashes(): Hashes {
  return {
    sha1: (bytes) => plainBytes(hash('sha1', bytes, 'buffer')),
    sha256: (bytes) => plainBytes(hash('sha256', bytes, 'buffer')),
  };
}
