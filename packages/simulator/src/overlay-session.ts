/**
 * One connection of the simulated overlay: frames of many streams over one simulated TCP connection, so that what
 * holds there (latency, rates, loss of the line, routers that let nobody in) holds for streams as well.
 *
 *   frame = stream (4 bytes; 0: the session itself) · kind (1) · length (4) · payload
 */
import {
  concatBytes,
  encodeUtf8,
  readUint32,
  type StreamConnection,
  tryDecodeUtf8,
  writeUint32,
} from '@tequio/kernel';

export const frameKind = { open: 0, accept: 1, reset: 2, data: 3, end: 4, credit: 5, words: 6 } as const;

const headBytes = 9;

export interface SessionHandler {
  onFrame(stream: number, kind: number, payload: Uint8Array): void;
  onClose(error: string | null): void;
}

/** See the head of this file. */
export class OverlaySession {
  readonly #connection: StreamConnection;
  readonly #handler: SessionHandler;
  #held: Uint8Array = new Uint8Array(0);

  constructor(connection: StreamConnection, handler: SessionHandler) {
    this.#connection = connection;
    this.#handler = handler;
  }

  get remote(): StreamConnection['remote'] {
    return this.#connection.remote;
  }

  send(stream: number, kind: number, payload: Uint8Array): void {
    const head = new Uint8Array(headBytes);
    writeUint32(head, 0, stream);
    head[4] = kind;
    writeUint32(head, 5, payload.length);
    this.#connection.write([head, payload.slice()]);
  }

  sendWords(stream: number, kind: number, words: unknown): void {
    this.send(stream, kind, encodeUtf8(JSON.stringify(words)));
  }

  handleBytes(bytes: Uint8Array): void {
    let rest = this.#held.length === 0 ? bytes : concatBytes([this.#held, bytes]);
    while (rest.length >= headBytes) {
      const end = headBytes + readUint32(rest, 5);
      if (rest.length < end) break;
      this.#handler.onFrame(readUint32(rest, 0), rest[4]!, rest.subarray(headBytes, end));
      rest = rest.subarray(end);
    }
    this.#held = rest.slice();
  }

  handleClose(error: string | null): void {
    this.#handler.onClose(error);
  }

  close(): void {
    this.#connection.destroy();
  }
}

export function readWords<Words>(payload: Uint8Array): Words {
  return JSON.parse(tryDecodeUtf8(payload) ?? 'null') as Words;
}
