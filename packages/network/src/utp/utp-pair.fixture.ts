/** Two uTP sockets and the channel between them, in virtual time: for tests, fuzzing and simulations. */
import type { Endpoint, IpAddress, Prng } from '@tequio/kernel';
import { VirtualClock } from '@tequio/simulator';
import type { UtpConnection } from './utp-connection.ts';
import type { UtpEffect } from './utp-shared.ts';
import { UtpSocket } from './utp-socket.ts';

/** What happens to one datagram: it arrives after each of these delays; none: it is lost. */
export type Channel = (bytes: Uint8Array, nowMs: number) => readonly number[];

export const endpointA: Endpoint = { address: '20.0.0.1' as IpAddress, port: 1001 };
export const endpointB: Endpoint = { address: '20.0.0.2' as IpAddress, port: 1002 };

/** One end: reads all unless told otherwise, and remembers. */
export class End {
  readonly received: number[] = [];
  receivedBytes = 0;
  keepsBytes = true;
  isPaused = false;
  isOpen = false;
  /** undefined: it has not closed. */
  error: string | null | undefined = undefined;
  connection: UtpConnection | null = null;
  onRead: ((bytes: Uint8Array) => void) | null = null;
  /** Something was read, or bytes have left the queue. */
  onReady: (() => void) | null = null;

  read(nowMs: number): void {
    const { connection } = this;
    if (connection === null) return;
    while (!this.isPaused) {
      const bytes = connection.read(nowMs);
      if (bytes === null) break;
      this.receivedBytes += bytes.length;
      if (this.keepsBytes) for (const byte of bytes) this.received.push(byte);
      this.onRead?.(bytes);
    }
    connection.markRead(nowMs);
    this.onReady?.();
  }
}

/** A host with one uTP port; its ends are made by `dial` and by those who come. */
export class UtpHost {
  readonly socket: UtpSocket;
  readonly endpoint: Endpoint;
  readonly ends: End[] = [];
  /** Gets every datagram that leaves. */
  transmit: (bytes: Uint8Array, to: Endpoint) => void = () => {};
  readonly #clock: VirtualClock;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: VirtualClock, endpoint: Endpoint, prng: Prng) {
    this.#clock = clock;
    this.endpoint = endpoint;
    this.socket = new UtpSocket({ entropy: { bytes: (length) => prng.bytes(length) } });
    this.socket.isListening = true;
  }

  dial(to: Endpoint, timeoutMs = 10_000): End {
    const end = this.#newEnd();
    end.connection = this.socket.dial(to, timeoutMs, this.#clock.nowMs());
    if (end.connection !== null) end.connection.user = end;
    this.drive();
    return end;
  }

  receive(bytes: Uint8Array, from: Endpoint): void {
    this.socket.handleDatagram(bytes, from, this.#clock.nowMs());
    this.drive();
    this.socket.release();
    // What was lent goes away.
    bytes.fill(0xee);
  }

  drive(): void {
    const effects: UtpEffect<UtpConnection>[] = [];
    for (;;) {
      this.socket.drain(effects);
      if (effects.length === 0) break;
      for (const effect of effects) this.#apply(effect);
      effects.length = 0;
    }
    this.#arm();
  }

  #newEnd(): End {
    const end = new End();
    this.ends.push(end);
    return end;
  }

  #apply(effect: UtpEffect<UtpConnection>): void {
    if (effect.kind === 'send') {
      this.transmit(effect.bytes, effect.to);
      return;
    }
    if (effect.kind === 'accept') {
      const accepted = this.#newEnd();
      accepted.isOpen = true;
      accepted.connection = effect.connection;
      effect.connection.user = accepted;
      return;
    }
    const end = effect.connection.user as End;
    if (effect.kind === 'open') end.isOpen = true;
    else if (effect.kind === 'ready') end.read(this.#clock.nowMs());
    else end.error = effect.error;
  }

  #arm(): void {
    const next = this.socket.nextTimeoutMs();
    if (next === null || next >= this.#timerAtMs) return;
    this.#timerAtMs = next;
    this.#clock.setTimerAt(next, () => {
      if (this.#timerAtMs > this.#clock.nowMs()) return;
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.socket.handleTimeout(this.#clock.nowMs());
      this.drive();
    });
  }
}

/** Two hosts and a channel each way. */
export class UtpPair {
  readonly clock = new VirtualClock();
  readonly a: UtpHost;
  readonly b: UtpHost;

  constructor(prng: Prng, aToB: Channel, bToA: Channel) {
    this.a = new UtpHost(this.clock, endpointA, prng);
    this.b = new UtpHost(this.clock, endpointB, prng);
    this.a.transmit = (bytes) => this.#carry(bytes, aToB, this.b, endpointA);
    this.b.transmit = (bytes) => this.#carry(bytes, bToA, this.a, endpointB);
  }

  /** Lets everything happen until `ms` from now, or until `condition`. */
  run(ms: number, condition: () => boolean = () => false): void {
    const endMs = this.clock.nowMs() + ms;
    while (!condition()) {
      const nextMs = this.clock.nextMs();
      if (nextMs === null || nextMs > endMs) {
        this.clock.advanceTo(endMs);
        return;
      }
      this.clock.fireNext();
    }
  }

  #carry(bytes: Uint8Array, channel: Channel, to: UtpHost, from: Endpoint): void {
    for (const delayMs of channel(bytes, this.clock.nowMs())) {
      const copy = bytes.slice();
      this.clock.setTimer(delayMs, () => to.receive(copy, from));
    }
  }
}
