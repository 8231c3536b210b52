import type { Logger, MessageStreamDirection } from '@libp2p/interface';
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Clock, StreamConnection, Timer } from '@tequio/kernel';
import type { RateLimiter } from '@tequio/network';
import { Uint8ArrayList } from 'uint8arraylist';
import type { DirectStream } from './direct-stream.ts';
import { limits } from './limits.ts';

const { queuedBytes, limitedWriteBytes, limitedLookMs } = limits.connection;

export type ConnectionRates = { readonly down: RateLimiter; readonly up: RateLimiter };

type Init = {
  readonly stream: StreamConnection;
  readonly remoteAddr: Multiaddr;
  readonly direction: MessageStreamDirection;
  readonly log: Logger;
  readonly clock: Clock;
  readonly rates: ConnectionRates | null;
};

/**
 * One connection of our own ports as libp2p sees it. Reading stops while libp2p asks for it, or the limit on what comes
 * in is overdrawn; of what goes out only so much is taken as the limit and the system's queue have room for.
 */
export class TcpConnection extends AbstractMultiaddrConnection implements DirectStream {
  readonly #stream: StreamConnection;
  readonly #clock: Clock;
  readonly #down: RateLimiter | null;
  readonly #up: RateLimiter | null;
  #take: ((bytes: Uint8Array) => void) | null = null;
  #isPausedAbove = false;
  /** Written in this turn: frames of a few bytes each go out as one. */
  #parts: Uint8Array[] = [];
  #partsBytes = 0;
  /** Somebody waits until there is room again. */
  #isFull = false;
  #readTimer: Timer | null = null;
  #writeTimer: Timer | null = null;

  constructor({ stream, remoteAddr, direction, log, clock, rates }: Init) {
    super({ remoteAddr, direction, log });
    this.#stream = stream;
    this.#clock = clock;
    this.#down = rates?.down.child('connection') ?? null;
    this.#up = rates?.up.child('connection') ?? null;
  }

  lendTo(take: (bytes: Uint8Array) => void): void {
    this.#take = take;
  }

  sendParts(parts: readonly Uint8Array[]): boolean {
    const isWaiting = this.writableNeedsDrain || this.writeBuffer.byteLength > 0;
    const isLimited = this.#up !== null && !this.#up.isUnlimited;
    if (isWaiting || isLimited || this.writeStatus !== 'writable')
      return this.send(new Uint8ArrayList(...parts));
    this.writableNeedsDrain = !this.#write(parts);
    return !this.writableNeedsDrain;
  }

  /** From the ports: `bytes` are borrowed, and libp2p keeps what it is given. */
  handleBytes(bytes: Uint8Array): void {
    if (this.#take !== null && this.readStatus === 'readable' && this.readBufferLength === 0)
      this.#take(bytes);
    else this.onData(bytes.slice());
    const down = this.#down;
    if (down === null || down.isUnlimited) return;
    const nowMs = this.#clock.nowMs();
    down.charge(bytes.length, nowMs);
    if (down.tryTake(0, nowMs)) return;
    this.#stream.pause();
    this.#armRead(down);
  }

  /** From the ports: it is closed. */
  handleClose(error: string | null): void {
    this.#readTimer?.cancel();
    this.#writeTimer?.cancel();
    this.#down?.stopWaiting();
    this.#up?.stopWaiting();
    this.#parts = [];
    if (error === null) this.onTransportClosed();
    else this.onRemoteReset();
  }

  override sendData(data: Uint8ArrayList): SendResult {
    const up = this.#up;
    if (up === null || up.isUnlimited) return this.#sendNow(data);
    const nowMs = this.#clock.nowMs();
    const some = data.sublist(0, Math.min(data.byteLength, limitedWriteBytes));
    if (up.tryTake(some.byteLength, nowMs)) return this.#sendNow(some);
    this.#armWrite(up);
    return { sentBytes: 0, canSendMore: false };
  }

  override sendReset(): void {
    if (this.#stream.reset === undefined) this.#stream.destroy();
    else this.#stream.reset();
  }

  override async sendClose(): Promise<void> {
    this.#flush();
    this.#stream.end();
  }

  override sendPause(): void {
    this.#isPausedAbove = true;
    this.#stream.pause();
  }

  override sendResume(): void {
    this.#isPausedAbove = false;
    if (this.#readTimer === null) this.#stream.resume();
  }

  #sendNow(data: Uint8ArrayList): SendResult {
    const sentBytes = data.byteLength;
    return { sentBytes, canSendMore: this.#write([...data]) };
  }

  /** @param parts given away @returns false: there is enough on its way */
  #write(parts: readonly Uint8Array[]): boolean {
    if (this.#parts.length === 0) queueMicrotask(() => this.#flush());
    for (const part of parts) {
      this.#parts.push(part);
      this.#partsBytes += part.length;
    }
    this.#isFull ||= this.#stream.queuedBytes + this.#partsBytes >= queuedBytes;
    return !this.#isFull;
  }

  #flush(): void {
    if (this.#parts.length === 0) return;
    const parts = this.#parts;
    this.#parts = [];
    this.#partsBytes = 0;
    const isFull = this.#isFull;
    this.#isFull = false;
    if (isFull) this.#stream.write(parts, () => this.safeDispatchEvent('drain'));
    else this.#stream.write(parts);
  }

  #armRead(down: RateLimiter): void {
    this.#readTimer ??= this.#after(down, () => {
      this.#readTimer = null;
      if (!down.isUnlimited && !down.tryTake(0, this.#clock.nowMs())) this.#armRead(down);
      else if (!this.#isPausedAbove) this.#stream.resume();
    });
  }

  #armWrite(up: RateLimiter): void {
    this.#writeTimer ??= this.#after(up, () => {
      this.#writeTimer = null;
      this.safeDispatchEvent('drain');
    });
  }

  #after(limiter: RateLimiter, then: () => void): Timer {
    const nowMs = this.#clock.nowMs();
    const waitMs = Math.min(Math.max(1, limiter.nextMs(nowMs) - nowMs), limitedLookMs);
    return this.#clock.setTimer(waitMs, then);
  }
}
