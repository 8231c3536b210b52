/**
 * Messages on a libp2p stream: each with its length, a varint, in front. The decoder is total. A length is believed so
 * far as bytes follow it, or an earlier message of the stream, or of its peer, was as long.
 */
import { assert, type Fault, failed, ok, type Result } from '@tequio/kernel';
import { varintBytes, writeVarint } from './protobuf.ts';

/** What a message of which only the length is known gets at first; it grows as bytes come. */
const firstBytes = 16 * 1024;
const lengthBytesMax = 4;

/** Cuts a stream into messages. After a fault it takes nothing more. */
export class FrameDecoder {
  readonly #messageBytesMax: number;
  #length = 0;
  #lengthBytes = 0;
  #body: Uint8Array | null = null;
  #bodyBytes = 0;
  /** Of the longest message that came whole: the next one may take as much memory at once, and need not grow. */
  #longestBytes: number;
  #fault: Fault | null = null;

  /** @param longestBytes of an earlier message of the same peer */
  constructor(messageBytesMax: number, longestBytes = firstBytes) {
    this.#longestBytes = Math.max(firstBytes, Math.min(longestBytes, messageBytesMax));
    assert(varintBytes(messageBytesMax) <= lengthBytesMax, 'a frame fits four bytes of length');
    this.#messageBytesMax = messageBytesMax;
  }

  get longestBytes(): number {
    return this.#longestBytes;
  }

  /** In the middle of a message: its other half was never sent, if the stream ends now. */
  get isInside(): boolean {
    return this.#lengthBytes > 0 || this.#body !== null;
  }

  /**
   * Gives whole messages to `take`, which owns them. @param bytes borrowed
   * @returns a fault (`IPFS_FRAME`) when a length is broken or above the limit
   */
  push(bytes: Uint8Array, take: (message: Uint8Array) => void): Result<null> {
    let at = 0;
    while (at < bytes.length && this.#fault === null) {
      at = this.#body === null ? this.#pushLength(bytes, at) : this.#pushBody(this.#body, bytes, at);
      // A message without bytes is whole with its length.
      if (this.#body !== null && this.#bodyBytes === this.#length) {
        const message = this.#body.length === this.#length ? this.#body : this.#body.slice(0, this.#length);
        this.#longestBytes = Math.max(this.#longestBytes, this.#length);
        this.#reset();
        take(message);
      }
    }
    return this.#fault === null ? ok(null) : failed(this.#fault);
  }

  #reset(): void {
    this.#length = 0;
    this.#lengthBytes = 0;
    this.#body = null;
    this.#bodyBytes = 0;
  }

  #pushLength(bytes: Uint8Array, start: number): number {
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at]!;
      this.#length += (byte & 0x7f) * 2 ** (7 * this.#lengthBytes++);
      if (this.#length > this.#messageBytesMax || (byte >= 0x80 && this.#lengthBytes === lengthBytesMax)) {
        this.#fault = {
          code: 'IPFS_FRAME',
          message: `A message is longer than ${this.#messageBytesMax} bytes.`,
          blame: 'peer',
          penalty: 50,
        };
        return bytes.length;
      }
      if (byte < 0x80) {
        const there = bytes.length - at - 1;
        this.#body = new Uint8Array(Math.min(this.#length, Math.max(this.#longestBytes, there)));
        return at + 1;
      }
    }
    return bytes.length;
  }

  #pushBody(body: Uint8Array, bytes: Uint8Array, start: number): number {
    const end = Math.min(bytes.length, start + this.#length - this.#bodyBytes);
    const needed = this.#bodyBytes + end - start;
    let room = body;
    if (needed > body.length) {
      room = new Uint8Array(Math.min(this.#length, Math.max(needed, 2 * body.length)));
      room.set(body.subarray(0, this.#bodyBytes));
      this.#body = room;
    }
    room.set(bytes.subarray(start, end), this.#bodyBytes);
    this.#bodyBytes = needed;
    return end;
  }
}

/** A message with its length in front. */
export function encodeFrame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(varintBytes(message.length) + message.length);
  bytes.set(message, writeVarint(bytes, 0, message.length));
  return bytes;
}
