import { copyBytes } from '@tequio/kernel';

/**
 * Bytes on their way. They are the writer's own memory: nothing is copied, and the writer is told (`sent`) only when
 * they were read, so until then they do not change. Unless the writer's end closes: then it may use its memory again
 * at once, and `own` copies what has not been read.
 */
export class Chunk {
  readonly bytes: number;
  #parts: Uint8Array[];
  #next = 0;

  constructor(parts: Uint8Array[], bytes: number) {
    this.#parts = parts;
    this.bytes = bytes;
  }

  get isRead(): boolean {
    return this.#next === this.#parts.length;
  }

  /** The next part; only when not `isRead`. */
  readPart(): Uint8Array {
    return this.#parts[this.#next++]!;
  }

  own(): void {
    this.#parts = this.#parts.map((part, index) => (index < this.#next ? part : copyBytes(part)));
  }
}

/** What was written and not yet read by the other side: parts that wait, chunks on their way, whom to tell. */
export class SendQueue {
  #parts: Uint8Array[] = [];
  #head = 0;
  /** Into the first part. */
  #offset = 0;
  #bytes = 0;
  #writtenBytes = 0;
  #readBytes = 0;
  #sents: { readonly afterBytes: number; readonly sent: () => void }[] = [];
  readonly #flying = new Set<Chunk>();

  /** That wait; not those on their way. */
  get bytes(): number {
    return this.#bytes;
  }

  add(parts: readonly Uint8Array[], sent: (() => void) | undefined): void {
    for (const part of parts) {
      if (part.length === 0) continue;
      this.#parts.push(part);
      this.#bytes += part.length;
      this.#writtenBytes += part.length;
    }
    if (sent !== undefined) this.#sents.push({ afterBytes: this.#writtenBytes, sent });
  }

  /** The next bytes, at most so many. */
  take(bytesMax: number): Chunk {
    const taken: Uint8Array[] = [];
    const wantedBytes = Math.min(bytesMax, this.#bytes);
    let bytes = 0;
    while (bytes < wantedBytes) {
      const part = this.#parts[this.#head]!;
      const piece = part.subarray(this.#offset, this.#offset + wantedBytes - bytes);
      taken.push(piece);
      bytes += piece.length;
      this.#offset += piece.length;
      if (this.#offset === part.length) this.#dropFirst();
    }
    this.#bytes -= bytes;
    const chunk = new Chunk(taken, bytes);
    if (bytes > 0) this.#flying.add(chunk);
    return chunk;
  }

  /** The other side has read the whole chunk. Chunks are read in order. */
  markRead(chunk: Chunk): void {
    this.#flying.delete(chunk);
    this.#readBytes += chunk.bytes;
    this.callSent();
  }

  /** Tells the writers of all that was read. */
  callSent(): void {
    while (this.#sents.length > 0 && this.#sents[0]!.afterBytes <= this.#readBytes)
      this.#sents.shift()!.sent();
  }

  /** Forgets what waits; what is on its way still arrives. */
  clear(): void {
    for (const chunk of this.#flying) chunk.own();
    this.#flying.clear();
    this.#parts = [];
    this.#head = 0;
    this.#offset = 0;
    this.#bytes = 0;
    this.#sents = [];
  }

  #dropFirst(): void {
    this.#head++;
    this.#offset = 0;
    if (this.#head > 64 || this.#head === this.#parts.length) {
      this.#parts = this.#parts.slice(this.#head);
      this.#head = 0;
    }
  }
}
