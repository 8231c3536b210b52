/**
 * TCP or uTP, or whichever of the two opens first.
 *
 * Rules, where both are allowed: the one that worked last at this endpoint begins, else TCP. The other begins when the
 * first fails, or has not opened after a second; the first to open wins, and the loser is dropped. Why TCP first: it
 * is the cheaper one by far for both machines, every peer has it, and who wants to leave room for others says so with
 * `utp`. Why a race and not one after the other: most peers that TCP does not reach drop what comes, and a refusal
 * after a whole time-out would block a place for dials twice as long. Why uTP at all then: routers that let in no TCP
 * often let in UDP, after hole punching above all. Cost: a peer that nobody reaches costs two dials in the time of
 * one.
 */
import {
  type Clock,
  type Endpoint,
  formatEndpoint,
  type StreamConnection,
  type StreamHandler,
  type StreamPort,
  type Timer,
} from '@tequio/kernel';
import type { Transport } from '../contract.ts';
import type { PeerDialOptions } from './peer-dialer.ts';

export const transportLimits = {
  /** How long the first has for itself: a SYN of TCP is repeated after so long. */
  headStartMs: 1000,
  /** Endpoints whose last way is remembered. */
  knownCountMax: 2000,
} as const;

type One = Exclude<Transport, 'both'>;

export type TransportDeps = {
  readonly tcp: Pick<StreamPort, 'dial'>;
  readonly utp: Pick<StreamPort, 'dial'>;
  readonly clock: Clock;
};

/** Dials as a StreamPort does, by the ways that `allowed` names. */
export class PeerTransports {
  readonly #deps: TransportDeps;
  readonly #allowed: Transport;
  readonly #lastWorked = new Map<string, One>();

  constructor(allowed: Transport, deps: TransportDeps) {
    this.#allowed = allowed;
    this.#deps = deps;
  }

  dial(
    to: Endpoint,
    options: Pick<PeerDialOptions, 'timeoutMs' | 'transport'> & Partial<Pick<PeerDialOptions, 'from'>>,
    handler: StreamHandler,
  ): StreamConnection {
    const only = this.#allowed === 'both' ? options.transport : this.#allowed;
    if (only !== undefined) return this.#deps[only].dial(to, options, handler);
    const first = this.#lastWorked.get(formatEndpoint(to)) ?? 'tcp';
    const race = new RacingDial(to, this.#deps.clock, handler, (worked) => this.#remember(to, worked));
    race.start(first, (transport, inner) => this.#deps[transport].dial(to, options, inner));
    return race;
  }

  #remember(to: Endpoint, worked: One): void {
    const key = formatEndpoint(to);
    this.#lastWorked.delete(key);
    this.#lastWorked.set(key, worked);
    if (this.#lastWorked.size <= transportLimits.knownCountMax) return;
    for (const oldest of this.#lastWorked.keys()) {
      this.#lastWorked.delete(oldest);
      return;
    }
  }
}

type DialBy = (transport: One, handler: StreamHandler) => StreamConnection;
type Waiting = { readonly parts: readonly Uint8Array[]; readonly sent: (() => void) | undefined };

/**
 * One or two dials that become one connection:
 *
 *   first alone ── a second passes, or it fails ──> both, or the second alone ── one opens ──> open
 *        └── it opens ──^                                  └── both have failed ──> closed
 */
class RacingDial implements StreamConnection {
  readonly remote: Endpoint;
  readonly #clock: Clock;
  readonly #handler: StreamHandler;
  readonly #opened: (transport: One) => void;
  /** Dials that have neither won nor failed. */
  readonly #running = new Map<One, StreamConnection>();
  #winner: StreamConnection | null = null;
  #second: (() => void) | null = null;
  #timer: Timer | null = null;
  /** Written before there was a connection. */
  #waiting: Waiting[] = [];
  #isEndAsked = false;
  #isPaused = false;
  #isDestroyed = false;
  #firstError: string | null = null;

  constructor(remote: Endpoint, clock: Clock, handler: StreamHandler, opened: (transport: One) => void) {
    this.remote = remote;
    this.#clock = clock;
    this.#handler = handler;
    this.#opened = opened;
  }

  /** To be called once. */
  start(first: One, dial: DialBy): void {
    this.#second = () => {
      this.#stopTimer();
      this.#second = null;
      this.#run(first === 'tcp' ? 'utp' : 'tcp', dial);
    };
    this.#timer = this.#clock.setTimer(transportLimits.headStartMs, () => this.#second?.());
    this.#run(first, dial);
  }

  get local(): Endpoint {
    return (this.#winner ?? [...this.#running.values()][0])?.local ?? { ...this.remote, port: 0 };
  }

  get transport(): 'tcp' | 'utp' {
    return this.#winner?.transport ?? 'tcp';
  }

  get queuedBytes(): number {
    let bytes = this.#winner?.queuedBytes ?? 0;
    for (const { parts } of this.#waiting) for (const part of parts) bytes += part.length;
    return bytes;
  }

  write(parts: readonly Uint8Array[], sent?: () => void): void {
    if (this.#winner !== null) this.#winner.write(parts, sent);
    else if (!this.#isEndAsked && !this.#isDestroyed) this.#waiting.push({ parts, sent });
  }

  pause(): void {
    this.#isPaused = true;
    this.#winner?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#winner?.resume();
  }

  end(): void {
    this.#isEndAsked = true;
    this.#winner?.end();
  }

  destroy(): void {
    if (this.#winner !== null) {
      this.#winner.destroy();
      return;
    }
    this.#isDestroyed = true;
    this.#waiting = [];
    this.#second = null;
    this.#stopTimer();
    for (const connection of this.#running.values()) connection.destroy();
  }

  #run(transport: One, dial: DialBy): void {
    const connection = dial(transport, {
      onOpen: () => this.#handleOpen(transport, connection),
      onBytes: (bytes) => {
        if (this.#winner === connection) this.#handler.onBytes(bytes);
      },
      onClose: (error) => this.#handleClose(transport, connection, error),
    });
    this.#running.set(transport, connection);
  }

  /** The first to open. Only a dial that is running opens. */
  #handleOpen(transport: One, connection: StreamConnection): void {
    if (this.#winner !== null || this.#isDestroyed) {
      connection.destroy();
      return;
    }
    this.#winner = connection;
    this.#second = null;
    this.#stopTimer();
    for (const other of this.#running.values()) if (other !== connection) other.destroy();
    this.#opened(transport);
    if (this.#isPaused) connection.pause();
    for (const { parts, sent } of this.#waiting.splice(0)) connection.write(parts, sent);
    if (this.#isEndAsked) connection.end();
    else this.#handler.onOpen?.();
  }

  #handleClose(transport: One, connection: StreamConnection, error: string | null): void {
    this.#running.delete(transport);
    if (this.#winner !== null) {
      if (this.#winner === connection) this.#handler.onClose(error);
      return;
    }
    this.#firstError ??= error;
    // Dials end in callbacks of their own, so the second may be begun from here.
    if (this.#second !== null) this.#second();
    else if (this.#running.size === 0) this.#handler.onClose(this.#isDestroyed ? null : this.#firstError);
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
