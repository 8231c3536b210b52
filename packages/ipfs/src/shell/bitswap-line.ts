import type { OverlayPort, OverlayStream } from '@tequio/kernel';
import { bitswapProtocols } from '../wire/bitswap-message.ts';

const dialMs = 20_000;

export type BitswapLineEvents = {
  /** Bytes that `send` was given for blocks have been taken by the connection. */
  onSent(bytes: number): void;
  /** What was queued is lost. */
  onLost(error: string | null): void;
};

/**
 * Our words to one peer: a stream of our own, opened when there is something to say, on which the peer says nothing
 * (it answers on its own). Messages keep their order; what the stream does not take waits here.
 */
export class BitswapLine {
  readonly #overlay: OverlayPort;
  readonly #peer: string;
  readonly #events: BitswapLineEvents;
  #stream: OverlayStream | null = null;
  #isOpen = false;
  #isFull = false;
  #queue: { readonly frame: Uint8Array; readonly bytes: number }[] = [];
  /** Written, and not yet known to be taken. */
  #writtenBytes = 0;

  constructor(overlay: OverlayPort, peer: string, events: BitswapLineEvents) {
    this.#overlay = overlay;
    this.#peer = peer;
    this.#events = events;
  }

  /** @param bytes of blocks in it, to be told by `onSent` */
  send(frame: Uint8Array, bytes: number): void {
    this.#queue.push({ frame, bytes });
    this.#stream ??= this.#dial();
    if (this.#isOpen) this.#flush(this.#stream);
  }

  close(): void {
    const stream = this.#stream;
    this.#forget();
    stream?.reset();
  }

  #dial(): OverlayStream {
    const stream: OverlayStream = this.#overlay.dial(
      this.#peer,
      bitswapProtocols,
      { timeoutMs: dialMs },
      {
        onOpen: () => {
          if (this.#stream !== stream) return;
          this.#isOpen = true;
          this.#flush(stream);
        },
        onBytes: () => undefined,
        onDrain: () => {
          if (this.#stream !== stream) return;
          this.#isFull = false;
          this.#takeWritten();
          this.#flush(stream);
        },
        onClose: (error) => {
          if (this.#stream !== stream) return;
          this.#forget();
          this.#events.onLost(error);
        },
      },
    );
    return stream;
  }

  #flush(stream: OverlayStream): void {
    while (!this.#isFull && this.#queue.length > 0) {
      const { frame, bytes } = this.#queue.shift()!;
      this.#writtenBytes += bytes;
      this.#isFull = !stream.write(frame);
    }
    if (!this.#isFull) this.#takeWritten();
  }

  #takeWritten(): void {
    const bytes = this.#writtenBytes;
    this.#writtenBytes = 0;
    if (bytes > 0) this.#events.onSent(bytes);
  }

  #forget(): void {
    this.#stream = null;
    this.#isOpen = false;
    this.#isFull = false;
    this.#queue = [];
    this.#writtenBytes = 0;
  }
}
