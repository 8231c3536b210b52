/**
 * Who may begin an encrypted handshake with us. Each costs two modular powers, 0.25 ms, and whoever can connect can
 * ask for it with 96 bytes; so it is rationed, for one address and for all. Over the ration the connection is refused;
 * plain connections are not touched by it.
 *
 * Attacker: a flood from one address gets 20 and then one a second; one from everywhere gets 100 a second, 2.5 % of a
 * core, and shuts out others who come encrypted while it lasts. State: `addressCountMax` small objects, the longest
 * known gives way; whoever uses that to come again fresh is still within the ration of all.
 */
import { Allowance } from '../allowance.ts';

export const mseAllowanceLimits = {
  all: { burst: 200, perMinute: 6000 },
  /** A household, or a carrier's shared address, with many peers behind it. */
  ofAddress: { burst: 20, perMinute: 60 },
  addressCountMax: 1000,
} as const;

export class MseAllowance {
  readonly #all = new Allowance(mseAllowanceLimits.all);
  readonly #ofAddress = new Map<string, Allowance>();

  /** Takes one handshake for this address (as a limit counts it), or says false. */
  tryTake(address: string, nowMs: number): boolean {
    let own = this.#ofAddress.get(address);
    if (own === undefined) {
      own = new Allowance(mseAllowanceLimits.ofAddress);
      this.#ofAddress.set(address, own);
      if (this.#ofAddress.size > mseAllowanceLimits.addressCountMax)
        this.#ofAddress.delete(this.#ofAddress.keys().next().value!);
    }
    return own.tryTake(nowMs) && this.#all.tryTake(nowMs);
  }
}
