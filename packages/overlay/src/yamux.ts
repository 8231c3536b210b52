/** Yamux as libp2p wants it of a muxer: many streams on one connection. Source: hashicorp/yamux, spec.md. */
import {
  type MessageStream,
  MuxerClosedError,
  type StreamMuxer,
  type StreamMuxerFactory,
  serviceCapabilities,
  TooManyOutboundProtocolStreamsError,
} from '@libp2p/interface';
import { AbstractStreamMuxer } from '@libp2p/utils';
import type { Clock, Timer } from '@tequio/kernel';
import type { Uint8ArrayList } from 'uint8arraylist';
import { sendAll, tryDirect } from './direct-stream.ts';
import { limits } from './limits.ts';
import {
  encodeHead,
  type FrameHandler,
  type FrameHead,
  FrameReader,
  frameFlag,
  frameType,
  goAwayCode,
  YamuxError,
} from './yamux-frame.ts';
import { type YamuxSession, YamuxStream } from './yamux-stream.ts';

const protocol = '/yamux/1.0.0';
const { inboundCount, outboundCount, grownBytes, pingMs, unreadBytes, windowBytes, usualBytesMax } =
  limits.yamux;
/** The largest number of a stream. */
const numberMax = 2 ** 32 - 1;

/** @returns what libp2p makes its muxers with */
export function yamux(clock: Clock): () => StreamMuxerFactory {
  return () => ({
    [Symbol.toStringTag]: 'tequio/yamux',
    [serviceCapabilities]: ['@libp2p/stream-multiplexing'],
    protocol,
    createStreamMuxer: (connection: MessageStream): StreamMuxer => new YamuxMuxer(connection, clock),
  });
}

class YamuxMuxer extends AbstractStreamMuxer<YamuxStream> implements YamuxSession, FrameHandler {
  readonly #connection: MessageStream;
  readonly #clock: Clock;
  readonly #reader = new FrameReader(this);
  readonly #byNumber = new Map<number, YamuxStream>();
  readonly #isDialler: boolean;
  #nextNumber: number;
  #inboundCount = 0;
  #grownBytes = 0;
  /** What streams have grown to. */
  #usualWindow: number = windowBytes;
  /** Whose data is being read, with the flags that hold when it has come. Null: nobody's. */
  #reading: { readonly stream: YamuxStream; readonly flags: number } | null = null;
  #hasFarewell = false;
  #saidFarewell = false;
  #pingTimer: Timer | null = null;
  #ping: { readonly number: number; readonly sentMs: number } | null = null;
  #pingCount = 0;
  roundTripMs = 0;

  constructor(connection: MessageStream, clock: Clock) {
    super(connection, { protocol, name: 'yamux' });
    this.#connection = connection;
    this.#clock = clock;
    this.#isDialler = connection.direction === 'outbound';
    this.#nextNumber = this.#isDialler ? 1 : 2;
    tryDirect(connection)?.lendTo((bytes) => {
      try {
        this.onData(bytes);
      } catch (error) {
        this.#breakOff(error instanceof Error ? error : new Error(String(error)));
      }
    });
    queueMicrotask(() => this.#measure());
  }

  get nowMs(): number {
    return this.#clock.nowMs();
  }

  override onCreateStream(): YamuxStream {
    if (this.#hasFarewell || this.#saidFarewell) throw new MuxerClosedError('the connection is being closed');
    if (this.#byNumber.size - this.#inboundCount >= outboundCount || this.#nextNumber > numberMax)
      throw new TooManyOutboundProtocolStreamsError('this connection has too many streams');
    const stream = this.#add(this.#nextNumber, 'outbound');
    this.#nextNumber += 2;
    return stream;
  }

  override onData(data: Uint8Array | Uint8ArrayList): void {
    if (data instanceof Uint8Array) this.#reader.push(data);
    else for (const part of data) this.#reader.push(part);
  }

  override async close(options?: Parameters<AbstractStreamMuxer['close']>[0]): Promise<void> {
    if (this.status !== 'open') return;
    try {
      await super.close(options);
      this.#sayFarewell(goAwayCode.normal);
    } finally {
      this.#pingTimer?.cancel();
    }
  }

  override abort(error: Error): void {
    if (this.status === 'closed') return;
    super.abort(error);
    this.#pingTimer?.cancel();
    this.#sayFarewell(error instanceof YamuxError ? goAwayCode.protocolError : goAwayCode.internalError);
  }

  override onTransportClosed(error?: Error): void {
    this.#pingTimer?.cancel();
    super.onTransportClosed(error);
  }

  // What streams ask for

  sendFrame(head: FrameHead, body: Uint8Array | null): boolean {
    if (this.#connection.status !== 'open') return true;
    const bytes = encodeHead(head);
    try {
      return sendAll(this.#connection, body === null ? [bytes] : [bytes, body]);
    } catch (error) {
      // It takes nothing more: it is being closed, or half of it is.
      this.#connection.abort(error instanceof Error ? error : new Error(String(error)));
      return true;
    }
  }

  tryGrow(bytes: number): boolean {
    if (this.#grownBytes + bytes > grownBytes) return false;
    this.#grownBytes += bytes;
    return true;
  }

  markWindow(bytes: number): void {
    this.#usualWindow = Math.min(Math.max(this.#usualWindow, bytes), usualBytesMax);
  }

  // What comes

  handleHead(head: FrameHead): void {
    if (head.type === frameType.ping) this.#handlePing(head);
    else if (head.type === frameType.goAway) this.#handleFarewell(head.length);
    else this.#handleStreamHead(head);
  }

  handleBody(bytes: Uint8Array, isLast: boolean): void {
    if (bytes.length > 0) this.#reading?.stream.handleData(bytes);
    if (isLast) this.#handleFlags();
  }

  #handleStreamHead(head: FrameHead): void {
    if ((head.flags & frameFlag.syn) !== 0) this.#accept(head.stream);
    const stream = this.#byNumber.get(head.stream);
    this.#reading = stream === undefined ? null : { stream, flags: head.flags };
    stream?.handleHead(head);
    if (head.type === frameType.windowUpdate) this.#handleFlags();
  }

  #handleFlags(): void {
    const reading = this.#reading;
    this.#reading = null;
    reading?.stream.handleFlags(reading.flags);
  }

  #accept(number: number): void {
    if ((number % 2 === 0) !== this.#isDialler) throw new YamuxError('both sides number streams alike');
    if (this.#byNumber.has(number)) throw new YamuxError('a stream is opened twice');
    if (this.#saidFarewell || this.#inboundCount >= inboundCount) {
      this.#answer({ type: frameType.windowUpdate, flags: frameFlag.rst, stream: number, length: 0 });
      return;
    }
    this.onRemoteStream(this.#add(number, 'inbound'));
  }

  #add(number: number, direction: 'inbound' | 'outbound'): YamuxStream {
    const log = this.log.newScope(String(number));
    const more = this.#usualWindow - windowBytes;
    const window = direction === 'inbound' && this.tryGrow(more) ? this.#usualWindow : windowBytes;
    const stream = new YamuxStream({ session: this, number, direction, window, log });
    this.#byNumber.set(number, stream);
    if (direction === 'inbound') this.#inboundCount++;
    stream.addEventListener('close', () => {
      this.#byNumber.delete(number);
      this.#grownBytes -= stream.grownBytes;
      if (direction === 'inbound') this.#inboundCount--;
    });
    // Later in this turn: whoever opened it may have something to say at once.
    queueMicrotask(() => stream.announce());
    return stream;
  }

  #measure(): void {
    if (this.status !== 'open') return;
    const number = this.#pingCount++ % numberMax;
    this.#ping = { number, sentMs: this.nowMs };
    this.sendFrame({ type: frameType.ping, flags: frameFlag.syn, stream: 0, length: number }, null);
    this.#pingTimer = this.#clock.setTimer(pingMs, () => this.#measure());
  }

  #handlePing({ flags, length }: FrameHead): void {
    if (flags === frameFlag.syn) {
      this.#answer({ type: frameType.ping, flags: frameFlag.ack, stream: 0, length });
    } else if (length === this.#ping?.number) {
      this.roundTripMs = this.nowMs - this.#ping.sentMs;
      this.#ping = null;
    }
  }

  /** To what can be asked for without end. */
  #answer(head: FrameHead): void {
    if (this.#connection.writeBufferLength > unreadBytes)
      throw new YamuxError('the other side asks, and does not read the answers');
    this.sendFrame(head, null);
  }

  /** Streams that are open go on after an orderly one. */
  #handleFarewell(code: number): void {
    this.#hasFarewell = true;
    if (code !== goAwayCode.normal) this.#breakOff(new Error('the other side has ended the connection'));
  }

  #sayFarewell(code: number): void {
    if (this.#saidFarewell) return;
    this.#saidFarewell = true;
    this.sendFrame({ type: frameType.goAway, flags: 0, stream: 0, length: code }, null);
  }

  #breakOff(error: Error): void {
    this.abort(error);
    this.#connection.abort(error);
  }
}
