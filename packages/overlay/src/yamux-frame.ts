/** Frames of yamux: a head of 12 bytes, and what it says there is behind it. Source: hashicorp/yamux, spec.md. */
import { readUint16, readUint32, writeUint16, writeUint32 } from '@tequio/kernel';

export const frameType = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const;
export const frameFlag = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;
export const goAwayCode = { normal: 0, protocolError: 1, internalError: 2 } as const;

export type FrameHead = {
  readonly type: number;
  readonly flags: number;
  /** 0: the whole connection. */
  readonly stream: number;
  /** Bytes behind the head, or of the window; the number of a ping; the code of a farewell. */
  readonly length: number;
};

const headBytes = 12;
const version = 0;

export function encodeHead({ type, flags, stream, length }: FrameHead): Uint8Array {
  const bytes = new Uint8Array(headBytes);
  bytes[0] = version;
  bytes[1] = type;
  writeUint16(bytes, 2, flags);
  writeUint32(bytes, 4, stream);
  writeUint32(bytes, 8, length);
  return bytes;
}

/** The other side does not keep to the protocol. */
export class YamuxError extends Error {
  override readonly name = 'YamuxError';
}

export interface FrameHandler {
  /** Data that the head announces comes by `handleBody`, and by that alone. @throws YamuxError */
  handleHead(head: FrameHead): void;
  /** Some of the data of the last head, borrowed. `isLast`: nothing of it is left. */
  handleBody(bytes: Uint8Array, isLast: boolean): void;
}

/** Cuts a stream into frames. It holds a head at most: data is handed on as it comes. */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #head = new Uint8Array(headBytes);
  #headBytes = 0;
  /** Data of the frame that has not come yet. */
  #restBytes = 0;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** @param bytes borrowed @throws YamuxError */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#restBytes > 0) {
        const some = bytes.subarray(at, at + this.#restBytes);
        this.#restBytes -= some.length;
        at += some.length;
        this.#handler.handleBody(some, this.#restBytes === 0);
      } else if (this.#headBytes === 0 && bytes.length - at >= headBytes) {
        this.#handleHead(bytes, at);
        at += headBytes;
      } else {
        const some = bytes.subarray(at, at + headBytes - this.#headBytes);
        this.#head.set(some, this.#headBytes);
        this.#headBytes += some.length;
        at += some.length;
        if (this.#headBytes < headBytes) return;
        this.#headBytes = 0;
        this.#handleHead(this.#head, 0);
      }
    }
  }

  #handleHead(bytes: Uint8Array, at: number): void {
    const head = {
      type: bytes[at + 1]!,
      flags: readUint16(bytes, at + 2),
      stream: readUint32(bytes, at + 4),
      length: readUint32(bytes, at + 8),
    };
    if (bytes[at] !== version) throw new YamuxError(`version ${bytes[at]} is not known`);
    if (head.type > frameType.goAway) throw new YamuxError(`a frame of type ${head.type} is not known`);
    const isOfConnection = head.type === frameType.ping || head.type === frameType.goAway;
    if (isOfConnection !== (head.stream === 0)) throw new YamuxError('a frame is about another stream');
    // Set first: the handler may throw, and then nothing more is read.
    this.#restBytes = head.type === frameType.data ? head.length : 0;
    this.#handler.handleHead(head);
    if (head.type === frameType.data && head.length === 0)
      this.#handler.handleBody(bytes.subarray(0, 0), true);
  }
}
