import { randomFillSync } from 'node:crypto';
import type { Entropy } from '@tequio/kernel';

/** The system's generator for secrets. */
export function createEntropy(): Entropy {
  return { bytes: (length) => randomFillSync(new Uint8Array(length)) };
}
