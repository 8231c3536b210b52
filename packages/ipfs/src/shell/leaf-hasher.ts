/** Memory for content on its way into blocks, and whoever hashes it there: other threads, or this one. */
import { type DiskPort, type Hashes, NodeError, PlainSlab, type Slab } from '@tequio/kernel';

export interface LeafHasher {
  /** How many slabs it is worth to have under way. */
  readonly slabCount: number;
  allocate(bytes: number): Slab;
  free(slab: Slab): void;
  /**
   * SHA-256 of ranges of a slab: 32 bytes each, one after the other.
   * @param ranges first byte and byte after the last, again and again; rising, without overlap
   */
  hash(slab: Slab, ranges: readonly number[]): Promise<Uint8Array>;
}

/** Hashes at once, in this thread: for small content, and where there are no threads. */
export function inlineLeafHasher(hashes: Hashes): LeafHasher {
  return {
    slabCount: 1,
    allocate: (bytes) => new PlainSlab(0, new Uint8Array(bytes)),
    free: () => undefined,
    hash: async (slab, ranges) => {
      const digests = new Uint8Array(16 * ranges.length);
      for (let i = 0; i < ranges.length; i += 2)
        digests.set(hashes.sha256(slab.bytes.subarray(ranges[i]!, ranges[i + 1]!)), 16 * i);
      return digests;
    },
  };
}

/** Hashes on the disk's threads: on as many processors as there are. */
export function diskLeafHasher(disk: DiskPort): LeafHasher {
  return {
    // One more than the threads, so that none waits while a slab is laid out.
    slabCount: disk.threadCount + 1,
    allocate: (bytes) => disk.allocateSlab(bytes),
    free: (slab) => disk.freeSlab(slab),
    hash: (slab, ranges) =>
      new Promise((resolve, reject) => {
        const bytes = ranges.at(-1) ?? 0;
        const digest = { sha1: false, merkle: null, stream: null, expect: null, sha256Ranges: ranges };
        disk.submit({ kind: 'hash', slab, slabOffset: 0, bytes, digest }, (result) => {
          if (result.ok) resolve(result.digests!.sha256!);
          else reject(new NodeError('DISK_FAILED', result.fault.message, { op: 'hash' }));
        });
      }),
  };
}
