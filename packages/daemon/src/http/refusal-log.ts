/**
 * Why requests were refused, with what to do, for the person who wonders. Whoever is refused can repeat it at will, so
 * the same refusal is logged once in a while, and there is room for so many different ones.
 */
import type { Log } from '@tequio/kernel';
import { printable } from './host-guard.ts';
import type { Refusal } from './http-fault.ts';
import { httpLimits } from './http-limits.ts';

export class RefusalLog {
  readonly #log: Log;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, { atMs: number; count: number }>();
  readonly #counts = new Map<string, number>();

  constructor(log: Log, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  /** How many by code, since the start. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  add({ code, value, remedy }: Pick<Refusal, 'code' | 'value' | 'remedy'>, address: string): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    const key = `${code} ${printable(value)}`;
    const nowMs = this.#nowMs();
    const known = this.#known.get(key);
    if (known !== undefined && nowMs - known.atMs < httpLimits.refusalLogMs) return void known.count++;
    if (known === undefined && this.#known.size >= httpLimits.refusalLogCount && !this.#forget(nowMs)) return;
    this.#known.delete(key);
    this.#known.set(key, { atMs: nowMs, count: 0 });
    this.#log.warn('http.refused', {
      code,
      value: printable(value),
      address,
      remedy,
      ...(known === undefined || known.count === 0 ? {} : { repeated: known.count }),
    });
  }

  /** False: all of them are recent. */
  #forget(nowMs: number): boolean {
    for (const [key, { atMs }] of this.#known) {
      if (nowMs - atMs < httpLimits.refusalLogMs) return false;
      this.#known.delete(key);
      return true;
    }
    return true;
  }
}
