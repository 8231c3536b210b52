import type { AbortOptions, Logger, MessageStreamDirection } from '@libp2p/interface';
import { AbstractStream, type SendResult } from '@libp2p/utils';
import type { Uint8ArrayList } from 'uint8arraylist';
import type { DirectStream } from './direct-stream.ts';
import { limits } from './limits.ts';
import { type FrameHead, frameFlag, frameType, YamuxError } from './yamux-frame.ts';

const { windowBytes, windowBytesMax, frameBytes, growRoundTrips, roundTripMinMs } = limits.yamux;
const lengthMax = 2 ** 32 - 1;

/** What a stream needs of the connection that it shares with others. */
export interface YamuxSession {
  /** False: the connection has enough. What was given is sent all the same. */
  sendFrame(head: FrameHead, body: Uint8Array | null): boolean;
  readonly nowMs: number;
  /** 0 as long as nothing was measured. */
  readonly roundTripMs: number;
  /** By how much windows may still grow, all together. */
  tryGrow(bytes: number): boolean;
  /** A window has grown to this. */
  markWindow(bytes: number): void;
}

type Init = {
  readonly session: YamuxSession;
  readonly number: number;
  readonly direction: MessageStreamDirection;
  /** What the other side may send at first; it is told of what is more than the protocol's own window. */
  readonly window: number;
  readonly log: Logger;
};

/**
 * One stream of many on a connection. It sends as far as the other side's window goes, and opens its own as what has
 * come is read: whoever pauses a stream holds one window of it, and not more.
 */
export class YamuxStream extends AbstractStream implements DirectStream {
  readonly number: number;
  readonly #session: YamuxSession;
  #take: ((bytes: Uint8Array) => void) | null = null;
  /** The first frame says that the stream is there: SYN where we opened it, ACK where they did. */
  #isAnnounced = false;
  /** What the other side still takes. */
  #sendBytes = windowBytes;
  /** What it may still send, and what that is after an update. */
  #receiveBytes = windowBytes;
  #window: number;
  #updatedMs: number;

  constructor({ session, number, direction, window, log }: Init) {
    super({ id: String(number), direction, log, maxReadBufferLength: windowBytesMax });
    this.number = number;
    this.#session = session;
    this.#window = window;
    this.#updatedMs = session.nowMs;
  }

  /** By how much its window has grown. */
  get grownBytes(): number {
    return this.#window - windowBytes;
  }

  /** Says that it is there, unless data has done so already, and how large its window is. Called once. */
  announce(): void {
    if (this.status !== 'open') return;
    const length = this.#window - windowBytes;
    if (this.#isAnnounced && length === 0) return;
    this.#receiveBytes += length;
    this.#sendHead(frameType.windowUpdate, 0, length);
  }

  lendTo(take: (bytes: Uint8Array) => void): void {
    this.#take = take;
  }

  sendParts(parts: readonly Uint8Array[]): boolean {
    let hasRoom = true;
    for (const part of parts) hasRoom = this.send(part);
    return hasRoom;
  }

  override send(data: Uint8Array | Uint8ArrayList): boolean {
    const isWaiting = this.writableNeedsDrain || this.writeBuffer.byteLength > 0;
    if (!(data instanceof Uint8Array) || isWaiting || this.writeStatus !== 'writable')
      return super.send(data);
    const { sentBytes, canSendMore } = this.#sendSome(data);
    if (sentBytes < data.length) this.writeBuffer.append(data.subarray(sentBytes));
    this.writableNeedsDrain = !canSendMore;
    return canSendMore;
  }

  override sendData(data: Uint8ArrayList): SendResult {
    let sentBytes = 0;
    for (const part of data) {
      const sent = this.#sendSome(part);
      sentBytes += sent.sentBytes;
      if (!sent.canSendMore) return { sentBytes, canSendMore: false };
    }
    return { sentBytes, canSendMore: true };
  }

  override sendReset(): void {
    this.#sendHead(frameType.windowUpdate, frameFlag.rst, 0);
  }

  override async sendCloseWrite(): Promise<void> {
    this.#sendHead(frameType.windowUpdate, frameFlag.fin, 0);
  }

  /** Yamux has no words for it. */
  override async sendCloseRead(options?: AbortOptions): Promise<void> {
    options?.signal?.throwIfAborted();
  }

  override sendPause(): void {}

  override sendResume(): void {
    this.#updateWindow();
  }

  /** The connection has room again. Who waits for a window goes on waiting. */
  override onMuxerDrain(): void {
    if (this.#sendBytes > 0) this.#goOn();
  }

  /** @throws YamuxError it is longer than it may be */
  handleHead({ type, length }: FrameHead): void {
    if (type === frameType.windowUpdate) {
      this.#sendBytes = Math.min(this.#sendBytes + length, lengthMax);
      this.#goOn();
    } else {
      if (length > this.#receiveBytes) throw new YamuxError('a stream sends more than its window');
      this.#receiveBytes -= length;
    }
  }

  /** @param bytes borrowed */
  handleData(bytes: Uint8Array): void {
    if (this.#take !== null && this.readStatus === 'readable' && this.readBufferLength === 0)
      this.#take(bytes);
    else this.onData(bytes.slice());
    this.#updateWindow();
  }

  handleFlags(flags: number): void {
    if ((flags & frameFlag.fin) !== 0) this.onRemoteCloseWrite();
    if ((flags & frameFlag.rst) !== 0 && this.status === 'open') this.onRemoteReset();
  }

  protected override dispatchReadBuffer(): void {
    super.dispatchReadBuffer();
    if (this.readBufferLength === 0 && this.status === 'open') this.#updateWindow();
  }

  #sendSome(data: Uint8Array): SendResult {
    let sentBytes = 0;
    let hasRoom = true;
    while (sentBytes < data.length && this.#sendBytes > 0 && hasRoom) {
      const some = data.subarray(sentBytes, sentBytes + Math.min(frameBytes, this.#sendBytes));
      this.#sendBytes -= some.length;
      sentBytes += some.length;
      hasRoom = this.#session.sendFrame(this.#headOf(frameType.data, 0, some.length), some);
    }
    return { sentBytes, canSendMore: hasRoom && sentBytes === data.length };
  }

  #sendHead(type: number, flags: number, length: number): void {
    this.#session.sendFrame(this.#headOf(type, flags, length), null);
  }

  #headOf(type: number, flags: number, length: number): FrameHead {
    const first = this.#isAnnounced ? 0 : this.direction === 'outbound' ? frameFlag.syn : frameFlag.ack;
    this.#isAnnounced = true;
    return { type, flags: flags | first, stream: this.number, length };
  }

  /** What waits goes first; who waits is told when nothing does any more. */
  #goOn(): void {
    if (!this.writableNeedsDrain || this.status !== 'open') return;
    this.writableNeedsDrain = false;
    if (this.processSendQueue()) this.safeDispatchEvent('drain');
  }

  /** When half of the window is used up and read. One that is used up quickly is too small. */
  #updateWindow(): void {
    if (this.readStatus !== 'readable' || this.remoteWriteStatus === 'closed') return;
    const readBytes = this.#window - this.#receiveBytes - this.readBufferLength;
    if (readBytes < this.#window / 2) return;
    const { nowMs, roundTripMs } = this.#session;
    const quickMs = growRoundTrips * Math.max(roundTripMs, roundTripMinMs);
    if (nowMs - this.#updatedMs <= quickMs && this.#window * 2 <= windowBytesMax)
      if (this.#session.tryGrow(this.#window)) {
        this.#window *= 2;
        this.#session.markWindow(this.#window);
      }
    this.#updatedMs = nowMs;
    const length = this.#window - this.#receiveBytes - this.readBufferLength;
    this.#receiveBytes += length;
    this.#sendHead(frameType.windowUpdate, 0, length);
  }
}
