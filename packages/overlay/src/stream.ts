import type { Stream, StreamCloseEvent } from '@libp2p/interface';
import type { OverlayPeer, OverlayStream, OverlayStreamHandler } from '@tequio/kernel';
import { lendAll } from './direct-stream.ts';
import { limits } from './limits.ts';

/**
 * A stream of libp2p as the port wants it. What is written before it is open waits here.
 *
 *   opening ── handleOpen ──> open ──> closed (both sides ended, or either broke off)
 */
export class Libp2pStream implements OverlayStream {
  readonly peer: OverlayPeer;
  #protocol: string;
  #isRelayed = false;
  #handler: OverlayStreamHandler | null = null;
  #stream: Stream | null = null;
  /** Written while opening. */
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #isPaused = false;
  #isEnded = false;
  #isClosed = false;
  /** The other side has said that it writes nothing more. */
  #endSeen = false;
  #hasToldEnd = false;
  /** Told when the stream broke off; what the handler has not seen of it by then still comes first. */
  #error: string | null = null;
  #onReset: (() => void) | null;

  /** @param onReset called when the user breaks off before the stream is open */
  constructor(peer: OverlayPeer, protocol: string, onReset: (() => void) | null = null) {
    this.peer = peer;
    this.#protocol = protocol;
    this.#onReset = onReset;
  }

  get protocol(): string {
    return this.#protocol;
  }

  get isRelayed(): boolean {
    return this.#isRelayed;
  }

  get queuedBytes(): number {
    return this.#stream === null ? this.#earlyBytes : this.#stream.writeBufferLength;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isClosed || this.#isEnded) return true;
    if (this.#stream === null) {
      this.#early.push(bytes);
      this.#earlyBytes += bytes.length;
      return this.#earlyBytes < limits.streams.queuedBytes;
    }
    if (this.#stream.writeStatus !== 'writable') return true;
    return this.#stream.send(bytes);
  }

  pause(): void {
    this.#isPaused = true;
    if (this.#stream?.readStatus === 'readable') this.#stream.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#stream?.readStatus === 'paused') this.#stream.resume();
  }

  end(): void {
    if (this.#isEnded || this.#isClosed) return;
    this.#isEnded = true;
    if (this.#stream !== null) this.#close(this.#stream);
  }

  reset(): void {
    if (this.#isClosed) return;
    this.#onReset?.();
    if (this.#stream === null) this.handleFailure('broken off');
    else this.#stream.abort(new Error('broken off'));
  }

  setHandler(handler: OverlayStreamHandler): void {
    this.#handler = handler;
  }

  /** opening -> open */
  handleOpen(stream: Stream, { isRelayed, isDialled }: { isRelayed: boolean; isDialled: boolean }): void {
    if (this.#isClosed) {
      stream.abort(new Error('broken off'));
      return;
    }
    this.#onReset = null;
    this.#stream = stream;
    this.#protocol = stream.protocol;
    this.#isRelayed = isRelayed;
    stream.addEventListener('drain', () => this.#handler?.onDrain?.());
    this.#endSeen = stream.status === 'open' && stream.remoteWriteStatus === 'closed';
    stream.addEventListener('remoteCloseWrite', () => (this.#endSeen = true));
    stream.addEventListener('end', () => this.#handleEnd());
    stream.addEventListener('close', (event) => this.#handleClose(event));
    if (this.#isPaused) stream.pause();
    if (isDialled) this.#handler?.onOpen?.();
    const early = this.#early;
    this.#early = [];
    for (const bytes of early) if (stream.writeStatus === 'writable') stream.send(bytes);
    if (this.#earlyBytes >= limits.streams.queuedBytes && stream.writeBufferLength === 0)
      queueMicrotask(() => this.#handler?.onDrain?.());
    this.#earlyBytes = 0;
    if (this.#isEnded) this.#close(stream);
    lendAll(stream, (bytes) => this.#handler?.onBytes(bytes));
    // What happened before anybody listened.
    if (stream.status === 'reset' || stream.status === 'aborted') this.#fail('broken off by the other side');
    else if (stream.readableEnded) queueMicrotask(() => this.#handleEnd());
  }

  /** opening -> closed. Never told from inside a call of the user's. */
  handleFailure(error: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#early = [];
    queueMicrotask(() => this.#handler?.onClose(error));
  }

  #handleEnd(): void {
    if (this.#hasToldEnd || this.#error !== null) return;
    this.#hasToldEnd = true;
    if (this.#endSeen) this.#handler?.onEnd?.();
    if (this.#isClosed) this.#tellClose();
  }

  #handleClose({ error }: StreamCloseEvent): void {
    if (error !== undefined) this.#fail(error.message);
    else if (!this.#isEnded || !this.#endSeen) this.#fail('the connection is closed');
    else if (!this.#isClosed) {
      this.#isClosed = true;
      // A paused reader still gets what had come before an orderly end.
      if (this.#hasToldEnd) this.#tellClose();
    }
  }

  #fail(error: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#error = error;
    this.#tellClose();
  }

  #tellClose(): void {
    queueMicrotask(() => this.#handler?.onClose(this.#error));
  }

  #close(stream: Stream): void {
    stream.close().catch((error: unknown) => {
      if (!this.#isClosed) stream.abort(error instanceof Error ? error : new Error(String(error)));
    });
  }
}
