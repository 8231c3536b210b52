/**
 * How much somebody may ask who has not shown who they are, and how often guess. A decision without a clock of its own;
 * memory is bounded, and who has been quiet longest is forgotten first.
 */
import { httpLimits } from './http-limits.ts';

type Known = { tokens: number; atMs: number; failureCount: number; waitUntilMs: number };

export class StrangerLimits {
  /** In the order of their latest request. */
  readonly #known = new Map<string, Known>();

  /** Null: may go on; else so many milliseconds to wait. */
  tryRequest(address: string, nowMs: number): number | null {
    const known = this.#touch(address, nowMs);
    if (known.tokens >= 1) {
      known.tokens -= 1;
      return null;
    }
    return ((1 - known.tokens) / httpLimits.strangerRate) * 1000;
  }

  /** Null: may guess; else so many milliseconds to wait. */
  tryGuess(address: string, nowMs: number): number | null {
    const waitMs = this.#touch(address, nowMs).waitUntilMs - nowMs;
    return waitMs > 0 ? waitMs : null;
  }

  handleFailure(address: string, nowMs: number): void {
    const known = this.#touch(address, nowMs);
    known.failureCount++;
    const over = known.failureCount - httpLimits.failureCountFree;
    if (over <= 0) return;
    const waitMs = httpLimits.failureWaitMs * 2 ** Math.min(over - 1, 20);
    known.waitUntilMs = nowMs + Math.min(waitMs, httpLimits.failureWaitMsMax);
  }

  handleSuccess(address: string): void {
    const known = this.#known.get(address);
    if (known !== undefined) known.failureCount = 0;
  }

  get addressCount(): number {
    return this.#known.size;
  }

  #touch(address: string, nowMs: number): Known {
    const known = this.#known.get(address) ?? {
      tokens: httpLimits.strangerBurst,
      atMs: nowMs,
      failureCount: 0,
      waitUntilMs: 0,
    };
    const earned = ((nowMs - known.atMs) / 1000) * httpLimits.strangerRate;
    known.tokens = Math.min(httpLimits.strangerBurst, known.tokens + Math.max(0, earned));
    known.atMs = nowMs;
    this.#known.delete(address);
    this.#known.set(address, known);
    if (this.#known.size > httpLimits.addressCount) this.#forgetOne();
    return known;
  }

  /** One that has to wait is kept before one that has not, as far as a short look tells. */
  #forgetOne(): void {
    let first: string | null = null;
    let looked = 0;
    for (const [address, { waitUntilMs, atMs }] of this.#known) {
      first ??= address;
      if (waitUntilMs <= atMs || ++looked >= 16) {
        this.#known.delete(waitUntilMs <= atMs ? address : first);
        return;
      }
    }
  }
}
