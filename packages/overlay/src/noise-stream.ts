import type { AbortOptions, MessageStream } from '@libp2p/interface';
import { AbstractMessageStream, type SendResult } from '@libp2p/utils';
import { readUint16, writeUint16 } from '@tequio/kernel';
import { Uint8ArrayList } from 'uint8arraylist';
import { type DirectStream, lendAll, sendAll } from './direct-stream.ts';
import { limits } from './limits.ts';
import { type NoiseCipher, tagBytes } from './noise-handshake.ts';
import { giveBack, takeBuffer } from './spare-buffers.ts';

const lengthBytes = 2;
const textBytesMax = limits.noise.messageBytes - tagBytes;

/**
 * A connection after its handshake: messages of up to 65,535 bytes, each with its length in front. What is written in
 * one turn goes into as few of them as there can be; what comes is decrypted where it lies.
 */
export class NoiseStream extends AbstractMessageStream implements DirectStream {
  readonly #connection: MessageStream;
  readonly #send: NoiseCipher;
  readonly #receive: NoiseCipher;
  #take: ((bytes: Uint8Array) => void) | null = null;
  /** Text that waits for more of this turn. */
  #text: Uint8Array | null = null;
  #textBytes = 0;
  /** A message, with its length, of which a part has come. */
  #part: Uint8Array | null = null;
  #partBytes = 0;
  /** The connection has asked to wait. */
  #isFull = false;

  constructor(
    connection: MessageStream,
    { send, receive }: { readonly send: NoiseCipher; readonly receive: NoiseCipher },
  ) {
    super({
      log: connection.log,
      inactivityTimeout: connection.inactivityTimeout,
      maxReadBufferLength: connection.maxReadBufferLength,
      direction: connection.direction,
    });
    this.#connection = connection;
    this.#send = send;
    this.#receive = receive;
    connection.addEventListener('close', ({ error, local }) => {
      this.#forget();
      if (error === undefined) this.onTransportClosed();
      else if (local === true) this.abort(error);
      else this.onRemoteReset();
    });
    connection.addEventListener('drain', () => {
      this.#isFull = false;
      this.safeDispatchEvent('drain');
    });
    connection.addEventListener('remoteCloseWrite', () => this.onRemoteCloseWrite());
    lendAll(connection, (bytes) => this.#handleBytes(bytes));
  }

  lendTo(take: (bytes: Uint8Array) => void): void {
    this.#take = take;
  }

  sendParts(parts: readonly Uint8Array[]): boolean {
    const isWaiting = this.writableNeedsDrain || this.writeBuffer.byteLength > 0;
    if (isWaiting || this.writeStatus !== 'writable') return this.send(new Uint8ArrayList(...parts));
    this.#write(parts);
    this.writableNeedsDrain = this.#isFull;
    return !this.#isFull;
  }

  override sendData(data: Uint8ArrayList): SendResult {
    const sentBytes = data.byteLength;
    this.#write([...data]);
    return { sentBytes, canSendMore: !this.#isFull };
  }

  override sendReset(error: Error): void {
    this.#forget();
    this.#connection.abort(error);
  }

  override sendPause(): void {
    this.#connection.pause();
  }

  override sendResume(): void {
    this.#connection.resume();
  }

  override async close(options?: AbortOptions): Promise<void> {
    this.#flush();
    await this.#connection.close(options);
  }

  /** Parts that fit one message are not divided between two. */
  #write(parts: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    if (this.#textBytes + bytes > textBytesMax) this.#flush();
    for (const part of parts) this.#gather(part);
  }

  #gather(part: Uint8Array): void {
    for (let at = 0; at < part.length; ) {
      if (this.#text === null) {
        this.#text = takeBuffer();
        queueMicrotask(() => this.#flush());
      }
      const some = part.subarray(at, at + textBytesMax - this.#textBytes);
      this.#text.set(some, this.#textBytes);
      this.#textBytes += some.length;
      at += some.length;
      if (this.#textBytes === textBytesMax) this.#flush();
    }
  }

  #flush(): void {
    if (this.#text === null) return;
    const sealed = this.#send.seal(this.#text.subarray(0, this.#textBytes));
    const head = new Uint8Array(lengthBytes);
    writeUint16(head, 0, this.#textBytes + tagBytes);
    giveBack(this.#text);
    this.#text = null;
    this.#textBytes = 0;
    try {
      if (!sendAll(this.#connection, [head, ...sealed])) this.#isFull = true;
    } catch (error) {
      // It takes nothing more: it is being closed, or half of it is.
      this.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #forget(): void {
    for (const buffer of [this.#text, this.#part]) if (buffer !== null) giveBack(buffer);
    this.#text = null;
    this.#part = null;
    this.#textBytes = 0;
    this.#partBytes = 0;
  }

  /** @param bytes borrowed */
  #handleBytes(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.status === 'open'; ) {
      const end = this.#part !== null || bytes.length - at < lengthBytes ? -1 : endOf(bytes, at);
      if (end < 0 || end > bytes.length) at = this.#handlePart(bytes, at);
      else {
        this.#open(bytes.subarray(at + lengthBytes, end));
        at = end;
      }
    }
  }

  /** @returns up to where it was taken */
  #handlePart(bytes: Uint8Array, start: number): number {
    this.#part ??= takeBuffer();
    const part = this.#part;
    const wanted = this.#partBytes < lengthBytes ? lengthBytes : endOf(part, 0);
    const some = bytes.subarray(start, start + wanted - this.#partBytes);
    part.set(some, this.#partBytes);
    this.#partBytes += some.length;
    if (this.#partBytes >= lengthBytes && this.#partBytes === endOf(part, 0)) {
      const end = this.#partBytes;
      this.#partBytes = 0;
      this.#part = null;
      this.#open(part.subarray(lengthBytes, end));
      giveBack(part);
    }
    return start + some.length;
  }

  #open(message: Uint8Array): void {
    const text = this.#receive.tryOpen(message);
    if (text === null) this.abort(new Error('a message was changed on its way'));
    else if (this.#take !== null && this.readStatus === 'readable' && this.readBufferLength === 0)
      this.#take(text);
    else this.onData(text);
  }
}

function endOf(bytes: Uint8Array, at: number): number {
  return at + lengthBytes + readUint16(bytes, at);
}
