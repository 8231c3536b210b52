/** What was written and has not been sent: parts in order, and whom to tell when they were taken. */
export class SendQueue {
  #parts: Uint8Array[] = [];
  #head = 0;
  /** Into the first part. */
  #offset = 0;
  #bytes = 0;
  #writtenBytes = 0;
  #takenBytes = 0;
  #sents: { readonly afterBytes: number; readonly sent: () => void }[] = [];

  get bytes(): number {
    return this.#bytes;
  }

  /** Nothing to send, and nobody to tell. */
  get isEmpty(): boolean {
    return this.#bytes === 0 && this.#sents.length === 0;
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

  /** A copy of the next bytes, at most so many: the writer may use its memory again once it was told. */
  take(bytesMax: number): Uint8Array {
    const chunk = new Uint8Array(Math.min(bytesMax, this.#bytes));
    let at = 0;
    while (at < chunk.length) {
      const part = this.#parts[this.#head]!;
      const piece = part.subarray(this.#offset, this.#offset + chunk.length - at);
      chunk.set(piece, at);
      at += piece.length;
      this.#offset += piece.length;
      if (this.#offset === part.length) this.#dropFirst();
    }
    this.#bytes -= chunk.length;
    this.#takenBytes += chunk.length;
    return chunk;
  }

  /** Tells the writers of all that was taken. */
  callSent(): void {
    while (this.#sents.length > 0 && this.#sents[0]!.afterBytes <= this.#takenBytes)
      this.#sents.shift()!.sent();
  }

  clear(): void {
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
