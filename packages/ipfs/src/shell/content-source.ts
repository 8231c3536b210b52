/** Where the content of a file that is added comes from. */
import { type DiskPort, type FileRef, NodeError, type Slab } from '@tequio/kernel';

const partBytes = 1 << 20;

export interface ContentSource {
  /** All that it has; null: not known. */
  readonly bytes: number | null;
  /** Fills `slab` from byte `from` up to `to`, and says where it stopped: before `to` only at the content's end. */
  fill(slab: Slab, from: number, to: number): Promise<number>;
}

export function bytesSource(content: Uint8Array): ContentSource {
  let at = 0;
  return {
    bytes: content.length,
    fill: async (slab, from, to) => {
      const count = Math.min(to - from, content.length - at);
      slab.copyFrom(content, at, at + count, from);
      at += count;
      return from + count;
    },
  };
}

/** Content that arrives bit by bit, in parts of any size. Each part is used before the next is asked for. */
export function streamSource(parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): ContentSource {
  const iterator = Symbol.asyncIterator in parts ? parts[Symbol.asyncIterator]() : parts[Symbol.iterator]();
  let part: Uint8Array = new Uint8Array(0);
  let used = 0;
  return {
    bytes: null,
    fill: async (slab, from, to) => {
      let at = from;
      while (at < to) {
        if (used === part.length) {
          const next = await iterator.next();
          if (next.done === true) return at;
          part = next.value;
          used = 0;
        }
        const count = Math.min(to - at, part.length - used);
        slab.copyFrom(part, used, used + count, at);
        used += count;
        at += count;
      }
      return at;
    },
  };
}

/**
 * A file of the disk, read by its threads into slabs of the same disk port, no others. It must not change meanwhile;
 * that it got shorter is noticed. To be closed after use.
 * @param knownBytes how long it is, where somebody has just looked @throws NodeError `FILE_MISSING`, DISK_*
 */
export async function fileSource(
  disk: DiskPort,
  ref: FileRef,
  knownBytes: number | null = null,
): Promise<ContentSource & { close(): Promise<void> }> {
  const file = disk.register(ref);
  const fileBytes = knownBytes ?? (await disk.stat(file))?.bytes ?? null;
  if (fileBytes === null) {
    await disk.forget(file);
    throw new NodeError('FILE_MISSING', `"${ref.root}/${ref.path}" does not exist.`, { op: 'read' });
  }
  let at = 0;
  return {
    bytes: fileBytes,
    close: () => disk.forget(file),
    fill: (slab, from, to) => {
      const bytes = Math.min(to - from, fileBytes - at);
      if (bytes === 0) return Promise.resolve(from);
      const spans = [{ file, offset: at, bytes }];
      at += bytes;
      return new Promise((resolve, reject) => {
        disk.submit({ kind: 'load', slab, slabOffset: from, bytes, spans }, (result) => {
          if (result.ok) resolve(from + bytes);
          else reject(new NodeError('FILE_READ', result.fault.message, { op: 'read' }));
        });
      });
    },
  };
}

/** A file of the disk from front to back, in parts. @throws as {@link fileSource} */
export async function* fileParts(disk: DiskPort, ref: FileRef): AsyncGenerator<Uint8Array> {
  const source = await fileSource(disk, ref);
  const slab = disk.allocateSlab(partBytes);
  try {
    for (;;) {
      const filled = await source.fill(slab, 0, partBytes);
      if (filled > 0) yield slab.bytes.slice(0, filled);
      if (filled < partBytes) return;
    }
  } finally {
    disk.freeSlab(slab);
    await source.close();
  }
}
