import {
  assert,
  type Clock,
  type OverlayPeer,
  type OverlayStream,
  type OverlayStreamHandler,
  readUint32,
  writeUint32,
} from '@tequio/kernel';
import { frameKind } from './overlay-session.ts';

/** What the other side may send before this side's user has taken it. */
const windowBytes = 256 * 1024;
/** What may wait here before `write` says so. */
const queueBytes = 1024 * 1024;

type Send = (kind: number, payload: Uint8Array) => void;

/**
 * One stream: opening ──> open ──> closed (both sides ended, or either broke off). The sender has a window, given back
 * as the receiver's handler takes the bytes.
 */
export class SimulatedOverlayStream implements OverlayStream {
  readonly peer: OverlayPeer;
  readonly isRelayed = false;
  protocol: string;
  readonly #clock: Clock;
  readonly #onGone: () => void;
  #send: Send | null = null;
  #handler: OverlayStreamHandler | null = null;
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #queue: Uint8Array[] = [];
  queuedBytes = 0;
  #window = windowBytes;
  #mustDrain = false;
  #isPaused = false;
  #received: Uint8Array[] = [];
  #isEnded = false;
  #endSent = false;
  #endSeen = false;
  #endTold = false;

  constructor(peer: OverlayPeer, protocol: string, clock: Clock, onGone: () => void) {
    this.peer = peer;
    this.protocol = protocol;
    this.#clock = clock;
    this.#onGone = onGone;
  }

  get isOpening(): boolean {
    return this.#state === 'opening';
  }

  setHandler(handler: OverlayStreamHandler): void {
    this.#handler = handler;
  }

  /** Frames go this way; not open yet. */
  attach(send: Send): void {
    this.#send = send;
  }

  /** opening -> open */
  markOpen(protocol: string, isDialled: boolean): void {
    if (this.#state !== 'opening') return;
    this.protocol = protocol;
    this.#state = 'open';
    if (isDialled) this.#handler?.onOpen?.();
    this.#flush();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isEnded || this.#state === 'closed') return true;
    if (bytes.length > 0) {
      this.#queue.push(bytes);
      this.queuedBytes += bytes.length;
    }
    this.#flush();
    this.#mustDrain ||= this.queuedBytes >= queueBytes;
    return !this.#mustDrain;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#clock.setTimer(0, () => this.#deliver());
  }

  end(): void {
    this.#isEnded = true;
    this.#flush();
  }

  reset(): void {
    if (this.#state === 'closed') return;
    this.#send?.(frameKind.reset, new Uint8Array(0));
    this.fail('broken off');
  }

  /** any -> closed */
  fail(error: string | null): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#onGone();
    this.#clock.setTimer(0, () => this.#handler?.onClose(error));
  }

  handleFrame(kind: number, payload: Uint8Array): void {
    if (this.#state === 'closed') return;
    if (kind === frameKind.reset) this.fail('broken off by the other side');
    else if (kind === frameKind.end) this.#endSeen = true;
    else if (kind === frameKind.data) this.#received.push(payload.slice());
    else if (kind === frameKind.credit) {
      this.#window += readUint32(payload, 0);
      this.#flush();
    }
    this.#deliver();
  }

  #flush(): void {
    const send = this.#send;
    if (this.#state !== 'open' || send === null) return;
    while (this.#window > 0 && this.#queue.length > 0) {
      const first = this.#queue[0]!;
      const part = first.subarray(0, this.#window);
      send(frameKind.data, part);
      this.#window -= part.length;
      this.queuedBytes -= part.length;
      if (part.length === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(part.length);
    }
    if (this.#mustDrain && this.queuedBytes < queueBytes / 2) {
      this.#mustDrain = false;
      this.#clock.setTimer(0, () => this.#handler?.onDrain?.());
    }
    if (this.#isEnded && !this.#endSent && this.#queue.length === 0) {
      this.#endSent = true;
      send(frameKind.end, new Uint8Array(0));
      this.#closeIfOver();
    }
  }

  #deliver(): void {
    while (!this.#isPaused && this.#state === 'open' && this.#received.length > 0) {
      const bytes = this.#received.shift()!;
      this.#handler?.onBytes(bytes);
      const credit = new Uint8Array(4);
      writeUint32(credit, 0, bytes.length);
      assert(this.#send !== null, 'an open stream is attached');
      this.#send(frameKind.credit, credit);
    }
    if (this.#state !== 'open' || !this.#endSeen || this.#endTold || this.#received.length > 0) return;
    this.#endTold = true;
    this.#handler?.onEnd?.();
    this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (this.#endSent && this.#endTold) this.fail(null);
  }
}
