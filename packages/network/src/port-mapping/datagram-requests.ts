import type { Endpoint, Prng } from '@tequio/kernel';
import type { ClientEffect } from './router-client.ts';

/** How a request is repeated until it is answered. */
export type RepeatRule = {
  /** Before the first repetition; each later one waits twice as long. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** After this nobody waits for an answer any more. */
  readonly giveUpMs: number;
};

type Waiting = {
  readonly bytes: Uint8Array;
  readonly targets: readonly Endpoint[];
  readonly rule: RepeatRule;
  readonly giveUpAtMs: number;
  intervalMs: number;
  nextAtMs: number;
};

/** Requests by datagram that wait for their answers, by a key that the answer gives back. */
export class DatagramRequests {
  readonly #prng: Prng;
  readonly #waiting = new Map<string, Waiting>();
  readonly #effects: ClientEffect[] = [];

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** Sends to all `targets`, and again until `settle`. One with the same key is replaced. */
  ask(key: string, bytes: Uint8Array, targets: readonly Endpoint[], rule: RepeatRule, nowMs: number): void {
    const waiting = {
      bytes,
      targets,
      rule,
      giveUpAtMs: nowMs + rule.giveUpMs,
      intervalMs: rule.firstMs,
      nextAtMs: 0,
    };
    this.#waiting.set(key, waiting);
    this.#send(waiting, nowMs);
  }

  /** An answer has come. False when nobody waits for it. */
  settle(key: string): boolean {
    return this.#waiting.delete(key);
  }

  isWaiting(key: string): boolean {
    return this.#waiting.has(key);
  }

  clear(): void {
    this.#waiting.clear();
  }

  /** Repeats what is due; the keys of requests that were given up. */
  handleTimeout(nowMs: number): readonly string[] {
    const given: string[] = [];
    for (const [key, waiting] of this.#waiting) {
      if (nowMs >= waiting.giveUpAtMs) {
        this.#waiting.delete(key);
        given.push(key);
      } else if (nowMs >= waiting.nextAtMs) this.#send(waiting, nowMs);
    }
    return given;
  }

  nextTimeoutMs(): number | null {
    let nextMs: number | null = null;
    for (const { nextAtMs, giveUpAtMs } of this.#waiting.values()) {
      nextMs = Math.min(nextMs ?? Number.POSITIVE_INFINITY, nextAtMs, giveUpAtMs);
    }
    return nextMs;
  }

  drain(effects: ClientEffect[]): void {
    effects.push(...this.#effects);
    this.#effects.length = 0;
  }

  #send(waiting: Waiting, nowMs: number): void {
    // A copy each: bytes in an effect are given away.
    for (const to of waiting.targets) {
      this.#effects.push({ type: 'send', to, bytes: new Uint8Array(waiting.bytes) });
    }
    // RFC 6887, section 8.1.1: a tenth more or less, so that machines that woke together do not ask together.
    waiting.nextAtMs = nowMs + waiting.intervalMs * (0.9 + 0.2 * this.#prng.nextFloat());
    waiting.intervalMs = Math.min(2 * waiting.intervalMs, waiting.rule.longestMs);
  }
}
